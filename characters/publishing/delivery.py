"""A post's way through a platform's steps, each committed before the next remote call.

Exactly one step is decisive. When its outcome is unknown, `doubt.py` finds out before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from characters import services as characters
from characters.images import services as images
from characters.publishing import accounts, doubt, ledger, posting, setbacks
from characters.publishing.accounts import Account, standing, waiting
from characters.publishing.media import links, provenance
from characters.publishing.models import Attempt, Post, PostState
from characters.publishing.parcel import Parcel
from influencer.clients.instagram_errors import QUOTA_REACHED
from influencer.clients.platform import (
    Draft,
    Outcome,
    Platform,
    PlatformError,
    Publisher,
    Stage,
    Step,
    next_step,
)
from influencer.errors import Conflict
from influencer.jobs import Wait
from influencer.jobs.context import JobContext

# The job's step a platform's own step belongs to.
PARTS = {"publish": "publish", "link": "link"}


def deliver(job: JobContext, post: Post) -> None:
    """Take the post through every step still to do. Raises `PlatformError`, `Conflict`, `Wait`."""
    parcel = _prepared(job, post)
    if post.is_unsure:
        with job.step("publish"):
            doubt.clear_up(parcel)
    if post.state in (PostState.RESERVED, PostState.PREPARED):
        with _to_be_cancelled(parcel):
            _may_begin(parcel)
    while step := next_step(_steps(parcel), post.remote_ids):
        _in_its_part(parcel, step)
    links.revoke(post)


def _steps(parcel: Parcel) -> list[Step]:
    """Of a post that is out only what comes after is still to do, however it is known that it is out."""
    out = parcel.post.state == PostState.PUBLISHED
    return [step for step in parcel.publisher.steps if not out or step.before is Stage.PUBLISHED]


def _may_begin(parcel: Parcel) -> None:
    """Raises `Conflict` while the account is paused, `Wait` while it is held or has no post left."""
    standing.require_open(parcel.post.account)
    if waiting.pass_hold(parcel.job, parcel.post) == QUOTA_REACHED and (until := _room_at(parcel)):
        raise waiting.wait_for_room(parcel.post, until)


def _room_at(parcel: Parcel) -> datetime | None:
    """When a used-up quota has room again; None when there is some, or nobody can say."""
    try:
        quota = parcel.publisher.quota()
    except PlatformError:
        return None
    if quota is None or not quota.is_used_up:
        return None
    standing.counted(parcel.post.account, quota)
    return quota.until


def _in_its_part(parcel: Parcel, step: Step) -> None:
    """Take the step within the job's."""
    with _to_be_cancelled(parcel), parcel.job.step(PARTS.get(step.name, "upload")):
        _take(parcel, step)


@contextmanager
def _to_be_cancelled(parcel: Parcel) -> Iterator[None]:
    """A wait inside belongs to a step that can be cancelled, as long as nothing can have gone out."""
    try:
        yield
    except Wait as wait:
        if parcel.post.is_unsure or parcel.post.remote_id:
            raise
        with parcel.job.step("upload"):
            raise wait


# --- before ----------------------------------------------------------------------------------


def _prepared(job: JobContext, post: Post) -> Parcel:
    character = characters.get(post.character_id)
    target = accounts.require(character, Platform(post.platform))
    if target.key != post.account:
        raise Conflict(
            "The character's account has changed since this post was made. Make a new post.",
            code="account_changed",
        )
    publisher = accounts.publisher(character, target)
    return Parcel(job, post, publisher, _draft(job, post, publisher, target))


def _draft(job: JobContext, post: Post, publisher: Publisher, target: Account) -> Draft:
    """The words and, until the platform has it, the picture; Instagram fetches it by a public link."""
    jpeg, url = b"", ""
    if post.state == PostState.RESERVED and publisher.steps[0].gives not in post.remote_ids:
        image = images.get(post.image_id)
        posting.check_image(image, target)
        jpeg = provenance.picture_for(image.path.read_bytes(), post.platform, ai=post.ai_label).jpeg
        url = _link(job, post, jpeg) if post.platform == Platform.INSTAGRAM else ""
    return Draft(jpeg, url, post.caption, post.alt_text, post.ai_label)


def _link(job: JobContext, post: Post, jpeg: bytes) -> str:
    """The address the platform fetches from. A bucket that does not take the JPEG is waited for."""
    try:
        return links.create(post, jpeg)
    except PlatformError as error:
        setbacks.wait_if_worth_it(job, post, "link", error)
        raise


# --- one step --------------------------------------------------------------------------------


def _take(parcel: Parcel, step: Step) -> None:
    """One remote call: state first, then the call, then what it brought."""
    entry = _commit_before(parcel, step)
    try:
        outcome = _call(parcel, step, entry)
        if not outcome.ready:
            setbacks.poll_again(parcel.job, parcel.publisher.service)
    except PlatformError as error:
        _refused(parcel, step, error)
        return
    setbacks.forget(parcel.job, "polls")
    ledger.accept(parcel.job, parcel.post, outcome.ids)
    if step.decisive:
        _went_out(parcel)


def _commit_before(parcel: Parcel, step: Step) -> Attempt:
    """State and log entry, in one transaction; a lost lease or the account's limits stop it here."""
    job, post, now = parcel.job, parcel.post, timezone.now()
    fields = {"state": PostState(step.before), "attempts": post.attempts + 1}
    with transaction.atomic():
        if step.decisive and not post.is_unsure:
            fields["publishing_at"] = now = waiting.take_turn(post)
        if step.decisive:
            job.remember(looks=0)
        ledger.write(job, post, **fields)
        return Attempt.objects.create(post=post, step=step.name, at=now)


def _call(parcel: Parcel, step: Step, entry: Attempt) -> Outcome:
    if step.decisive:
        parcel.job.renew()  # the last word before what can't be taken back
    with ledger.closing(entry):
        outcome = step.call(parcel.draft, parcel.post.remote_ids)
        entry.http_status = outcome.status
        if not outcome.ready:
            entry.message = "Not ready yet."
        elif outcome.ids.get(step.gives) == "none":
            entry.message = "There was none to send."
    return outcome


def _went_out(parcel: Parcel) -> None:
    """What the account's next post has to know of this one."""
    waiting.worked(parcel.post)
    standing.posted(parcel.post.account, parcel.publisher.allowance())
    if seconds := parcel.publisher.rest():
        waiting.rest(parcel.post, seconds)


def _refused(parcel: Parcel, step: Step, error: PlatformError) -> None:
    """Where another try is safe and makes sense it is waited for; else the error ends the job."""
    job, post = parcel.job, parcel.post
    if str(error.code) == QUOTA_REACHED and (until := _room_at(parcel)):
        error.retry_after = (until - timezone.now()).total_seconds()
    if step.optional:
        ledger.accept(job, post, {step.gives: ""})
        return
    if error.outcome_unknown:
        doubt.clear_up(parcel)
        return
    if step.decisive and doubt.remains(parcel, error):
        return
    if step.decisive:  # it was refused, so it did not go out
        ledger.write(job, post, state=PostState.PREPARED, publishing_at=None)
    setbacks.wait_if_worth_it(job, post, step.name, error)
    raise error
