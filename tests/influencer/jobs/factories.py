"""Kinds and jobs for tests: a kind's handler is any function given on the spot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from django_q.models import OrmQ

from influencer.jobs import kinds, services
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState, JobStep

Play = Callable[[JobContext], "dict[str, Any] | None"]

PLAYS: dict[str, Play] = {}
HEARD: list[tuple[str, str]] = []
_numbers = count(1)


def play(job: JobContext) -> dict[str, Any] | None:
    return PLAYS[job.kind](job)


def hear(job: Job) -> None:
    HEARD.append((job.id, str(job.state)))


def hear_badly(job: Job) -> None:
    raise RuntimeError("the listener broke")


def nothing(job: JobContext) -> None:
    return None


def a_kind(handler: Play = nothing, **options: Any) -> str:
    name = f"test_{next(_numbers)}"
    PLAYS[name] = handler
    options.setdefault("label", "Image")
    options.setdefault("steps", ("queue", "generate", "save"))
    kinds.register(kinds.Kind(name=name, handler=f"{__name__}.play", **options))
    return name


def a_job(handler: Play = nothing, *, request: dict[str, Any] | None = None, **options: Any) -> Job:
    """A queued job of a kind of its own."""
    return services.start(a_kind(handler, **options), request=request)


def put(job: Job, **fields: Any) -> Job:
    """Set the job's row directly."""
    Job.objects.filter(pk=job.pk).update(**fields)
    return services.get(job.pk)


def running(job: Job, **fields: Any) -> Job:
    now = timezone.now()
    lease = {"heartbeat_at": now, "lease_until": now + timedelta(seconds=40), "started_at": now}
    return put(job, **{"state": JobState.RUNNING, "owner": "default:x:1:a", **lease, **fields})


def abandoned(job: Job, **fields: Any) -> Job:
    """Running, but its worker has been silent for longer than its lease."""
    past = timezone.now() - timedelta(seconds=60)
    return running(job, **{"heartbeat_at": past, "lease_until": past, **fields})


def steps(job: Job) -> dict[str, str]:
    return dict(JobStep.objects.filter(job=job).values_list("name", "state"))


def messages(job: Job) -> list[OrmQ]:
    """What lies in the queue for this job."""
    return [row for row in OrmQ.objects.order_by("pk") if row.name() == job.pk]
