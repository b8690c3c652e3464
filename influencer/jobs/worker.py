"""The worker's shell: claim a job, keep its lease, run its handler, write how it ended."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from datetime import timedelta
from types import TracebackType

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.exceptions import TimeoutException

from influencer.errors import Problem
from influencer.jobs import failures, kinds, queue
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import Cancelled, LostLease, Wait
from influencer.jobs.models import Job, JobState
from influencer.jobs.pace import pace

log = logging.getLogger(__name__)

HERE = "here"
MOST_CRASHES = 5


def run(job_id: str, *, where: str = HERE, seconds: int | None = None) -> bool:
    """Run one attempt at the job in this process; False when it was not to be had.

    `where` is the cluster this process belongs to; `seconds` is the time its task may take.
    However often the same id is delivered, only one attempt runs at a time.
    """
    if where != HERE and queue.is_stopping():
        _leave_for_the_next(job_id)
        return False
    job = claim(job_id, where)
    if job is None:
        log.debug("job %s is not to be had", job_id)
        return False
    context = _context(job, where, seconds)
    began = time.monotonic()
    try:
        with Heartbeat(context):
            attempt(context, job.spec, seconds)
    except LostLease:
        log.warning("job %s was taken over by another worker", job_id)
    log.info("job %s %s attempt %d, %d ms", job_id, job.kind, job.attempts, (time.monotonic() - began) * 1000)
    return True


def claim(job_id: str, where: str) -> Job | None:
    """Make the job this worker's, if it is free: queued, due, or its worker silent beyond the lease."""
    now = timezone.now()
    owner = f"{where}:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:120]
    fields = {
        "state": JobState.RUNNING,
        "owner": owner,
        "heartbeat_at": now,
        "lease_until": now + timedelta(seconds=pace().lease),
        "attempts": F("attempts") + 1,
        "started_at": Coalesce(F("started_at"), now),
        **{"until": None, "not_before": None, "reason": "", "seconds_left": None},
    }
    rows = Job.objects.filter(pk=job_id)
    free = rows.filter(Q(state=JobState.QUEUED) | Q(state=JobState.WAITING, not_before__lte=now))
    dead = rows.filter(state=JobState.RUNNING, lease_until__lt=now, crashes__lt=MOST_CRASHES - 1)
    if free.update(**fields) or dead.update(**fields, crashes=F("crashes") + 1):
        return Job.objects.filter(pk=job_id, owner=owner).first()
    return None


def attempt(context: JobContext, kind: kinds.Kind, seconds: int | None = None) -> None:
    """Run the handler and write what became of the job. Raises `LostLease`."""
    try:
        _work(context, kind)
    except Wait as wait:
        context.wait(wait.until, wait.reason, wait.message)
    except Cancelled:
        context.cancel()
    except LostLease:
        raise
    except Problem as problem:
        error = failures.describe(problem, context.running_step)
        log.warning("job %s failed at %s: %s", context.id, context.running_step or "start", error["code"])
        context.fail(error)
    except TimeoutException:
        log.error("job %s took too long at %s", context.id, context.running_step or "start")
        context.fail(failures.timed_out(context.running_step, seconds or 0))
    except Exception:  # the one place where nothing may pass
        log.exception("job %s failed at %s", context.id, context.running_step or "start")
        context.fail(failures.internal(context.running_step))


def _work(context: JobContext, kind: kinds.Kind) -> None:
    if not kind.handler:
        context.fail(failures.unknown_kind(kind.name))
        return
    result = import_string(kind.handler)(context)
    if not context.finished:
        context.finish(result)


def _context(job: Job, where: str, seconds: int | None) -> JobContext:
    deadline = timezone.now() + timedelta(seconds=seconds - pace().margin) if seconds else None
    stopping = {"stopping": queue.is_stopping} if where != HERE else {}
    return JobContext(job, soft_deadline=deadline, **stopping)


def _leave_for_the_next(job_id: str) -> None:
    """A cluster that stops still empties its hands: give the job back to the queue."""
    with transaction.atomic():
        job = Job.objects.filter(pk=job_id, state=JobState.QUEUED).first()
        if job:
            queue.deliver(job.id, job.cluster, timezone.now())


class Heartbeat:
    """Keeps the lease while the handler works, from a thread with its own short connections."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {context.id}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(1)

    def _beat(self) -> None:
        while not self._stop.wait(pace().heartbeat):
            try:
                self._context.renew()
            except LostLease:
                return
            except DatabaseError as error:
                log.warning("job %s: no heartbeat: %s", self._context.id, error)
            finally:
                connection.close()
