"""How often things happen (`settings.JOBS` may shorten it for drills), and which clusters there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Pace:
    heartbeat: float = 5.0  # of a running job
    lease: float = 40.0  # without a heartbeat for that long, another worker may take over
    look: float = 1.0  # how often a running job asks whether it is cancelled
    progress: float = 0.5  # least time between two writes of progress
    dispatch: float = 0.5  # of jobs whose time has come
    sweep: float = 5.0  # for dead workers and lost messages
    lost: float = 30.0  # a queued job may be in a cluster's hands that long unseen
    canary: float = 15.0  # a sign of life is asked of each cluster
    silence: float = 45.0  # without one for that long, a cluster counts as dead
    margin: float = 60.0  # before the task's time is up, a job hands over


def pace() -> Pace:
    return Pace(**getattr(settings, "JOBS", {}))


def clusters() -> dict[str, dict[str, Any]]:
    """The settings of each cluster `up` starts, by name."""
    base: dict[str, Any] = dict(settings.Q_CLUSTER)
    alternatives: dict[str, dict[str, Any]] = base.pop("ALT_CLUSTERS", {})
    return {name: {**base, **own} for name, own in alternatives.items()}
