"""The clock's side of the watch over the clusters: it can ask the database."""

from __future__ import annotations

from datetime import datetime

from influencer import paths
from influencer.jobs import clock, health
from influencer.jobs.supervisor import cluster_watch


def connect() -> None:
    clock.register_tick(report, every=5)


def report(now: datetime) -> None:
    """Leave word about stuck clusters for the supervisor."""
    cluster_watch.write(paths.run(), health.stale_clusters(now))
