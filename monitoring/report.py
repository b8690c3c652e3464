"""What the checks found, as the API shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from influencer.jobs.models import iso


class State(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNCONFIGURED = "unconfigured"
    SANDBOX = "sandbox"


GOOD = (State.OK, State.SANDBOX)


@dataclass(frozen=True)
class Finding:
    """What one check says: a state, a sentence that ends with the fix, and figures without secrets."""

    state: State
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One line of the status. `run(fresh)`: with `fresh`, nothing remembered is good enough."""

    name: str
    label: str
    run: Callable[[bool], Finding]


@dataclass(frozen=True)
class Result:
    """A finding with its time, and when it was last good."""

    finding: Finding
    checked_at: datetime
    last_ok_at: datetime | None

    @property
    def state(self) -> State:
        return self.finding.state

    @property
    def message(self) -> str:
        return self.finding.message

    def as_json(self) -> dict[str, Any]:
        return {
            "state": str(self.state),
            "message": self.message,
            "checkedAt": iso(self.checked_at),
            "lastOkAt": iso(self.last_ok_at),
            "details": dict(self.finding.details),
        }


@dataclass(frozen=True)
class Report:
    """All results by the check's name."""

    results: Mapping[str, Result]
    checked_at: datetime

    @property
    def overall(self) -> State:
        """The worst of them; a stand-in and what is not configured are nothing bad."""
        states = {result.state for result in self.results.values()}
        return next((state for state in (State.DOWN, State.DEGRADED) if state in states), State.OK)

    def as_json(self) -> dict[str, Any]:
        """The body of `GET /api/system/status`."""
        return {
            "status": {name: result.as_json() for name, result in self.results.items()},
            "overall": str(self.overall),
            "checkedAt": iso(self.checked_at),
        }
