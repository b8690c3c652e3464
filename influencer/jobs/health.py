"""Signs of life: of the clock, and of each cluster from its queue to its last process.

A cluster is asked by a task that does nothing. It has answered when the cluster's *last*
process has put that task away: a worker that still works proves nothing about the others.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from influencer.errors import Unavailable
from influencer.jobs import queue
from influencer.jobs.models import Beat, Job, JobState
from influencer.jobs.pace import clusters, pace

log = logging.getLogger(__name__)

CLOCK = "clock"


def beat(name: str, now: datetime | None = None) -> None:
    """Note a sign of life of the clock or a cluster."""
    seen = {"seen_at": now or timezone.now(), "asked_at": None}
    Beat.objects.update_or_create(name=name, defaults=seen)


def clock_beat() -> datetime | None:
    """When the clock last looked."""
    return Beat.objects.filter(name=CLOCK).values_list("seen_at", flat=True).first()


def last_sign(cluster: str) -> datetime | None:
    """When the cluster last answered, or a job in it last beat."""
    signs = [
        Beat.objects.filter(name=cluster).values_list("seen_at", flat=True).first(),
        _last_heartbeat(cluster),
    ]
    return max((sign for sign in signs if sign), default=None)


def cluster_alive(name: str) -> bool:
    """Whether a job given to this cluster now would be taken up."""
    sign = last_sign(name)
    return sign is not None and timezone.now() - sign < _silence()


def require_worker(cluster: str) -> None:
    """Raise `Unavailable("no_worker")` when no live worker serves the cluster."""
    if not cluster_alive(cluster):
        raise Unavailable("No worker answers. Start them with `up`.", code="no_worker", retryable=True)


def stale_clusters(now: datetime | None = None) -> list[str]:
    """The clusters that were asked for a sign of life and owe it for too long.

    Judges only what was asked, so a clock that stood still condemns no one. Empty when
    the database can't be read. A cluster that has just been started needs a grace of 30 s.
    """
    limit = (now or timezone.now()) - _silence()
    try:
        owing = Beat.objects.filter(asked_at__lte=limit, name__in=clusters())
        return [beat.name for beat in owing if (_last_heartbeat(beat.name) or limit) <= limit]
    except DatabaseError as error:
        log.warning("can't tell which clusters live: %s", error)
        return []


def ask(cluster: str, now: datetime) -> None:
    """Ask the cluster for a sign of life; at most one question lies in its queue at a time."""
    with transaction.atomic():
        known, _ = Beat.objects.get_or_create(name=cluster)
        if known.asked_at is None:
            known.asked_at = now
        if known.canary is None or not queue.offer_again(known.canary, now):
            known.canary = queue.ask_canary(cluster)
        known.save(update_fields=["asked_at", "canary"])


def forget_questions(now: datetime) -> None:
    """Count the silence of every cluster from now: nobody could hear while no clock ran."""
    Beat.objects.filter(asked_at__isnull=False).update(asked_at=now)


def _last_heartbeat(cluster: str) -> datetime | None:
    """Of the jobs running in that cluster's own workers."""
    running = Job.objects.filter(state=JobState.RUNNING, owner__startswith=f"{cluster}:")
    return running.order_by("-heartbeat_at").values_list("heartbeat_at", flat=True).first()


def _silence() -> timedelta:
    return timedelta(seconds=pace().silence)
