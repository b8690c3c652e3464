"""The jobs a run starts for its parts: following them, waking up when they end, stopping them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from influencer.errors import Conflict, NotFound, TookTooLong
from influencer.jobs import Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState
from scheduling import runs

PARTS = ("generate_image", "publish_post", "train_lora")
# A run is woken when its part ends; it looks by itself this often, to show how far it is.
LOOK_AGAIN = timedelta(seconds=3)
PATIENCE_HERE = 3600.0


def connect() -> None:
    """Hear of the end of every job that may be part of a run."""
    for kind in PARTS:
        jobs.on_finished(kind, "scheduling.children.ended")


def follow(job: JobContext, child: Job, what: str, *, look_again: timedelta = LOOK_AGAIN) -> Job:
    """The child once it has ended. Raises `Wait` until then, so that no worker is held meanwhile."""
    if jobs.works_here() and not child.is_final:
        with suppress(TookTooLong):
            child = jobs.wait_for(child.pk, seconds=PATIENCE_HERE)
    if child.is_final:
        return child
    message = f"{what}: {child.message or 'queued'}"
    job.remember(following=child.pk)
    job.progress(child.progress, message)
    raise Wait(timezone.now() + look_again, "following", message)


def ended(child: Job) -> None:
    """Start the run that waits for this part, at once."""
    waiting = Job.objects.filter(
        kind__in=runs.WITH_PARTS, state=JobState.WAITING, reason="following", memo__following=child.pk
    )
    for parent in waiting.values_list("pk", flat=True):
        jobs.wake(parent)


def stop(job: JobContext) -> None:
    """Cancel the part that is still at work, where that is possible."""
    child = job.memo.get("following")
    if child:
        with suppress(Conflict, NotFound):
            jobs.cancel(child)
