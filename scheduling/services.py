"""What can be done with tasks; the same for page, API, admin and commands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.samples import Sample
from influencer import jsondb
from influencer.errors import Conflict, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from influencer.web import zone as dashboard
from scheduling import cron, runs
from scheduling.forms import TaskForm
from scheduling.models import Fired, FiredState, Task
from scheduling.payload import merged

Check = Callable[[Task], bool]


def get(pk: str) -> Task:
    """Raises `NotFound`."""
    found: Task | None = Task.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such task any more.")
    return found


def add_task(
    form: TaskForm, *, extra: dict[str, Any] | None = None, config: dict[str, Any] | None = None
) -> Task:
    """Add the task a valid form describes; unknown keys with it. `config`: where the form has none itself."""
    task: Task = form.save(commit=False)
    if config is not None:
        task.config = merged(task.options, config)
    task.character_name = _name_of(task.character_id)
    task.extra = {**task.extra, **(extra or {})}
    task.save()
    return get(task.pk)


def update_task(
    pk: str,
    form: TaskForm,
    *,
    still: Check | None = None,
    extra: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
) -> Task:
    """Change what a valid form changed, on top of what the record holds by now.

    `config`: the keys of it that change, where the others are to stay (null takes one away).
    Raises `Conflict` (`changed_since`) when `still` denies that the record is as it was seen, `NotFound`.
    """

    def change(record: Task) -> None:
        if still and not still(record):
            raise changed_since(record)
        before = record.options
        form.apply(record)
        if config is not None:
            record.config = merged(before, config)
        record.character_name = _name_of(record.character_id) or record.character_name
        record.extra = {**record.extra, **(extra or {})}

    changed: Task = Task.objects.change(pk, change)
    return changed


def changed_since(record: Task) -> Conflict:
    return Conflict(
        "Someone saved this task while you were editing. Compare both and choose.",
        code=characters.CHANGED,
        details={"current": record.as_json()},
    )


def toggle_task(pk: str, *, active: bool | None = None) -> Task:
    """Pause or resume a task; without `active` whichever it is not. Raises `NotFound`.

    What was due while it was paused is not made up for.
    """

    def change(record: Task) -> None:
        record.active = not record.active if active is None else active

    changed: Task = Task.objects.change(pk, change)
    return changed


def duplicate_task(pk: str) -> Task:
    """Add the same task once more, paused: nothing fires that nobody asked for. Raises `NotFound`."""
    task = get(pk)
    kept = {name: getattr(task, name) for name in TaskForm.Meta.fields}
    name = _name_of(task.character_id) or task.character_name
    copy = Task(**{**kept, "active": False}, character_name=name)
    copy.extra = dict(task.extra)
    copy.save()
    return get(copy.pk)


def delete_task(pk: str) -> None:
    """Take a task away. A run that has not begun or waits for review ends; one at work finishes.

    Its history stays. Raises `NotFound`.
    """
    get(pk).delete()
    rows = Fired.objects.filter(task_id=pk)
    rows.filter(state=FiredState.MISSED).update(state=FiredState.SKIPPED, why=runs.DELETED)
    ids = rows.filter(state=FiredState.FIRED).order_by("-pk").values_list("job_id", flat=True)
    waiting = Job.objects.filter(pk__in=list(ids[: runs.RECENT]), state=JobState.WAITING)
    for job in waiting.filter(reason__in=(runs.REVIEW, "scheduled")):
        with suppress(Conflict, NotFound):
            jobs.cancel(job.pk)


def preview(
    schedule: str, zone: str = "", count: int = 10, *, after: datetime | None = None
) -> list[datetime]:
    """The next runs of a schedule; without a zone by the dashboard's clock. Raises `Invalid`."""
    return cron.next_runs(schedule, zone or dashboard.current().key, after or timezone.now(), count)


def _name_of(character_id: str) -> str:
    return characters.names([character_id]).get(character_id, "") if character_id else ""


# --- what other apps ask for -----------------------------------------------------------------


def pause_tasks_of(character_id: str) -> None:
    """Pause what was planned for a character that is gone."""
    with jsondb.batch():
        for task in Task.objects.filter(character_id=character_id, active=True):
            task.active = False
            task.save()


def add_samples(character: Character, sample: Sample) -> None:
    """Plan the tasks of a sample character, paused: nothing fires that nobody asked for."""
    with jsondb.batch():
        for kind, schedule, config in sample.tasks:
            whose = {"character_id": character.pk, "character_name": character.name}
            Task(type=kind, schedule=schedule, active=False, config=config, **whose).save()
