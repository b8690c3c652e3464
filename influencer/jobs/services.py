"""Everything one can do with a job from outside: start, cancel, retry, wait for it, run it here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from influencer.errors import Conflict, NotFound, TookTooLong
from influencer.jobs import failures, health, kinds, queue, sweep, worker
from influencer.jobs.ending import end, on_finished
from influencer.jobs.models import FINAL, OPEN, Job, JobState, JobStep, StepState

__all__ = [
    "cancel",
    "cancel_for_character",
    "cleared_up",
    "get",
    "is_open",
    "on_finished",
    "require_worker",
    "result_of",
    "retry",
    "run_here",
    "start",
    "start_and_wait",
    "wait_for",
    "wake",
    "working_here",
    "works_here",
]

POLL = 0.05
_here: ContextVar[bool] = ContextVar("jobs_working_here", default=False)


def start(
    kind: str,
    *,
    character_id: str = "",
    request: dict[str, Any] | None = None,
    user_id: int | None = None,
    not_before: datetime | None = None,
) -> Job:
    """Record a job and queue it, in one transaction; milliseconds, no network.

    `request` holds ids and plain values, never a secret. With `not_before` in the future
    the job waits until then. Raises `KeyError` for an unknown kind.
    """
    spec, now = kinds.get(kind), timezone.now()
    job = Job(
        kind=kind, character_id=character_id, request=request or {}, user_id=user_id, cluster=spec.cluster
    )
    if not_before and not_before > now:
        job.state, job.reason = JobState.WAITING, "scheduled"
        job.until = job.not_before = not_before
    with transaction.atomic():
        job.save(force_insert=True)
        steps = [JobStep(job=job, position=place, name=name) for place, name in enumerate(spec.steps)]
        JobStep.objects.bulk_create(steps)
        if job.state == JobState.QUEUED:
            queue.deliver(job.id, job.cluster, now)
    return job


def get(job_id: str) -> Job:
    """The job with its steps; `NotFound`."""
    job = Job.objects.prefetch_related("steps").filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


# --- changing its course ---------------------------------------------------------------------


def cancel(job_id: str) -> Job:
    """Cancel the job: at once if nobody works on it, else its worker is told within a second.

    One whose work goes on elsewhere is given to its handler once more, to stop it there.
    Raises `Conflict`: "too_late" from the kind's `cancellable_until` on, "already_finished".
    """
    with transaction.atomic():
        job, now = _held(job_id), timezone.now()
        if job.state == JobState.CANCELLED:
            return job
        if job.is_final:
            raise Conflict("This job has finished; there is nothing to cancel.", code="already_finished")
        if job.is_late:
            raise Conflict("It is too late to cancel: the last step has begun.", code="too_late")
        rows = Job.objects.filter(pk=job_id)
        if job.state != JobState.RUNNING and not job.is_following:
            end(rows, JobState.CANCELLED, cancel_requested_at=now)
        else:
            rows.filter(cancel_requested_at__isnull=True).update(cancel_requested_at=now)
            rows.filter(state=JobState.WAITING).update(not_before=now)
    return get(job_id)


def cancel_for_character(character_id: str) -> int:
    """Cancel what still can be of the character's jobs; how many."""
    count = 0
    for job_id in Job.objects.filter(character_id=character_id, state__in=OPEN).values_list("pk", flat=True):
        try:
            cancel(job_id)
            count += 1
        except Conflict:
            continue
    return count


def retry(job_id: str, *, resolved: bool = False) -> Job:
    """Queue a failed or cancelled job again, from the step it failed at; done steps stay done.

    A job with an unknown outcome is refused unless `resolved` says that it was cleared up.
    Raises `Conflict`: "not_failed", "outcome_unknown".
    """
    with transaction.atomic():
        job, now = _held(job_id), timezone.now()
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict("Only a failed or cancelled job can be retried.", code="not_failed")
        if not resolved and (job.error or {}).get("code") == failures.UNKNOWN:
            message = "Nobody knows yet whether it was done. Say what happened first."
            raise Conflict(message, code=failures.UNKNOWN)
        _begin_again(job_id)
        queue.deliver(job_id, job.cluster, now)
    return get(job_id)


def cleared_up(job_id: str, error: dict[str, Any]) -> None:
    """What a failed job with an unknown outcome has come to, as somebody found out: `error` takes its place.

    From then on it can be retried like any other.
    """
    fields = {
        "step": "",
        "service": "",
        "code": "",
        "message": "",
        "fix": "",
        "retryable": True,
        "status": 409,
    }
    Job.objects.filter(pk=job_id, state=JobState.FAILED).update(error={**fields, **error})


def is_open(job_id: str) -> bool:
    """Whether the job still goes on, or will."""
    return Job.objects.filter(pk=job_id, state__in=OPEN).exists()


def wake(job_id: str) -> Job:
    """Start a waiting job now instead of when its time comes; any other is left alone."""
    now = timezone.now()
    with transaction.atomic():
        job = _held(job_id)
        if Job.objects.filter(pk=job_id, state=JobState.WAITING).update(not_before=now):
            sweep.dispatch(job_id, job.cluster, now)
    return get(job_id)


def _held(job_id: str) -> Job:
    """The job, unchanged by others until the transaction ends."""
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def _begin_again(job_id: str) -> None:
    Job.objects.filter(pk=job_id).update(
        state=JobState.QUEUED,
        progress=0,
        crashes=0,
        **dict.fromkeys(("step", "message", "reason", "owner"), ""),
        **dict.fromkeys(("error", "result", "cancel_requested_at", "finished_at", "not_before", "until")),
    )
    again = JobStep.objects.filter(job_id=job_id).exclude(state=StepState.SUCCEEDED)
    again.update(state=StepState.PENDING, started_at=None, finished_at=None, error=None)


# --- waiting for it --------------------------------------------------------------------------


def require_worker(cluster: str) -> None:
    """Raise `Unavailable("no_worker")` when no live worker serves the cluster."""
    if not _here.get():
        health.require_worker(cluster)


def wait_for(job_id: str, *, seconds: float) -> Job:
    """The job once it has ended, however it did; no database connection is held meanwhile.

    Raises `TookTooLong` after `seconds`, or at once when the job waits for a later time or
    for a person; the job goes on.
    """
    if _here.get():
        run_here(job_id, patience=seconds)
    last = timezone.now() + timedelta(seconds=seconds)
    while True:
        # No more than this is asked for until it has ended.
        found = Job.objects.filter(pk=job_id).values_list("state", "until").first()
        if found is None or found[0] in FINAL:
            return get(job_id)
        waits = found[0] == JobState.WAITING and (found[1] is None or found[1] > last)
        if waits or timezone.now() >= last:
            raise TookTooLong("It takes longer; the job goes on.", retryable=True, details={"jobId": job_id})
        _let_go()
        time.sleep(POLL)


def result_of(job: Job) -> dict[str, Any]:
    """What the job made. Raises what it failed with, or `Conflict("cancelled")`."""
    if job.state == JobState.FAILED:
        error = failures.of_job(job.error, job.step)
        problem = failures.problem_of(error)
        problem.details = {"jobId": job.id, **{name: error[name] for name in ("step", "service", "fix")}}
        raise problem
    if job.state == JobState.CANCELLED:
        raise Conflict("The job was cancelled.", code="cancelled", details={"jobId": job.id})
    return dict(job.result or {})


def start_and_wait(kind: str, *, seconds: float, **job: Any) -> Job:
    """Start a job and wait for its end: by a live worker, or in this process when there is none."""
    started = start(kind, **job)
    if health.cluster_alive(started.cluster):
        return wait_for(started.id, seconds=seconds)
    with working_here():
        return wait_for(started.id, seconds=seconds)


@contextmanager
def working_here() -> Iterator[None]:
    """Inside, `wait_for` runs the job in this process and no worker is required (commands without `up`)."""
    token = _here.set(True)
    try:
        yield
    finally:
        _here.reset(token)


def works_here() -> bool:
    """Whether `wait_for` runs jobs in this process."""
    return _here.get()


def run_here(job_id: str, *, patience: float = 300) -> Job:
    """Run the job in this process, through waits that end within `patience` seconds.

    If a worker has it already, it is left to that worker. Ctrl-C cancels it where that is possible.
    """
    last = timezone.now() + timedelta(seconds=patience)
    try:
        while worker.run(job_id):
            job = get(job_id)
            if job.state != JobState.WAITING or job.until is None or job.until > last:
                return job
            time.sleep(max((job.until - timezone.now()).total_seconds(), 0))
    except KeyboardInterrupt:
        rows = Job.objects.filter(pk=job_id, state=JobState.RUNNING, owner__startswith=f"{worker.HERE}:")
        end(rows.exclude(step__in=get(job_id).spec.late_steps), JobState.CANCELLED)
        raise
    return get(job_id)


def _let_go() -> None:
    """Hold no connection while waiting; inside a transaction there is none to let go."""
    if not connection.in_atomic_block:
        connection.close()
