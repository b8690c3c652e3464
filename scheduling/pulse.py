"""Whether the clock and the workers are alive, for the head of the tab."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from influencer import paths
from influencer.jobs import health
from influencer.jobs.models import OPEN, Job
from influencer.jobs.pace import clusters, pace
from influencer.web import zone as dashboard
from scheduling import runs
from scheduling.models import Fired, Task


@dataclass(frozen=True)
class Pulse:
    """When the clock last looked, how many workers answer, the time of the dashboard's zone.

    And how many runs wait for review, or were missed and want a decision.

    `mark` is another one as soon as a task, a run or the state of a run is.
    """

    looked_at: datetime | None
    alive: bool
    workers: int
    zone: str
    now: datetime
    review: int
    missed: int
    mark: str


def current() -> Pulse:
    """As it is at the moment."""
    now, looked = timezone.now(), health.clock_beat()
    alive = looked is not None and now - looked < timedelta(seconds=pace().silence)
    zone, missed = dashboard.current(), runs.missed().count()
    return Pulse(
        looked_at=looked,
        alive=alive,
        workers=_workers(),
        zone=zone.key,
        now=now.astimezone(zone),
        review=runs.waiting_for_review().count(),
        missed=missed,
        mark=_mark(missed),
    )


def _mark(missed: int) -> str:
    newest = Fired.objects.aggregate(newest=Max("pk"))["newest"]
    open_jobs = sorted(Job.objects.filter(state__in=OPEN).order_by().values_list("pk", "state", "reason"))
    # A run may come and go between two looks.
    ended = Job.objects.aggregate(last=Max("finished_at"))["last"]
    said = (newest, missed, open_jobs, ended, _saved())
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def _saved() -> int:
    """When the tasks were saved last, by whomever."""
    try:
        return (paths.data_dir() / Task.Store.file).stat().st_mtime_ns
    except OSError:
        return 0


def _workers() -> int:
    """Those of the clusters that answer."""
    return sum(int(has["workers"]) for name, has in clusters().items() if health.cluster_alive(name))
