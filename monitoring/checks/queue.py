"""What works through the jobs: the clock and the clusters of workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from influencer.jobs import health
from influencer.jobs.models import OPEN, Job, JobState, iso
from influencer.jobs.pace import clusters, pace
from monitoring.report import Finding, State
from scheduling.models import Fired, FiredState, NextDue

START = "Start everything with `python3 manage.py up`."
# Sweeps the clock may miss before it counts as late.
MISSED = 3


def scheduler(fresh: bool) -> Finding:
    """Whether the clock looks around, and how far it is behind."""
    now, beat = timezone.now(), health.clock_beat()
    silent = (now - beat).total_seconds() if beat else None
    details = {"lastBeatAt": iso(beat), **_due(now)}
    if silent is None or silent > pace().silence:
        return Finding(State.DOWN, f"The clock does not tick: nothing planned will start. {START}", details)
    if silent > MISSED * pace().sweep:
        message = f"The clock last looked {silent:.0f} s ago. It is started again if it stays silent."
        return Finding(State.DEGRADED, message, details)
    due = details["dueWithinTheHour"]
    plans = f"{due} due within the hour" if due else "nothing due within the hour"
    return Finding(State.OK, f"The clock ticks; {plans}.", details)


def _due(now: datetime) -> dict[str, Any]:
    """What will start within the hour, how late the first of it is, and missed runs nobody decided about."""
    jobs = Job.objects.filter(state=JobState.WAITING, not_before__isnull=False)
    tasks = NextDue.objects.filter(due__isnull=False)
    soon = now + timedelta(hours=1)
    firsts = [jobs.aggregate(first=Min("not_before"))["first"], tasks.aggregate(first=Min("due"))["first"]]
    lag = max((now - first).total_seconds() for first in [*firsts, now] if first)
    return {
        "dueWithinTheHour": jobs.filter(not_before__lte=soon).count() + tasks.filter(due__lte=soon).count(),
        "lagSeconds": round(lag, 1),
        "missed": Fired.objects.filter(state=FiredState.MISSED).count(),
    }


def workers(fresh: bool) -> Finding:
    """Whether each cluster would take up a job now."""
    counts = dict(
        Job.objects.filter(state__in=OPEN).order_by().values_list("state").annotate(number=Count("pk"))
    )
    found = [
        {
            "name": name,
            "workers": int(has["workers"]),
            "alive": health.cluster_alive(name),
            "lastSignAt": iso(health.last_sign(name)),
        }
        for name, has in clusters().items()
    ]
    details = {"clusters": found, **{str(state): counts.get(state, 0) for state in OPEN}}
    silent = [str(cluster["name"]) for cluster in found if not cluster["alive"]]
    if len(silent) == len(found):
        return Finding(State.DOWN, f"No worker answers: jobs stay in the queue. {START}", details)
    if silent:
        message = f"No sign of the workers “{', '.join(silent)}”. `up` starts them again within 90 s."
        return Finding(State.DEGRADED, message, details)
    busy, queued = details["running"], details["queued"]
    return Finding(State.OK, f"All workers answer; {busy} running, {queued} queued.", details)
