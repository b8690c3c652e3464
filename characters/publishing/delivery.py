"""A post through its platform's steps: each state committed before the remote call, each answer after it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils import timezone

from characters import services as characters
from characters.images import services as images
from characters.publishing import accounts, links, posting, setbacks
from characters.publishing.accounts import Account
from characters.publishing.models import Attempt, Post, PostState
from influencer.clients import picture
from influencer.clients.platform import (
    Draft,
    Outcome,
    Platform,
    PlatformError,
    Publisher,
    Step,
    next_step,
)
from influencer.errors import Conflict
from influencer.jobs import Wait
from influencer.jobs.context import JobContext

# The job's step a platform's own step belongs to.
PARTS = {"publish": "publish", "link": "link"}


@dataclass(frozen=True)
class Delivery:
    """What one attempt at the platform needs."""

    job: JobContext
    post: Post
    publisher: Publisher
    draft: Draft


def deliver(job: JobContext, post: Post) -> None:
    """Take the post through every step still to do. Raises `PlatformError`, `Conflict`, `Wait`."""
    delivery = _prepared(job, post)
    if post.is_unsure:
        with job.step("publish"):
            look_up(delivery)
    while step := next_step(delivery.publisher.steps, post.remote_ids):
        _in_its_part(delivery, step)
    links.revoke(post)


def _in_its_part(delivery: Delivery, step: Step) -> None:
    """Take the step within the job's. A wait for another try can be cancelled again, if nothing went out."""
    job, part = delivery.job, PARTS.get(step.name, "upload")
    try:
        with job.step(part):
            _take(delivery, step)
    except Wait as wait:
        if part == "publish" and not delivery.post.is_unsure:
            with job.step("upload"):
                raise wait
        raise


# --- before ----------------------------------------------------------------------------------


def _prepared(job: JobContext, post: Post) -> Delivery:
    character = characters.get(post.character_id)
    target = accounts.require(character, Platform(post.platform))
    if target.key != post.account:
        raise Conflict(
            "The character's account has changed since this post was made. Make a new post.",
            code="account_changed",
        )
    publisher = accounts.publisher(character, target)
    return Delivery(job, post, publisher, _draft(post, publisher, target))


def _draft(post: Post, publisher: Publisher, target: Account) -> Draft:
    """The words and, until the platform has it, the picture; Instagram fetches it by a public link."""
    jpeg, url = b"", ""
    if publisher.steps[0].gives not in post.remote_ids and not post.is_unsure:
        image = images.get(post.image_id)
        posting.check_image(image, target)
        jpeg = picture.for_platform(image.path.read_bytes(), post.platform, ai=post.ai_label).jpeg
        url = links.create(post, jpeg) if post.platform == Platform.INSTAGRAM else ""
    return Draft(jpeg, url, post.caption, post.alt_text, post.ai_label)


# --- one step --------------------------------------------------------------------------------


def _take(delivery: Delivery, step: Step) -> None:
    """One remote call: state first, then the call, then what it brought."""
    _commit_before(delivery, step)
    try:
        outcome = _call(delivery, step)
        if not outcome.ready:
            setbacks.poll_again(delivery.job, delivery.publisher.service)
    except PlatformError as error:
        _refused(delivery, step, error)
        return
    setbacks.forget(delivery.job, "polls")
    accept(delivery.post, outcome.ids)


def _commit_before(delivery: Delivery, step: Step) -> None:
    """A lease that was lost stops here, before anything goes out."""
    delivery.job.renew()
    post = delivery.post
    post.state = PostState(step.before)
    post.attempts += 1
    if step.decisive:
        setbacks.forget(delivery.job, "looks")
        post.publishing_at = timezone.now()
    post.save()


def _call(delivery: Delivery, step: Step) -> Outcome:
    with attempted(delivery.post, step.name) as entry:
        outcome = step.call(delivery.draft, delivery.post.remote_ids)
        if not outcome.ready:
            entry.message = "Not ready yet."
        elif outcome.ids.get(step.gives) == "none":
            entry.message = "There was none to send."
    return outcome


@contextmanager
def attempted(post: Post, name: str) -> Iterator[Attempt]:
    """An entry in the post's log, written before the call and closed with its answer."""
    entry, began = Attempt.objects.create(post=post, step=name), time.monotonic()
    try:
        yield entry
    except PlatformError as error:
        _note(entry, began, error)
        raise
    _note(entry, began)


def _note(entry: Attempt, began: float, error: PlatformError | None = None) -> None:
    entry.milliseconds = round((time.monotonic() - began) * 1000)
    entry.http_status = error.http_status if error else 200
    if error:
        entry.code, entry.message = str(error.code), error.message
    entry.save()


def accept(post: Post, ids: Mapping[str, str]) -> None:
    """What the platform has given belongs to the post; with its own id it is published."""
    post.remote_ids = {**post.remote_ids, **ids}
    post.remote_id = post.remote_ids.get("remote_id", "")
    post.permalink = post.remote_ids.get("permalink", "")
    if post.remote_id and post.state != PostState.PUBLISHED:
        post.state, post.published_at, post.error = PostState.PUBLISHED, timezone.now(), None
    post.save()


def _refused(delivery: Delivery, step: Step, error: PlatformError) -> None:
    """Where another try is safe and makes sense it is waited for; else the error ends the job."""
    job, post = delivery.job, delivery.post
    if step.optional:
        accept(post, {step.gives: ""})
        return
    if error.outcome_unknown:
        look_up(delivery)
        return
    if step.decisive:  # it was refused, so it did not go out
        post.state = PostState.PREPARED
        post.save(update_fields=["state", "updated_at"])
    setbacks.wait_if_worth_it(job, post, step.name, error)
    raise error


def look_up(delivery: Delivery) -> None:
    """Ask whether the post exists; only a yes goes on. Raises `Wait` to ask again, `ServiceError`."""
    post, since = delivery.post, delivery.post.publishing_at or delivery.post.created_at
    try:
        with attempted(post, "look_up") as entry:
            ids = delivery.publisher.look_up(delivery.draft, post.remote_ids, since=since).ids
            entry.message = "It is there."
            if not ids.get("remote_id"):
                entry.code, entry.message = "not_found", "It is not to be found there."
    except PlatformError:
        ids = {}
    if not ids.get("remote_id"):
        setbacks.ask_again(delivery.job, delivery.publisher.service)
        raise setbacks.unknown(post)
    accept(post, ids)
