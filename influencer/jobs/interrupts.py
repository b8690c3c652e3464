"""How an attempt at a job ends other than by success or failure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

Reason = Literal["quota", "rate limit", "review", "server down", "backoff", "following", "scheduled"]


class Interrupt(Exception):
    """The attempt ends here; the worker's shell knows what follows."""


class Wait(Interrupt):
    """Nothing to do before `until`: the handler starts again then, with its memo.

    Without `until` only `services.wake` starts it again. "following" says that the work
    goes on elsewhere, so a cancelled job is given to its handler once more to stop it there.
    """

    def __init__(self, until: datetime | None, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason)
        self.until = until
        self.reason = reason
        self.message = message


class HandOver(Wait):
    """This worker has to let go (it is told to stop, or the task's time is up); another goes on."""


class Cancelled(Interrupt):
    """The person asked for it."""


class LostLease(Interrupt):
    """The job is another worker's by now: write nothing more."""
