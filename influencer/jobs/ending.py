"""The one way a job ends: state, steps, listeners and preview together."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from influencer.jobs import previews
from influencer.jobs.models import Job, JobState, JobStep, StepState

log = logging.getLogger(__name__)

_listeners: dict[str, list[str]] = {}


def on_finished(kind: str, listener: str) -> None:
    """Call `listener(job)` (a dotted name) in the transaction that ends a job of that kind; "*" is any."""
    names = _listeners.setdefault(kind, [])
    if listener not in names:
        names.append(listener)


def end(rows: QuerySet[Job], state: JobState, **fields: Any) -> Job | None:
    """End the one job in `rows`, if it is still there; None when someone was faster.

    `rows` carries the condition (state, owner) under which the caller may do so.
    """
    with transaction.atomic():
        now = timezone.now()
        job_id = rows.values_list("pk", flat=True).first()
        closed = {"state": state, "finished_at": now, "owner": "", "lease_until": None, "until": None}
        closed |= {"not_before": None, "reason": "", "seconds_left": None}
        if job_id is None or not rows.update(**closed, **fields):
            return None
        job = Job.objects.get(pk=job_id)
        _close_steps(job)
        _tell(job)
        transaction.on_commit(partial(previews.remove, job_id))
    log.info("job %s %s %s in %d attempts", job.id, job.kind, job.state, job.attempts)
    return job


def _close_steps(job: Job) -> None:
    """A step at work ends like its job; one not begun stays so, unless the job succeeded without it."""
    began = job.steps.filter(state__in=(StepState.RUNNING, StepState.WAITING))
    finished_at = Coalesce(F("finished_at"), timezone.now())
    error = job.error if job.state == JobState.FAILED else None
    began.update(state=StepState(job.state), finished_at=finished_at, error=error)
    if job.state == JobState.SUCCEEDED:
        JobStep.objects.filter(job=job, state=StepState.PENDING).update(state=StepState.SKIPPED)


def _tell(job: Job) -> None:
    own = [job.spec.on_finished] if job.spec.on_finished else []
    for name in [*own, *_listeners.get(job.kind, ()), *_listeners.get("*", ())]:
        try:
            with transaction.atomic():
                import_string(name)(job)
        except Exception:  # whoever listens must not keep a job from ending
            log.exception("job %s: listener %s failed", job.id, name)
