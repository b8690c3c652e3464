"""Whether everything works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from characters import commands
from influencer.web.moments import relative
from monitoring import checks
from monitoring.report import GOOD, Report, Result, State


class Command(commands.Command):
    help = "Check everything the product needs; ends with 1 when something is down."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        report = checks.everything.report(fresh=True)
        self.answer(options, report.as_json(), _lines(report))
        if report.overall is State.DOWN:
            sys.exit(1)


def _lines(report: Report) -> Iterator[str]:
    yield from commands.columns(_rows(report))
    yield f"Overall: {report.overall}"


def _rows(report: Report) -> Iterator[tuple[str, str, str]]:
    for check in checks.CHECKS:
        result = report.results[check.name]
        last = "" if result.state in GOOD else _last_well(result)
        yield check.label, str(result.state), f"{result.message}{last}"


def _last_well(result: Result) -> str:
    if result.last_ok_at is None:
        return ""
    return f" (last well: {relative(result.last_ok_at, result.checked_at)})"
