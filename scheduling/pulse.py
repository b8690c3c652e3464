"""Whether the clock and the workers are alive, for the head of the tab."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from influencer.jobs import health
from influencer.jobs.pace import clusters, pace
from influencer.web import zone as dashboard


@dataclass(frozen=True)
class Pulse:
    """When the clock last looked, how many workers answer, and the time of the dashboard's zone."""

    looked_at: datetime | None
    alive: bool
    workers: int
    zone: str
    now: datetime


def current() -> Pulse:
    """As it is at the moment."""
    now, looked = timezone.now(), health.clock_beat()
    alive = looked is not None and now - looked < timedelta(seconds=pace().silence)
    zone = dashboard.current()
    return Pulse(looked, alive, _workers(), zone.key, now.astimezone(zone))


def _workers() -> int:
    """Those of the clusters that answer."""
    return sum(int(has["workers"]) for name, has in clusters().items() if health.cluster_alive(name))
