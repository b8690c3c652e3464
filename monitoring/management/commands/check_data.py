"""Whether everything in the data folder fits together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from characters import commands
from influencer.jsondb import Finding
from monitoring import consistency


class Command(commands.Command):
    help = (
        "Go through the data folder for everything worth mending; ends with 1 when something must be mended."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = consistency.findings()
        content = {
            "findings": [asdict(finding) for finding in found],
            "errors": sum(finding.is_error for finding in found),
        }
        self.answer(options, content, _lines(found))
        if content["errors"]:
            sys.exit(1)


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    if not found:
        yield "Everything is in order."
        return
    yield from commands.columns(
        ("error" if one.is_error else "note", one.file, one.record, one.message) for one in found
    )
    errors = sum(finding.is_error for finding in found)
    yield f"{errors} must be mended, {len(found) - errors} may be."
