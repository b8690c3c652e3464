"""The publishing job: image, upload, publish, link; each state committed before the next remote call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from characters import services as characters
from characters.images import generation
from characters.images import services as images
from characters.images.planning import Wish
from characters.publishing import accounts, links, posting
from characters.publishing.accounts import Account
from characters.publishing.models import Attempt, Post, PostState
from influencer.clients import picture
from influencer.clients.errors import ServiceError
from influencer.clients.platform import (
    Action,
    Draft,
    Platform,
    PlatformError,
    Publisher,
    Step,
    Verdict,
    never_ready,
    next_step,
    poll_delay,
)
from influencer.errors import Conflict, Problem
from influencer.jobs import Cancelled, Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState

LOOK_AT_CHILD = timedelta(seconds=0.6)
BACKOFF = (5.0, 20.0, 60.0)
WAIT_WITHOUT_A_TIME = timedelta(hours=1)
# The job's step a platform's own step belongs to.
PARTS = {"publish": "publish", "link": "link"}


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part; a later attempt goes on where the ledger says."""
    post = Post.objects.get(pk=job.request["postId"])
    try:
        with job.step("image"):
            _have_image(job, post)
        _publish(job, post)
    except (Cancelled, Problem) as ending:
        _note_ending(post, ending)
        raise
    return {"postId": post.pk, "permalink": post.permalink, "sandbox": post.sandbox}


def finished(job: Job) -> None:
    """However the job ended, the ledger knows: a post that was never sent is not left waiting."""
    if job.state == JobState.SUCCEEDED:
        return
    post = Post.objects.filter(pk=job.request.get("postId")).first()
    if post is None or post.is_final:
        return
    error = job.error or {"code": "cancelled", "message": "The job was cancelled."}
    sent = post.state == PostState.PUBLISHING
    state = PostState.UNKNOWN if sent else PostState.FAILED
    Post.objects.filter(pk=post.pk).update(state=state, error=error, updated_at=timezone.now())


# --- the image -------------------------------------------------------------------------------


def _have_image(job: JobContext, post: Post) -> None:
    """Take the chosen image, or have one made by a job of its own."""
    if post.image_id:
        return
    child = _child(job)
    if not child.is_final:
        if job.must_stop():
            jobs.cancel(child.pk)
            job.check_cancelled()
        job.progress(0.6 * child.progress, child.message)
        raise Wait(timezone.now() + LOOK_AT_CHILD, "following", f"Image: {child.message or 'queued'}")
    try:
        image_id = jobs.result_of(child)["imageIds"][0]
    except Problem:
        job.remember(child="")  # a retry makes a new one
        raise
    image = images.get(image_id)
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


# --- the platform ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """What one attempt at the platform needs."""

    job: JobContext
    post: Post
    publisher: Publisher
    draft: Draft


def _publish(job: JobContext, post: Post) -> None:
    character = characters.get(post.character_id)
    target = accounts.require(character, Platform(post.platform))
    _still_same(post, target)
    publisher = accounts.publisher(character, target)
    run_ = _Run(job, post, publisher, _draft(post))
    if post.state in (PostState.PUBLISHING, PostState.UNKNOWN) and not post.remote_id:
        _look_up(run_)
    while step := next_step(publisher.steps, post.remote_ids):
        with job.step(PARTS.get(step.name, "upload")):
            _take(run_, step)
    links.revoke(post)


def _still_same(post: Post, target: Account) -> None:
    """Credentials may have changed while the job waited: then it is another intention."""
    if target.key != post.account:
        raise Conflict(
            "The character's account has changed since this post was made. Make a new post.",
            code="account_changed",
        )
    posting.check_image(images.get(post.image_id), target)


def _draft(post: Post) -> Draft:
    """The picture as the platform takes it; Instagram fetches it by a public link."""
    image = images.get(post.image_id)
    content = image.path.read_bytes()
    made = picture.for_platform(content, post.platform, ai=post.ai_label)
    needs_link = post.platform == Platform.INSTAGRAM and "container_id" not in post.remote_ids
    return Draft(
        picture=made.jpeg,
        picture_url=links.create(post, made.jpeg) if needs_link else "",
        caption=post.caption,
        alt_text=post.alt_text,
        ai_label=post.ai_label,
    )


def _take(run_: _Run, step: Step) -> None:
    """One remote call: state first, then the call, then what it brought."""
    post = run_.post
    _commit_before(run_, step)
    attempt = Attempt.objects.create(post=post, step=step.name)
    began = time.monotonic()
    try:
        outcome = step.call(run_.draft, post.remote_ids)
    except PlatformError as error:
        _close(attempt, began, error)
        if step.optional:
            _accept(post, {step.gives: ""})
            return
        if error.outcome_unknown or (step.decisive and error.action is Action.START_OVER):
            _look_up(run_)  # a second container could be a second post
            return
        _wait_if_worth_it(run_, step, error)
        raise
    _close(attempt, began)
    if not outcome.ready:
        _poll_again(run_)
    _accept(post, outcome.ids)


def _commit_before(run_: _Run, step: Step) -> None:
    """A lease that was lost stops here, before anything goes out."""
    run_.job.renew()
    run_.post.state = PostState(step.before)
    run_.post.attempts += 1
    if step.decisive:
        run_.post.publishing_at = timezone.now()
    run_.post.save()


def _accept(post: Post, ids: Mapping[str, str]) -> None:
    post.remote_ids = {**post.remote_ids, **ids}
    post.remote_id = post.remote_ids.get("remote_id", "")
    post.permalink = post.remote_ids.get("permalink", "")
    if post.remote_id and post.state != PostState.PUBLISHED:
        post.state, post.published_at, post.error = PostState.PUBLISHED, timezone.now(), None
    post.save()


def _close(attempt: Attempt, began: float, error: PlatformError | None = None) -> None:
    attempt.milliseconds = round((time.monotonic() - began) * 1000)
    attempt.http_status = error.http_status if error else 200
    attempt.code = str(error.code) if error else ""
    attempt.message = error.message if error else ""
    attempt.save()


def _poll_again(run_: _Run) -> None:
    polls = run_.job.memo.get("polls", 0) + 1
    delay = poll_delay(polls)
    if delay is None:
        error = never_ready(run_.publisher.service)
        _start_over(run_)
        raise error
    run_.job.remember(polls=polls)
    raise Wait(
        timezone.now() + timedelta(seconds=delay), "following", f"{run_.publisher.service} is processing"
    )


# --- when it goes wrong ----------------------------------------------------------------------


def _wait_if_worth_it(run_: _Run, step: Step, error: PlatformError) -> None:
    """Raise `Wait` where another try is safe and makes sense; else the error ends the job."""
    tries = run_.job.memo.get("tries", {})
    number = tries.get(step.name, 0) + 1
    if error.action is Action.WAIT:
        pause = timedelta(seconds=error.retry_after) if error.retry_after else WAIT_WITHOUT_A_TIME
        raise Wait(timezone.now() + pause, "rate limit", error.message)
    if error.action not in (Action.RETRY, Action.START_OVER) or number > min(error.tries, len(BACKOFF)):
        return
    run_.job.remember(tries={**tries, step.name: number})
    if error.action is Action.START_OVER:
        _start_over(run_)
    raise Wait(timezone.now() + timedelta(seconds=BACKOFF[number - 1]), "backoff", error.message)


def _start_over(run_: _Run) -> None:
    """Forget what was prepared; nothing of it is public."""
    run_.job.remember(polls=0)
    run_.post.remote_ids = {}
    run_.post.state = PostState.RESERVED
    run_.post.save()


def _look_up(run_: _Run) -> None:
    """Ask the platform whether the post exists. Only a yes goes on; nothing is repeated.

    Raises `ServiceError` (`outcome_unknown`).
    """
    post, since = run_.post, run_.post.publishing_at or run_.post.created_at
    try:
        found = run_.publisher.look_up(run_.draft, post.remote_ids, since=since)
    except PlatformError:
        found = None
    if found is not None and found.verdict is Verdict.PUBLISHED and found.ids.get("remote_id"):
        _accept(post, found.ids)
        return
    raise _unknown(run_.publisher.service)


def _unknown(service: str) -> ServiceError:
    return ServiceError(
        f"{service} did not say whether the post went out.",
        service=service,
        code="outcome_unknown",
        fix="Look at the account, then say what you found.",
        outcome_unknown=True,
    )


def _note_ending(post: Post, ending: BaseException) -> None:
    """The ledger says how it ended in the same words as the job."""
    if post.is_final and post.state != PostState.UNKNOWN:
        return
    if isinstance(ending, Problem):
        unknown = ending.code == "outcome_unknown"
        post.state = PostState.UNKNOWN if unknown else PostState.FAILED
        post.error = {"code": str(ending.code), "message": ending.message}
    else:
        post.state = PostState.FAILED
        post.error = {"code": "cancelled", "message": "Cancelled before anything went out."}
    post.save()
    links.revoke(post)
