"""A worker that kills itself (SIGKILL) right before or after one call: `mortal JOB MODULE NAME WHEN`.

With no more than the job's id it works like any other.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

import django


def main(job_id: str, *fate: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "influencer.settings")
    django.setup()
    from influencer.jobs import worker

    if fate:
        _doom(*fate)
    worker.run(job_id)


def _doom(where: str, name: str, when: str) -> None:
    """Die before or after the next call of `name` in a module or a class of it ("module:Class")."""
    module, _, kind = where.partition(":")
    owner = importlib.import_module(module)
    owner = getattr(owner, kind) if kind else owner
    real = getattr(owner, name)

    def fatal(*arguments: Any, **more: Any) -> None:
        if when == "after":
            real(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, fatal)


if __name__ == "__main__":
    main(*sys.argv[1:])
