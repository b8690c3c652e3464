"""Tasks as they are shown: when each runs next, in words, and how it went last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from characters.models import Character
from influencer.errors import Invalid
from influencer.jobs import health
from influencer.jobs.models import iso
from influencer.jobs.pace import pace
from influencer.web import zone as dashboard
from scheduling import recipe, runs, timetable
from scheduling.firing import GRACE
from scheduling.models import NextDue, Task
from scheduling.runs import Run
from scheduling.timetable import Clocks


@dataclass(frozen=True)
class Row:
    """One task as a list shows it. `problem` says why it can't run at all."""

    task: Task
    character_name: str
    description: str
    next_run: datetime | None
    last: Run | None
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        last = self.last
        return {
            **self.task.as_json(),
            "characterName": self.character_name,
            "description": self.description,
            "nextRun": iso(self.next_run),
            "lastRun": iso(last.fired.due) if last else None,
            "lastResult": last.result if last else None,
            "lastJobId": last.fired.job_id if last else "",
            "lastWhy": last.why if last else "",
            "problem": self.problem,
        }


def rows(tasks: Iterable[Task], *, now: datetime | None = None) -> list[Row]:
    """Tasks with all that is shown of them, by a handful of queries for any number."""
    shown = list(tasks)
    ids = [task.pk for task in shown]
    look = _Look(
        now or timezone.now(),
        Clocks.now(),
        dict(Character.objects.values_list("pk", "name")),
        NextDue.objects.in_bulk(ids),
        runs.latest(ids),
    )
    return [_row(task, look) for task in shown]


def heartbeat() -> dict[str, Any]:
    """When the clock last looked, and whether that is recent."""
    beat = health.clock_beat()
    silent = (timezone.now() - beat).total_seconds() if beat else None
    return {"lastBeatAt": iso(beat), "alive": silent is not None and silent < pace().silence}


def settings() -> dict[str, Any]:
    """What holds for all tasks."""
    return {"timezone": dashboard.current().key, "graceSeconds": round(GRACE.total_seconds())}


@dataclass(frozen=True)
class _Look:
    now: datetime
    clocks: Clocks
    names: dict[str, str]
    planned: dict[str, NextDue]
    latest: dict[str, Run]


def _row(task: Task, look: _Look) -> Row:
    name = look.names.get(task.character_id, task.character_name)
    planned, problem, next_run = look.planned.get(task.pk), "", None
    try:
        recipe.task_type(task.type)
        times = timetable.of(task, look.clocks)
        problem = planned.problem if planned else ""
        if task.active and not problem:
            next_run = _next(times, planned, look.now)
    except Invalid as fault:
        problem = fault.message
    return Row(task, name, timetable.describe(task, look.clocks), next_run, look.latest.get(task.pk), problem)


def _next(times: timetable.Timetable, planned: NextDue | None, now: datetime) -> datetime | None:
    """What the clock has planned, as far as it knows of the task as it is and has looked lately."""
    known = planned is not None and planned.digest == times.digest
    if planned is not None and known and (planned.due is None or planned.due > now - GRACE):
        return planned.due
    return times.next(now)
