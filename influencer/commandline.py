"""Runs one command; what a person can mend is one sentence, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from influencer.config import ConfigError
from influencer.errors import Problem


def run(argv: Sequence[str]) -> int:
    """The exit code: 0 done, 1 a problem, 2 the configuration can't be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "influencer.settings")
    try:
        execute_from_command_line(list(argv))
    except ConfigError as error:
        return _fail(str(error), 2)
    except Problem as error:
        return _fail(error.message, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _fail(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return code
