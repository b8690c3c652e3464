"""The publishing job: have an image, then deliver it; what the ledger says when it ends."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from characters import services as characters
from characters.images import generation
from characters.images import services as images
from characters.images.planning import Wish
from characters.publishing import delivery, links, setbacks
from characters.publishing.models import Post, PostState
from influencer.errors import Conflict, Problem
from influencer.jobs import Cancelled, Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState

LOOK_AT_CHILD = timedelta(seconds=0.6)
CANCELLED = {"code": "cancelled", "message": "Cancelled before anything went out.", "fix": ""}


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part; a later attempt goes on where the ledger says."""
    post = Post.objects.get(pk=job.request["postId"])
    if post.state == PostState.FAILED:
        _begin_again(job, post)
    try:
        with job.step("image"):
            _have_image(job, post)
        delivery.deliver(job, post)
    except Cancelled:
        _cancel_child(job)
        _close(post, CANCELLED)
        raise
    except Problem as problem:
        ending = setbacks.unknown(post, problem) if post.is_unsure else problem
        fix = getattr(ending, "fix", "")
        _close(post, {"code": str(ending.code), "message": ending.message, "fix": fix})
        raise ending from problem
    return {"postId": post.pk, "permalink": post.permalink, "sandbox": post.sandbox}


def _begin_again(job: JobContext, post: Post) -> None:
    """A retry has all its tries before it."""
    job.remember(tries={}, polls=0)
    post.state, post.error = PostState.RESERVED, None
    post.save(update_fields=["state", "error", "updated_at"])


def finished(job: Job) -> None:
    """However the job ended, the ledger knows: a post that was never sent is not left waiting."""
    post = Post.objects.filter(pk=job.request.get("postId")).first()
    if post is None:
        return
    links.revoke(post)
    if job.state == JobState.CANCELLED and not post.is_final:
        _close(post, CANCELLED)
    elif job.state == JobState.FAILED and not post.is_final:
        error = job.error or {}
        _close(post, {name: error.get(name, "") for name in ("code", "message", "fix")})


def _close(post: Post, error: dict[str, str]) -> None:
    """The ledger says how it ended. What may have gone out is unknown, whatever ended the job."""
    if post.state == PostState.PUBLISHED:
        return
    post.state = PostState.UNKNOWN if post.is_unsure else PostState.FAILED
    post.error = error
    post.save(update_fields=["state", "error", "updated_at"])
    links.revoke(post)


def _have_image(job: JobContext, post: Post) -> None:
    """Take the chosen image, or have one made by a job of its own."""
    if post.image_id:
        return
    child = _child(job)
    if not child.is_final:
        job.check_cancelled()
        job.progress(0.6 * child.progress, child.message)
        raise Wait(timezone.now() + LOOK_AT_CHILD, "following", f"Image: {child.message or 'queued'}")
    try:
        image = images.get(jobs.result_of(child)["imageIds"][0])
    except Problem:
        job.remember(child="")  # a retry makes a new one
        raise
    post.image_id, post.image_hash = image.pk, image.pixel_hash
    post.save(update_fields=["image_id", "image_hash", "updated_at"])


def _child(job: JobContext) -> Job:
    """The job that makes the image; started once, however often this is asked."""
    if not job.memo.get("child"):
        character = characters.get(job.character_id)
        with transaction.atomic():
            child = generation.start(character, Wish(**job.request["wish"]), user_id=job.user_id)
            job.remember(child=child.pk)
    return jobs.get(job.memo["child"])


def _cancel_child(job: JobContext) -> None:
    if job.memo.get("child"):
        with suppress(Conflict):  # it has ended
            jobs.cancel(job.memo["child"])
