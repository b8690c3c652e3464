"""The list of jobs: which are asked for, how many of each kind of state there are, whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from characters.models import Character
from influencer.jobs import kinds, names
from influencer.jobs.models import Job, JobState
from monitoring.forms import JobFilter

PAGE_SIZE = 20
FOLLOWING = Q(state=JobState.WAITING, reason="following")
# What a person means by them: a job whose work goes on elsewhere runs, one in the queue waits.
STATES = {
    "": ("All", Q()),
    "running": ("Running", Q(state=JobState.RUNNING) | FOLLOWING),
    "waiting": ("Waiting", Q(state__in=(JobState.QUEUED, JobState.WAITING)) & ~FOLLOWING),
    "failed": ("Failed", Q(state=JobState.FAILED)),
    "done": ("Done", Q(state__in=(JobState.SUCCEEDED, JobState.CANCELLED))),
}


@dataclass(frozen=True)
class Choice:
    """A state to choose; `count` is None where it says nothing."""

    value: str
    label: str
    count: int | None


@dataclass(frozen=True)
class Row:
    job: Job
    name: str
    open: bool


@dataclass(frozen=True)
class Listing:
    """One page of the jobs that are asked for. `mark` changes when it has to be shown anew."""

    page: Page[str]
    rows: Sequence[Row]
    choices: Sequence[Choice]
    mark: str


def listing(filters: JobFilter, page: str | None) -> Listing:
    # Of ten thousand jobs only the ids are sorted; the few that are shown are fetched then.
    ids = search(**filters.values()).values_list("pk", flat=True)
    shown = Paginator(ids, PAGE_SIZE).get_page(page)
    rows, choices = _rows(list(shown.object_list)), _choices()
    seen = [_told(row.job) for row in rows], [choice.count for choice in choices]
    return Listing(shown, rows, choices, f"{hash(str(seen)) & 0xFFFFFFFF:x}")


def _told(job: Job) -> tuple[object, ...]:
    """What a row says of its job; one that failed may be tried and fail again between two looks."""
    return job.pk, job.state, job.step, job.finished_at, (job.error or {}).get("code")


def _rows(ids: Sequence[str]) -> list[Row]:
    """Open are those at work, and one that was searched for alone."""
    found = Job.objects.in_bulk(ids)
    jobs = [found[pk] for pk in ids if pk in found]
    known = names.names_of(job.character_id for job in jobs)
    rows = [Row(job, known.get(job.character_id, ""), not job.is_final or len(jobs) == 1) for job in jobs]
    prefetch_related_objects([row.job for row in rows if row.open], "steps")
    return rows


def search(*, state: str = "", kind: str = "", character: str = "", q: str = "") -> QuerySet[Job]:
    """The jobs that fit, newest first."""
    found = Job.objects.filter(STATES[state][1])
    if kind:
        found = found.filter(kind=kind)
    if character:
        found = found.filter(character_id=character)
    return found.filter(_holds(q)) if q else found


def _holds(words: str) -> Q:
    """In its id, what it says, what went wrong, its kind's name or its character's."""
    labelled = [kind.name for kind in kinds.registered() if words.lower() in kind.label.lower()]
    named = Character.objects.filter(name__icontains=words).values_list("pk", flat=True)
    texts = Q(pk__icontains=words) | Q(message__icontains=words) | Q(error__message__icontains=words)
    return texts | Q(kind__in=labelled) | Q(character_id__in=list(named))


def _choices() -> list[Choice]:
    """Every state with how many jobs are in it; for all and done that would only grow."""
    counted = {
        name: Count("pk", filter=condition)
        for name, (_, condition) in STATES.items()
        if name in {"running", "waiting"}
    }
    numbers = Job.objects.filter(state__in=(JobState.QUEUED, JobState.WAITING, JobState.RUNNING))
    counts = numbers.order_by().aggregate(**counted)
    counts["failed"] = Job.objects.filter(STATES["failed"][1]).count()
    return [Choice(name, label, counts.get(name)) for name, (label, _) in STATES.items()]
