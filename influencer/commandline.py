"""Runs one command; what a person can mend is one sentence, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import django
from django.conf import settings
from django.core.management import execute_from_command_line, get_commands
from django.utils.module_loading import import_string

from influencer.config import ConfigError
from influencer.errors import Problem

# They see to the data themselves, or want none.
APART = {"up", "test"}


def run(argv: Sequence[str]) -> int:
    """The exit code: 0 done, 1 a problem, 2 the configuration can't be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "influencer.settings")
    try:
        if argv[1:] and argv[1] not in APART:
            _prepare(argv[1])
        execute_from_command_line(list(argv))
    except ConfigError as error:
        return _fail(str(error), 2)
    except Problem as error:
        return _fail(error.sentence, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _prepare(name: str) -> None:
    """The product's own commands find data and database ready, also before the first `up`."""
    django.setup()
    if get_commands().get(name, "django").startswith("django"):
        return
    # By name: it needs models, which can't be loaded before `setup`.
    prepare = import_string("influencer.jobs.supervisor.startup.prepare_for_command")
    prepare(settings.INFLUENCER, _say)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def _fail(sentence: str, code: int) -> int:
    _say(sentence)
    return code
