"""What ran, day by day, for a calendar: the first entries of each and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Max, Min, QuerySet

from characters.images.models import Image
from influencer.jobs.models import Job, JobState
from scheduling import runs
from scheduling.foresight import MOST_APART
from scheduling.models import Fired
from scheduling.runs import Run

# So many lines of one period are read as they are; of more, each day is counted by the database.
MOST_READ = 400
# How many lines tell whether a day begins with tasks that run often.
PEEK = 60

Bounds = tuple[date, datetime, datetime]


@dataclass(frozen=True)
class Happened:
    """One run, or the latest of the `count` of its task that day; the image it made."""

    run: Run
    count: int = 1
    image: Image | None = None


@dataclass(frozen=True)
class Past:
    """The first entries of a day, how many there are, and how many runs among the rest have failed."""

    first: list[Happened] = field(default_factory=list)
    total: int = 0
    failed: int = 0


NOTHING = Past()


@dataclass(frozen=True)
class _Group:
    """What is one entry: the number of its row, and of how many."""

    pk: int
    first: datetime
    count: int = 1


def by_day(days: Sequence[Bounds], *, most: int, character: str = "") -> dict[date, Past]:
    """The past of each day (with its beginning and end); days without any are left out."""
    if not days:
        return {}
    rows = Fired.objects.filter(character_id=character) if character else Fired.objects.all()
    period = rows.filter(due__gte=days[0][1], due__lt=days[-1][2]).order_by("due", "pk")
    read = list(period.values_list("pk", "task_id", "due", "job_id")[: MOST_READ + 1])
    if len(read) > MOST_READ:
        begun = [bounds for bounds in days if bounds[2] > read[0][2]]
        counted = {day: _counted(rows.filter(due__gte=start, due__lt=end), most) for day, start, end in begun}
        return _filled({day: found for day, found in counted.items() if found[1]})
    return _filled(_sorted_in(read, days, most))


Found = tuple[list[_Group], int, list[str]]


def _sorted_in(
    read: Sequence[tuple[int, str, datetime, str]], days: Sequence[Bounds], most: int
) -> dict[date, Found]:
    found: dict[date, Found] = {}
    for day, start, end in days:
        of_day = [row for row in read if start <= row[2] < end]
        by_task: dict[str, list[tuple[int, datetime, str]]] = {}
        for pk, task_id, due, job_id in of_day:
            by_task.setdefault(task_id, []).append((pk, due, job_id))
        groups = sorted(_groups(by_task), key=lambda group: group.first)
        shown = {group.pk for group in groups[:most]}
        hidden = [job_id for pk, _, _, job_id in of_day if job_id and pk not in shown]
        if groups:
            found[day] = groups[:most], len(groups), hidden
    return found


def _groups(by_task: dict[str, list[tuple[int, datetime, str]]]) -> list[_Group]:
    found = []
    for rows in by_task.values():
        if len(rows) > MOST_APART:
            found.append(_Group(max(pk for pk, _, _ in rows), rows[0][1], len(rows)))
        else:
            found += [_Group(pk, due) for pk, due, _ in rows]
    return found


def _counted(rows: QuerySet[Fired], most: int) -> Found:
    """The same where a day has many: its beginning tells the first entries, the database counts the rest."""
    begin = list(rows.order_by("due", "pk").values_list("pk", "task_id", "due")[:PEEK])
    by_task = Counter(task_id for _, task_id, _ in begin)
    if len(begin) == PEEK and (len(by_task) < most or max(by_task.values()) > MOST_APART):
        return _by_task(rows, most)
    groups = [_Group(pk, due) for pk, _, due in begin[:most]]
    return groups, rows.order_by().count() if len(begin) > most else len(begin), []


def _by_task(rows: QuerySet[Fired], most: int) -> Found:
    """Each task of the day is one entry."""
    told = rows.order_by().values("task_id").annotate(n=Count("pk"), first=Min("due"), newest=Max("pk"))
    groups = [_Group(one["newest"], one["first"], one["n"]) for one in told.order_by("first")[:most]]
    total = rows.order_by().values("task_id").distinct().count() if len(groups) == most else len(groups)
    return groups, total, []


def _filled(found: dict[date, Found]) -> dict[date, Past]:
    """With jobs, states and images, by one question each."""
    groups = [group for shown, _, _ in found.values() for group in shown]
    rows = Fired.objects.in_bulk([group.pk for group in groups])
    shown = {run.fired.pk: run for run in runs.with_jobs(list(rows.values()))}
    pictures = _images(list(shown.values()))
    hidden = [job_id for _, _, jobs in found.values() for job_id in jobs]
    failed = set(Job.objects.filter(pk__in=hidden, state=JobState.FAILED).values_list("pk", flat=True))
    return {
        day: Past(
            [Happened(shown[one.pk], one.count, pictures.get(one.pk)) for one in first if one.pk in shown],
            total,
            sum(job_id in failed for job_id in jobs),
        )
        for day, (first, total, jobs) in found.items()
    }


def _images(shown: Sequence[Run]) -> dict[int, Image]:
    """The first image each run has made, by the number of its row."""
    firsts = {run.fired.pk: ids[0] for run in shown if run.job and (ids := _image_ids(run.job))}
    found = Image.objects.in_bulk(list(set(firsts.values())))
    return {pk: found[image_id] for pk, image_id in firsts.items() if image_id in found}


def _image_ids(job: Job) -> list[str]:
    """What it has made, or has at hand while it waits for review."""
    return (job.result or {}).get("imageIds") or job.memo.get("image_ids") or []
