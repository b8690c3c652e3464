"""Tasks and clocks for tests, one call each; time stands where a test puts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from characters.models import Character
from influencer import paths
from influencer.jobs.models import Job
from scheduling.clock_turn import Planner
from scheduling.models import Fired, Task
from tests.characters.people import someone

# A Thursday, at noon, far from everything.
NOON = datetime(2027, 5, 13, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)


def at(text: str) -> datetime:
    """A moment of the week around NOON: "18:00" today, "14 09:30" on that day of the month."""
    day, _, clock = text.rpartition(" ")
    hour, minute, *second = map(int, clock.split(":"))
    return datetime(2027, 5, int(day or 13), hour, minute, *second, tzinfo=UTC)


def a_task(schedule: str = "0 18 * * *", *, character: Character | None = None, **fields: Any) -> Task:
    """An active task that only generates, unless told otherwise; saved long ago."""
    whose = character or Character.objects.first() or someone()
    given = {"type": "generate_only", "schedule": schedule, "character_id": whose.pk, **fields}
    task: Task = Task.objects.create(**given, created_at=NOON - 30 * DAY)
    rows = stored()
    for row in rows:
        row["updatedAt"] = "2027-04-01T00:00:00.000Z"
    write(*rows)
    return Task.objects.get(pk=task.pk)


def stored() -> list[dict[str, Any]]:
    """What lies in the file."""
    found: list[dict[str, Any]] = orjson.loads((paths.data_dir() / "scheduler.json").read_bytes())
    return found


def write(*records: Any) -> None:
    """Put records into the file as a person with an editor would."""
    path = paths.data_dir() / "scheduler.json"
    path.write_bytes(orjson.dumps(list(records), option=orjson.OPT_INDENT_2))


def edit(pk: str, **keys: Any) -> None:
    """Change a task in the file by hand; `None` takes a key away."""
    rows = stored()
    row = next(row for row in rows if row["id"] == pk)
    row.update(keys)
    write(*rows)


def looked(now: datetime = NOON) -> Planner:
    """A clock that has just looked at all tasks for the first time."""
    planner = Planner()
    planner.tick(now)
    return planner


def fired(task: Task | str) -> list[tuple[str, str]]:
    """What became of a task's due times, oldest first: "13 18:00", state."""
    pk = task if isinstance(task, str) else task.pk
    rows = Fired.objects.filter(task_id=pk).order_by("due")
    return [(f"{row.due:%d %H:%M}", str(row.state)) for row in rows]


def jobs_of(task: Task) -> list[Job]:
    ids = Fired.objects.filter(task_id=task.pk).order_by("due").values_list("job_id", flat=True)
    return list(Job.objects.filter(pk__in=list(ids)).order_by("created_at"))


def why(task: Task) -> str:
    """What the newest line of the history says."""
    return Fired.objects.filter(task_id=task.pk).order_by("-due")[0].why
