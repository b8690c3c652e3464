"""The publishing job: have an image, then deliver it; what the ledger says when it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.exceptions import TimeoutException

from characters import services as characters
from characters.images import generation
from characters.images import services as images
from characters.images.planning import Wish
from characters.publishing import delivery, ledger, setbacks
from characters.publishing.checks import preflight, rules
from characters.publishing.media import links, sweeping
from characters.publishing.models import FINAL, Post, PostState
from characters.publishing.pace import pace
from influencer.errors import Conflict, Problem
from influencer.jobs import Cancelled, Wait, clock
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.failures import UNKNOWN
from influencer.jobs.interrupts import Interrupt
from influencer.jobs.models import OPEN, Job, JobState

log = logging.getLogger(__name__)

LOOK_AT_CHILD = timedelta(seconds=0.6)
CANCELLED = {"code": "cancelled", "message": "Cancelled before anything went out.", "fix": ""}
JOB_LOST = {"code": "job_lost", "message": "Its job has ended without it.", "fix": "Post it again."}


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part; a later attempt goes on where the ledger says."""
    post = Post.objects.get(pk=job.request["postId"])
    if post.state == PostState.FAILED:
        _begin_again(job, post)
    if post.state == PostState.PUBLISHED and not post.remote_id:
        return _done(job, post)  # somebody found it there: nothing is left to do
    try:
        _see_through(job, post)
    except Cancelled:
        _cancel_child(job)
        raise
    except Problem as problem:
        if post.is_unsure and problem.code != UNKNOWN:
            raise setbacks.unknown(post, problem) from problem
        if not post.remote_id:
            raise
        log.warning("post %s: it is out; its link was not read: %s", post.pk, problem.code)
    except Interrupt:
        raise
    except (Exception, TimeoutException) as error:
        setbacks.stumble(job, post, error)
        raise
    return _done(job, post)


def _see_through(job: JobContext, post: Post) -> None:
    """Image, check, delivery. Raises `Problem`, `Interrupt`."""
    with job.step("image"):
        _have_image(job, post)
    if post.state == PostState.RESERVED and not post.remote_ids:
        with job.step("check"):
            _check(post)
    delivery.deliver(job, post)
    sweeping.sweep(post)


def _check(post: Post) -> None:
    """Raises the worst red line, which the post's own log shows as well."""
    began = timezone.now()
    try:
        preflight.clear(post)
    except Problem as problem:
        ledger.kept_back(post, problem, since=began)
        raise


def _done(job: JobContext, post: Post) -> dict[str, Any]:
    result = {"postId": post.pk, "permalink": post.permalink, "sandbox": post.sandbox}
    where = f"{post.get_platform_display()}{' in the sandbox' if post.sandbox else ''}"
    job.finish(result, f"Posted to {where}")
    return result


def _begin_again(job: JobContext, post: Post) -> None:
    """A retry has all its tries before it. Raises `Conflict` when the same has gone out meanwhile."""
    rules.check_overtaken(post)
    job.remember(tries={}, polls=0)
    ledger.write(job, post, state=PostState.RESERVED, error=None)


# --- the end ---------------------------------------------------------------------------------


def finished(job: Job) -> None:
    """However the job ended, in the same transaction the ledger says so."""
    if post := Post.objects.filter(pk=job.request.get("postId")).first():
        links.revoke(post)
        _close(post, _ended_with(job))


def connect() -> None:
    """Have the clock close what was left open."""
    clock.register_tick(sweep, every=pace().sweep)


def sweep(now: datetime) -> int:
    """Close the posts whose job has ended without them, or is gone; how many."""
    at_work = Post.objects.exclude(state__in=FINAL)
    left = list(at_work.exclude(job_id__in=Job.objects.filter(state__in=OPEN).values("pk")))
    for post in left:
        log.warning("post %s: its job has ended without it", post.pk)
        with transaction.atomic():
            _close(post, _ended_with(Job.objects.filter(pk=post.job_id).first()) or JOB_LOST)
            links.revoke(post)
    return len(left)


def _ended_with(job: Job | None) -> Mapping[str, Any] | None:
    if job is None:
        return None
    return CANCELLED if job.state == JobState.CANCELLED else job.error


def _close(post: Post, error: Mapping[str, Any] | None) -> None:
    """What may have gone out is unknown, whatever ended the job; a post that is final stays as it is."""
    if error is None:
        return
    state = PostState.UNKNOWN if post.is_unsure else PostState.FAILED
    said = {name: error.get(name, "") for name in ("code", "message", "fix")}
    as_read = Post.objects.filter(pk=post.pk, state=post.state, remote_id="").exclude(state__in=FINAL)
    as_read.update(state=state, error=said, updated_at=timezone.now())


# --- the image -------------------------------------------------------------------------------


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
    ledger.write(job, post, image_id=image.pk, image_hash=image.pixel_hash)


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
