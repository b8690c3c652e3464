"""Runs checks for whoever asks: together, within a time limit, and not more often than needed."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import orjson
from django.utils import timezone

from influencer import paths
from influencer.errors import Problem
from influencer.jobs.models import iso
from monitoring.crew import Crew
from monitoring.report import GOOD, Check, Finding, Report, Result, State

SECONDS = 2.5
FILE = "status.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    report: Report
    folder: Path
    done: float


class Watch:
    """Some checks, and the last report of them, good for `keep` seconds.

    However many ask at once, they run once. `seconds` is the longest a report takes.
    """

    def __init__(self, checks: Sequence[Check], *, keep: float, seconds: float = SECONDS) -> None:
        self.checks = tuple(checks)
        self.keep = keep
        self.seconds = seconds
        self._turn = threading.Lock()
        self._crew: Crew[Finding] = Crew("check")
        self._kept: _Kept | None = None

    def report(self, *, fresh: bool = False) -> Report:
        """The report; with `fresh`, of a check that ended after this was called."""
        oldest = time.monotonic() - (0 if fresh else self.keep)
        with self._turn:
            kept = self._kept
            if kept is None or kept.done < oldest or kept.folder != paths.data_dir():
                kept = self._kept = _Kept(self._look(fresh), paths.data_dir(), time.monotonic())
        return kept.report

    def known(self) -> Report | None:
        """The last report, however old, at once; None before the first."""
        kept = self._kept
        return kept.report if kept is not None and kept.folder == paths.data_dir() else None

    def _look(self, fresh: bool) -> Report:
        calls = {check.name: partial(_run, check, fresh) for check in self.checks}
        found = self._crew.run(calls, self.seconds)
        now = timezone.now()
        findings = {check.name: found.get(check.name) or self._nothing(check) for check in self.checks}
        good = _remember([name for name, finding in findings.items() if finding.state in GOOD], now)
        results = {name: Result(finding, now, good.get(name)) for name, finding in findings.items()}
        return Report(results, now)

    def _nothing(self, check: Check) -> Finding:
        message = f"{check.label} could not be checked within {self.seconds:g} s. The log may say why."
        return Finding(State.DOWN, message)


def _run(check: Check, fresh: bool) -> Finding:
    """A refusal of our own is a finding too."""
    try:
        return check.run(fresh)
    except Problem as problem:
        state = State.UNCONFIGURED if problem.code == "not_configured" else State.DOWN
        return Finding(state, problem.sentence)


def _remember(good: Sequence[str], now: datetime) -> dict[str, datetime]:
    """When each check was last good, with those that are so now; kept beyond this process."""
    path = paths.run() / FILE
    known = _read(path) | dict.fromkeys(good, now)
    draft = path.with_name(f"{FILE}.{os.getpid()}.{threading.get_ident()}")
    try:
        draft.write_bytes(orjson.dumps({name: iso(moment) for name, moment in known.items()}))
        draft.replace(path)
    except OSError as error:
        log.warning("when all was well could not be kept: %s", error)
    return known


def _read(path: Path) -> dict[str, datetime]:
    """Only a memory: one that can't be read counts as none."""
    try:
        return {name: datetime.fromisoformat(text) for name, text in orjson.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
