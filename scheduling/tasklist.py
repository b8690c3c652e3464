"""The list of tasks on the page: which ones, in which order, and what is shown of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from characters import services as characters
from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts
from influencer.clients.platform import Platform
from influencer.errors import Invalid
from influencer.jobs.models import Job, JobState
from influencer.jsondb import while_unchanged
from scheduling import deeds, listing, outcomes, runs, timetable
from scheduling.listing import Row
from scheduling.models import NextDue, Task, TaskType
from scheduling.outcomes import Outcome
from scheduling.runs import Run
from scheduling.timetable import Clocks

NEVER, LONG_AGO = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
LABELS: dict[str, str] = {str(name): str(label) for name, label in TaskType.choices}
# So many tasks the clock has not planned yet are worked out on the spot, to stand in their place.
MOST_UNPLANNED = 50


@dataclass(frozen=True)
class Line:
    """One task as the page shows it."""

    row: Row
    deed: str
    portrait: Image | None
    character_is_there: bool
    character_is_paused: bool

    @property
    def task(self) -> Task:
        return self.row.task

    @property
    def name(self) -> str:
        return deeds.whose(self.task, self.row.character_name)

    @cached_property
    def outcome(self) -> Outcome | None:
        return outcomes.of(self.row.last) if self.row.last else None

    @property
    def is_over(self) -> bool:
        """Whether it was meant for one moment, which has passed."""
        return self.task.active and self.row.next_run is None and not self.row.problem


@dataclass(frozen=True)
class RunLine:
    """One line of the history as a table shows it."""

    run: Run
    name: str
    deed: str

    @cached_property
    def outcome(self) -> Outcome:
        return outcomes.of(self.run)

    @property
    def took(self) -> str:
        return outcomes.took(self.run)

    @property
    def links(self) -> list[tuple[str, str]]:
        """Where its posts can be seen, as (words, address); several are named by their platform."""
        job = self.run.job
        found = [str(address) for address in (job.result or {}).get("permalinks") or []] if job else []
        if job is None or len(found) < 2:
            return [("See the post", address) for address in found]
        names = [accounts.NAMES[Platform(name)] for name in sorted(job.memo.get("posts") or {})]
        return list(zip([f"See {name}" for name in names], found, strict=False))


def lines(ids: Sequence[str]) -> list[Line]:
    """The tasks of one page, in that order; a handful of queries for any number."""
    found = Task.objects.in_bulk(list(ids))
    shown = listing.rows([found[pk] for pk in ids if pk in found])
    owners = {row.task.character_id for row in shown}
    states = dict(Character.objects.filter(pk__in=owners).values_list("pk", "is_active"))
    portraits = images.portraits(list(states))
    return [
        Line(
            row,
            deeds.of(row.task),
            portraits.get(row.task.character_id),
            row.task.character_id in states,
            not states.get(row.task.character_id, True),
        )
        for row in shown
    ]


def run_lines(found: Sequence[Run]) -> list[RunLine]:
    """Lines of the history with whose they are and what was done."""
    tasks = Task.objects.in_bulk([run.fired.task_id for run in found])
    names = dict(Character.objects.values_list("pk", "name"))
    return [_run_line(run, tasks.get(run.fired.task_id), names) for run in found]


def _run_line(run: Run, task: Task | None, names: dict[str, str]) -> RunLine:
    kept = task.character_name if task else ""
    deed = deeds.of_job(run.job) if run.job else deeds.of(task) if task else "a task that was deleted"
    return RunLine(run, names.get(run.fired.character_id, kept), deed)


def search(*, q: str = "", character: str = "", state: str = "", kind: str = "", sort: str = "") -> list[str]:
    """The ids of the tasks that fit, in order; without a sort the one that is due next comes first."""
    found = Task.objects.all()
    if character:
        found = found.filter(character_id=character)
    if kind:
        found = found.filter(type=kind)
    if state in ("active", "paused"):
        found = found.filter(active=state == "active")
    ids = _holding(found, q) if q else list(found.values_list("pk", flat=True))
    if state == "failing":
        failing = failing_ids()
        ids = [pk for pk in ids if pk in failing]
    return SORTS.get(sort, _by_due)(ids) if ids else []


def owners() -> list[tuple[str, str]]:
    """The characters that have tasks, by name; a deleted one as it was called last."""
    return characters.owners(_names_kept())


@while_unchanged(Task.Store.file)
def _names_kept() -> dict[str, str]:
    return dict(Task.objects.values_list("character_id", "character_name"))


@while_unchanged(Task.Store.file)
def counts() -> dict[str, int]:
    """How many there are in all, active and paused."""
    total, active = Task.objects.count(), Task.objects.filter(active=True).count()
    return {"all": total, "active": active, "paused": total - active}


def failing_ids() -> set[str]:
    """The tasks whose latest run has failed, and those that can't be planned."""
    newest = dict(runs.newest().values_list("task_id", "job_id"))
    failed = Job.objects.filter(pk__in=[pk for pk in newest.values() if pk], state=JobState.FAILED)
    bad = set(failed.values_list("pk", flat=True))
    broken = NextDue.objects.exclude(problem="").values_list("task_id", flat=True)
    return {task_id for task_id, job_id in newest.items() if job_id in bad} | set(broken)


def _holding(found: QuerySet[Task], q: str) -> list[str]:
    """Those that have the words in name, schedule, deed or prompt."""
    wanted, names = q.casefold(), dict(Character.objects.values_list("pk", "name"))
    held = found.values_list("pk", "character_id", "character_name", "type", "schedule", "config")
    return [pk for pk, *told in held if wanted in _words(told, names)]


def _words(told: list[Any], names: dict[str, str]) -> str:
    owner, name, kind, schedule, config = told
    label = LABELS.get(kind, str(kind))
    own = [str(value) for value in config.values()] if isinstance(config, dict) else []
    return "\n".join([names.get(owner, name), label, schedule, *own]).casefold()


def _by_due(ids: Iterable[str]) -> list[str]:
    planned = dict(NextDue.objects.values_list("task_id", "due"))
    active = set(Task.objects.filter(active=True).values_list("pk", flat=True))
    unplanned = [pk for pk in active if pk not in planned][:MOST_UNPLANNED]
    planned |= _worked_out(unplanned)
    return sorted(ids, key=lambda pk: (pk not in active, planned.get(pk) or NEVER))


def _worked_out(ids: list[str]) -> dict[str, datetime | None]:
    clocks, now, found = Clocks.now(), timezone.now(), {}
    for pk, task in Task.objects.in_bulk(ids).items():
        try:
            found[pk] = timetable.of(task, clocks).next(now)
        except Invalid:
            found[pk] = None
    return found


def _by_name(ids: Iterable[str]) -> list[str]:
    names = dict(owners())
    whose = dict(Task.objects.values_list("pk", "character_id"))
    return sorted(ids, key=lambda pk: names.get(whose[pk], "").lower())


def _newest(ids: Iterable[str]) -> list[str]:
    """Of two made at once the later in the file is the newer."""
    made = dict(Task.objects.values_list("pk", "created_at"))
    return sorted(ids, key=lambda pk: made[pk] or LONG_AGO)[::-1]


SORTS: dict[str, Callable[[Iterable[str]], list[str]]] = {"name": _by_name, "newest": _newest}
