"""What the clock does with jobs: start those whose time has come, and pick up what was dropped."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django_q.models import Failure

from influencer.jobs import failures, previews, queue
from influencer.jobs.ending import end
from influencer.jobs.models import OPEN, Job, JobState
from influencer.jobs.pace import pace
from influencer.jobs.worker import MOST_CRASHES

log = logging.getLogger(__name__)

AT_ONCE = 200
LONGEST_QUEUE = 5000
KEEP_FAILURES = timedelta(days=30)


def dispatch_due(now: datetime) -> int:
    """Queue the waiting jobs whose time has come; how many."""
    due = Job.objects.filter(state=JobState.WAITING, not_before__lte=now).order_by("not_before")
    found = list(due.values_list("pk", "cluster")[:AT_ONCE])
    return sum(dispatch(job_id, cluster, now) for job_id, cluster in found)


def dispatch(job_id: str, cluster: str, now: datetime) -> bool:
    with transaction.atomic():
        due = Job.objects.filter(pk=job_id, state=JobState.WAITING, not_before__lte=now)
        if not due.update(state=JobState.QUEUED, until=None, not_before=None):
            return False
        queue.deliver(job_id, cluster, now)
    return True


def sweep(now: datetime) -> int:
    """Queue what a dead worker left, and what the queue lost; how many."""
    return requeue_orphans(now) + redeliver_lost(now)


def requeue_orphans(now: datetime) -> int:
    """Running jobs whose worker is silent beyond the lease: once more, or failed after too many."""
    orphans = list(Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now)[:AT_ONCE])
    return sum(_requeue(job, now) for job in orphans)


def _requeue(job: Job, now: datetime) -> bool:
    rows = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, owner=job.owner, lease_until__lt=now)
    crashes = job.crashes + 1
    log.warning("job %s: its worker is gone (%d of %d)", job.id, crashes, MOST_CRASHES)
    if crashes >= MOST_CRASHES:
        error = failures.worker_died(job.step, crashes)
        return end(rows, JobState.FAILED, error=error, crashes=crashes) is not None
    with transaction.atomic():
        # What it had begun elsewhere may still go on there.
        back = {"state": JobState.QUEUED, "owner": "", "lease_until": None, "reason": "following"}
        if not rows.update(**back, crashes=F("crashes") + 1):
            return False
        queue.deliver(job.id, job.cluster, now)
    return True


def redeliver_lost(now: datetime) -> int:
    """Queued jobs whose message is lost, or in the hands of a cluster that may be dead.

    A message too many does no harm: a job is claimed only once.
    """
    since = now - timedelta(seconds=pace().lost)
    queued = Job.objects.filter(state=JobState.QUEUED, delivered_at__lt=since).order_by("delivered_at")
    found = list(queued.values_list("pk", "cluster", "delivery")[:LONGEST_QUEUE])
    unseen = queue.taken_or_gone([row or 0 for _, _, row in found], now)
    lost = [(job_id, cluster, row or 0) for job_id, cluster, row in found if (row or 0) in unseen]
    return sum(_redeliver(job_id, cluster, row, now) for job_id, cluster, row in lost)


def _redeliver(job_id: str, cluster: str, row: int, now: datetime) -> bool:
    with transaction.atomic():
        if not Job.objects.filter(pk=job_id, state=JobState.QUEUED, delivery=row).exists():
            return False
        queue.deliver(job_id, cluster, now)
    return True


def prune(now: datetime) -> None:
    """The queue keeps failed tasks for ever (the jobs tell the same better), and previews may be left."""
    Failure.objects.filter(stopped__lt=now - KEEP_FAILURES).delete()
    previews.keep_only(set(Job.objects.filter(state__in=OPEN).values_list("pk", flat=True)))
