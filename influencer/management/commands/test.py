"""`manage.py test`: the whole test suite, with the browser it needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import BaseCommand

from influencer import browser
from influencer.config import PROJECT

# Where files lie in memory: on a disk the suite waits thousands of times until a write is safe.
MEMORY = Path("/dev/shm")  # noqa: S108
ENOUGH = 3 * 1024**3


class Command(BaseCommand):
    help = "Run the tests. What follows is handed to pytest, e.g. `test tests/influencer -k config`."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Take every argument as pytest's, also those that look like Django's."""
        browser.find_or_install()
        keep_files_in_memory()
        os.chdir(PROJECT)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *_spread(argv[2:])])  # noqa: S606


def keep_files_in_memory() -> None:
    """Put the temporary files of the tests, and of what they start, into memory where there is room."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ.setdefault("TMPDIR", str(MEMORY))


def _spread(arguments: Sequence[str]) -> list[str]:
    """On all cores, unless the person said otherwise."""
    chosen = any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments)
    return list(arguments) if chosen else ["-n", str(workers()), "--dist", "loadgroup", *arguments]


def workers() -> int:
    """More than there are cores: much of the suite waits for processes it has started or killed."""
    cores = len(os.sched_getaffinity(0))
    return cores + (cores + 1) // 2
