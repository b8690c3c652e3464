"""How many jobs there are at work and in the queue, for the header and a job's own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Max, Q

from influencer.jobs.models import OPEN, Job, JobState


@dataclass(frozen=True)
class Counts:
    """How many jobs are at work, and how many wait in the queue."""

    running: int
    queued: int


def for_header() -> Counts:
    """Cheap: one query over the open jobs' index."""
    found = Job.objects.filter(state__in=OPEN).order_by().values_list("state", "reason").annotate(Count("pk"))
    counts = {(state, reason == "following"): 0 for state in OPEN for reason in ("following", "")}
    for state, reason, count in found:
        counts[state, reason == "following"] += count
    running = sum(counts[JobState.RUNNING, following] for following in (True, False))
    queued = sum(counts[JobState.QUEUED, following] for following in (True, False))
    return Counts(running + counts[JobState.WAITING, True], queued)


def mark() -> str:
    """Another one as soon as a job has begun or ended, also where it did both between two looks."""
    moments = Job.objects.aggregate(created=Max("created_at"), finished=Max("finished_at"))
    at = [moment.timestamp() if moment else 0 for moment in moments.values()]
    return "-".join(map(str, (*at, Job.objects.filter(state__in=OPEN).count())))


def moved_since(mark: str) -> list[str]:
    """Whose jobs are at work, begun or ended since that mark was made; nobody's where it is none.

    Those at work, too: one that is tried again has begun long ago.
    """
    try:
        created, finished = (datetime.fromtimestamp(float(at), UTC) for at in mark.split("-")[:2])
    except (ValueError, OverflowError, OSError):
        return []
    since = Q(created_at__gt=created) | Q(finished_at__gt=finished)
    moved = Job.objects.filter(since | Q(state__in=OPEN))
    return list(moved.exclude(character_id="").order_by().values_list("character_id", flat=True).distinct())


def queue_position(job: Job) -> int:
    """Its place among the queued jobs of its cluster, 1 being next."""
    ahead = Job.objects.filter(state=JobState.QUEUED, cluster=job.cluster, created_at__lt=job.created_at)
    return ahead.count() + 1
