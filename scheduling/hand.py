"""Runs by hand: Run Now, for one task or all, and what is decided about a missed one."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from characters.models import Character
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs.models import Job, iso
from scheduling import firing, recipe, runs, services
from scheduling.models import Fired, FiredKind, FiredState, Task, TaskType
from scheduling.spacing import Slots

log = logging.getLogger(__name__)

Bind = Callable[[str], object]


@dataclass(frozen=True)
class Started:
    """One task's part of a Run Now: its job, or why it was left out."""

    task_id: str
    job_id: str = ""
    already_running: bool = False
    starts_at: datetime | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        if not self.job_id:
            return {"taskId": self.task_id, "why": self.why}
        said = {"taskId": self.task_id, "jobId": self.job_id, "alreadyRunning": self.already_running}
        return {**said, **({"startsAt": iso(self.starts_at)} if self.starts_at else {})}


def run_now(task_id: str = "", *, user_id: int | None = None, bind: Bind | None = None) -> list[Started]:
    """Run one task, or every active one; those of one account a minute apart.

    A task whose run is still going is listed with that job. Of all tasks, paused ones are left out
    silently, those of a character that is paused or gone with the reason (no `job_id`). One task
    runs also while it or its character is paused. `bind` gets the batch's name in the transaction
    that starts it. Raises `NotFound`, `Conflict` (`character_gone`), `Invalid`.
    """
    batch = f"run_{secrets.token_hex(8)}"
    if task_id:
        tasks = [_ready(services.get(task_id))]
        left_out: list[Started] = []
    else:
        tasks, left_out = all_active()
    hand = _Hand(timezone.now(), batch, user_id)
    with transaction.atomic():
        started = [hand.start(task) if task_id else hand.try_to_start(task) for task in tasks]
        if bind:
            bind(batch)
    return started + left_out


def all_active() -> tuple[list[Task], list[Started]]:
    """What Run Now would start of all active tasks, and what it would leave out, with the reason."""
    ready, left_out = [], []
    for task in Task.objects.filter(active=True):
        why = _fault(task) or firing.not_now(task) or _over(task)
        if why:
            left_out.append(Started(task.pk, why=why))
        else:
            ready.append(task)
    return ready, left_out


def started_in(batch: str) -> list[Started]:
    """What a Run Now has started, to give its answer again."""
    rows = list(Fired.objects.filter(batch=batch).order_by("pk"))
    waiting = Job.objects.in_bulk([row.job_id for row in rows])
    return [Started(row.task_id, row.job_id, starts_at=_start_of(waiting.get(row.job_id))) for row in rows]


def run_missed(task_id: str, due: datetime, *, user_id: int | None = None) -> Started:
    """Make up for a missed run. One that was decided about already gives its job again.

    Raises `NotFound`, `Conflict` (`already_decided`, `character_gone`).
    """
    return _make_up(_row(task_id, due), Slots(timezone.now()), user_id)


def run_all_missed(*, user_id: int | None = None) -> list[Started]:
    """Make up for everything missed, those of one account a minute apart."""
    slots, started = Slots(timezone.now()), []
    for row in reversed(runs.missed()):
        try:
            started.append(_make_up(row, slots, user_id))
        except (Conflict, NotFound, Invalid) as problem:
            started.append(Started(row.task_id, why=problem.message))
    return started


def skip_missed(task_id: str, due: datetime) -> Fired:
    """Leave a missed run out for good. Raises `NotFound`, `Conflict` (`already_decided`)."""
    row = _row(task_id, due)
    missed = Fired.objects.filter(pk=row.pk, state=FiredState.MISSED)
    if missed.update(state=FiredState.SKIPPED, why="Missed; left out by hand."):
        log.info("task %s: the run of %s is left out by hand", task_id, due)
    row.refresh_from_db()
    if row.state == FiredState.FIRED:
        raise Conflict("This run was started already.", code="already_decided")
    return row


def _ready(task: Task) -> Task:
    """The task, if it can run at all: by hand it may while it or its character is paused."""
    recipe.task_type(task.type)
    if task.type != TaskType.BACKUP and not Character.objects.filter(pk=task.character_id).exists():
        raise Conflict("The character of this task is gone. Choose another one.", code="character_gone")
    return task


def _over(task: Task) -> str:
    """Of a one-off that has had its time: by name it can be run again, among all it is not meant."""
    over = task.run_at is not None and task.run_at <= timezone.now()
    return "Its one run is over." if over else ""


def _fault(task: Task) -> str:
    try:
        recipe.task_type(task.type)
    except Invalid as problem:
        return problem.message
    return ""


class _Hand:
    """One person's Run Now."""

    def __init__(self, now: datetime, batch: str, user_id: int | None) -> None:
        self._now, self._batch, self._user_id = now, batch, user_id
        self._slots = Slots(now)

    def try_to_start(self, task: Task) -> Started:
        """What can't even begin is left out, with the reason."""
        try:
            return self.start(task)
        except (Invalid, NotFound) as problem:
            return Started(task.pk, why=problem.message)

    def start(self, task: Task) -> Started:
        if going := runs.going(task.pk):
            return Started(task.pk, going.pk, already_running=True)
        now = self._now
        start = self._slots.take(task, Character.objects.filter(pk=task.character_id).first())
        job = runs.start(task, due=now, not_before=start, user_id=self._user_id)
        by_hand = {"kind": FiredKind.RUN_NOW, "batch": self._batch}
        runs.record(task, now, FiredState.FIRED, job_id=job.pk, **by_hand)
        return Started(task.pk, job.pk, starts_at=start if start > now else None)


def _make_up(row: Fired, slots: Slots, user_id: int | None) -> Started:
    with transaction.atomic():
        row = Fired.objects.select_for_update().get(pk=row.pk)
        if row.state == FiredState.FIRED:
            return Started(row.task_id, row.job_id, already_running=True)
        if row.state == FiredState.SKIPPED:
            raise Conflict("This run was left out already.", code="already_decided")
        task = _ready(services.get(row.task_id))
        if going := runs.going(task.pk):
            return Started(task.pk, going.pk, already_running=True)
        start = slots.take(task, Character.objects.filter(pk=task.character_id).first())
        job = runs.start(task, due=row.due, not_before=start, user_id=user_id)
        row.state, row.job_id, row.why = FiredState.FIRED, job.pk, "Missed; started by hand."
        row.save()
    return Started(task.pk, job.pk, starts_at=_start_of(job))


def _row(task_id: str, due: datetime) -> Fired:
    row = Fired.objects.filter(task_id=task_id, due=due).first()
    if row is None:
        raise NotFound("This task has no run at that time.")
    return row


def _start_of(job: Job | None) -> datetime | None:
    return job.not_before if job else None
