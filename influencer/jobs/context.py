"""What a handler gets: its job, and the only ways to write to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from influencer.jobs import previews
from influencer.jobs.ending import end
from influencer.jobs.interrupts import Cancelled, HandOver, LostLease
from influencer.jobs.models import Job, JobState, JobStep, StepState
from influencer.jobs.pace import pace


def never() -> bool:
    return False


class JobContext:
    """One attempt at one job. Every write checks that the job is still this worker's.

    Each method that writes raises `LostLease` when it isn't; a handler lets that pass.
    """

    def __init__(
        self, job: Job, *, soft_deadline: datetime | None = None, stopping: Callable[[], bool] = never
    ) -> None:
        self.id: str = job.id
        self.kind: str = job.kind
        self.character_id: str = job.character_id
        self.user_id: int | None = job.user_id
        self.request: dict[str, Any] = job.request
        self.memo: dict[str, Any] = job.memo
        self.attempt: int = job.attempts
        self.soft_deadline = soft_deadline
        self.finished = False
        self.running_step = ""
        self.lost = False
        self._spec = job.spec
        self._owner = job.owner
        self._stopping = stopping
        self._done = set(job.steps.filter(state=StepState.SUCCEEDED).values_list("name", flat=True))
        self._pen = _Pen()
        self._look = _Look()

    # --- steps -------------------------------------------------------------------------------

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Everything inside belongs to that step; its times are committed.

        Entering raises `Cancelled` when the job was cancelled, so a step from which on a
        cancel comes too late is never entered by a cancelled job.
        """
        self._enter(name)
        yield
        self._leave(name)

    def step_done(self, name: str) -> bool:
        """Whether an earlier attempt has finished that step."""
        return name in self._done

    def _enter(self, name: str) -> None:
        now = timezone.now()
        with transaction.atomic():
            rows = self._mine().filter(cancel_requested_at__isnull=True)
            if not rows.update(step=name):
                self._refuse()
            JobStep.objects.filter(job_id=self.id, name=name).update(
                state=StepState.RUNNING, started_at=Coalesce("started_at", now), finished_at=None, error=None
            )
        self.running_step = name

    def _leave(self, name: str) -> None:
        if not self.finished:
            with transaction.atomic():
                self._write(step=name, **self._pen.rest())
                _close(self.id, name)
        self._done.add(name)
        self.running_step = ""

    # --- while at work -----------------------------------------------------------------------

    def progress(self, fraction: float, message: str = "") -> None:
        """How far the job is, 0 to 1. Written at most twice a second; it renews nothing."""
        if fields := self._pen.note(min(max(fraction, 0.0), 1.0), message):
            self._write(**fields)

    def remember(self, **values: Any) -> None:
        """Keep plain values for later attempts; committed before this returns."""
        memo = {**self.memo, **values}
        self._write(memo=memo)
        self.memo.update(values)

    def preview(self, jpeg: bytes) -> None:
        """Show this picture until the next one, or until the job ends."""
        if not self.lost:
            previews.write(self.id, jpeg)

    def renew(self) -> None:
        """Prolong the lease. Call it right before what must not happen twice."""
        now = timezone.now()
        self._write(heartbeat_at=now, lease_until=now + timedelta(seconds=pace().lease))

    def time_left(self) -> float:
        """Seconds until this attempt should hand over; infinite without a limit."""
        if self.soft_deadline is None:
            return float("inf")
        return (self.soft_deadline - timezone.now()).total_seconds()

    def check_cancelled(self) -> None:
        """Raise what ends this attempt now, if anything does; asks the row at most once a second.

        `Cancelled` by the person, `HandOver` because this worker has to let go, `LostLease`.
        """
        if self.lost:
            raise LostLease
        if self._look.is_due():
            self._look_up()
        if self._look.cancelled:
            raise Cancelled
        if self._look.stopping or self.time_left() <= 0:
            raise HandOver(timezone.now(), "following", "Goes on in a moment")

    def must_stop(self) -> bool:
        """The same as a question, for loops that end by themselves."""
        try:
            self.check_cancelled()
        except (Cancelled, HandOver, LostLease):
            return True
        return False

    def _look_up(self) -> None:
        rows = list(self._mine().values_list("cancel_requested_at", flat=True))
        if not rows:
            self._lose()
        self._look.cancelled = rows[0] is not None
        self._look.stopping = self._stopping()

    # --- the end -----------------------------------------------------------------------------

    def finish(self, result: dict[str, Any] | None = None, message: str = "") -> None:
        """End the job well. Inside the handler's own transaction, its rows and this are one.

        `message` says what came of it, in place of what the last step said.
        """
        with transaction.atomic():
            if self.running_step:
                _close(self.id, self.running_step)
            fields = {"progress": 1.0, "result": result or {}, "message": message}
            if end(self._mine(), JobState.SUCCEEDED, **fields) is None:
                self._lose()
        self.finished = True

    def fail(self, error: dict[str, Any]) -> None:
        if end(self._mine(), JobState.FAILED, error=error) is None:
            self._lose()

    def cancel(self) -> None:
        if end(self._mine(), JobState.CANCELLED) is None:
            self._lose()

    def wait(self, until: datetime | None, reason: str, message: str) -> None:
        """Lay the job aside. One that is cancelled meanwhile starts again at once, to be told."""
        with transaction.atomic():
            cancelled = self._mine().filter(cancel_requested_at__isnull=False).exists()
            when = timezone.now() if cancelled else until
            fields = {"owner": "", "lease_until": None, "seconds_left": None, "not_before": when}
            self._write(state=JobState.WAITING, until=until, reason=reason, message=message, **fields)
            running = JobStep.objects.filter(job_id=self.id, state=StepState.RUNNING)
            running.update(state=StepState.WAITING)

    # --- ownership ---------------------------------------------------------------------------

    def _mine(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.id, owner=self._owner, state=JobState.RUNNING)

    def _write(self, **fields: Any) -> None:
        if not self._mine().update(**fields):
            self._lose()

    def _refuse(self) -> None:
        if self._mine().exists():
            raise Cancelled
        self._lose()

    def _lose(self) -> None:
        self.lost = True
        raise LostLease


def _close(job_id: str, step: str) -> None:
    JobStep.objects.filter(job_id=job_id, name=step).update(
        state=StepState.SUCCEEDED, finished_at=timezone.now()
    )


@dataclass
class _Look:
    """When the row was last asked, and what it said."""

    next_at: float = 0.0
    cancelled: bool = False
    stopping: bool = False

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self.next_at:
            return False
        self.next_at = now + pace().look
        return True


@dataclass
class _Pen:
    """Holds back progress that comes too fast, and reckons the time left."""

    next_at: float = 0.0
    first: tuple[float, float] | None = None
    held: dict[str, Any] | None = None

    def note(self, fraction: float, message: str) -> dict[str, Any]:
        """What to write now, empty when it is too soon."""
        now = time.monotonic()
        self.first = self.first or (now, fraction)
        self.held = {"progress": fraction, "seconds_left": self._seconds_left(now, fraction)}
        if message:
            self.held["message"] = message
        if now < self.next_at:
            return {}
        self.next_at = now + pace().progress
        return self.rest()

    def rest(self) -> dict[str, Any]:
        held, self.held = self.held or {}, None
        return held

    def _seconds_left(self, now: float, fraction: float) -> int | None:
        began, at = self.first or (now, fraction)
        if fraction - at < 0.05:
            return None
        return round((now - began) * (1 - fraction) / (fraction - at))
