"""From an intention to a ledger row and its job: all that can be refused is refused here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from characters.images import services as images
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from characters.publishing.checks import preflight, rules
from characters.publishing.checks.preflight import Proposal
from characters.publishing.checks.rules import Content
from characters.publishing.models import Post, PostState
from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.jobs import services as jobs
from influencer.jobs.models import JobState

KIND = "publish_post"
check_image = rules.check_image


@dataclass(frozen=True)
class Intention:
    """What somebody wants to post. Without `image_id`, an image is made of `wish` first.

    `nonce` names the intention: the same one twice (a double click) is one post.
    """

    platform: Platform
    caption: str = ""
    alt_text: str = ""
    ai_label: bool = True
    ai_label_reason: str = ""
    image_id: str = ""
    wish: Wish | None = None
    force: bool = False
    nonce: str = ""
    due_at: datetime | None = None


def start(character: Character, intention: Intention, *, user_id: int | None = None) -> Post:
    """Write the post into the ledger and queue its job, in one transaction.

    The same intention twice gives the post it already has. Raises `Invalid` for what the
    platform would refuse, `Conflict` (`duplicate`, `sandbox_image`, `no_credentials`),
    `Unavailable` when Instagram could not fetch the image from here.
    """
    target = accounts.require(character, intention.platform)
    image = images.get(intention.image_id, character_id=character.pk) if intention.image_id else None
    preflight.require(Proposal(character, target, image, intention.caption, intention.alt_text))
    content = Content.of(image, intention.caption)
    with transaction.atomic():
        return _reserve(character, intention, _Target(target, content, image, user_id))


def check_caption(intention: Intention) -> None:
    """Raises `Invalid` with the platform's own words for each fault."""
    rules.check_words(intention.platform, intention.caption, intention.alt_text)


@dataclass(frozen=True)
class _Target:
    account: Account
    content: Content
    image: Image | None
    user_id: int | None


def _reserve(character: Character, intention: Intention, target: _Target) -> Post:
    account, content = target.account, target.content
    revision = _revision(account, content, intention)
    key = _key(account.key, content, intention, revision)
    if known := _known(key):
        return _once_more(known)
    if not intention.force:
        rules.check_same_again(account, content)
    post = Post(
        key=key,
        character_id=character.pk,
        platform=intention.platform,
        account=account.key,
        sandbox=account.sandbox,
        caption=captions.clean(intention.caption),
        alt_text=captions.clean(intention.alt_text),
        ai_label=intention.ai_label,
        ai_label_reason="" if intention.ai_label else captions.clean(intention.ai_label_reason)[:200],
        image_id=intention.image_id,
        image_hash=content.image_hash,
        caption_hash=content.caption_hash,
        revision=revision,
        due_at=intention.due_at or timezone.now(),
        user_id=target.user_id,
    )
    try:
        with transaction.atomic():
            post.save(force_insert=True)
    except IntegrityError:  # another request was faster by a hair
        return _once_more(Post.objects.get(key=key))
    request: dict[str, Any] = {"postId": post.pk}
    if target.image is None:
        request["wish"] = asdict(intention.wish or Wish())
    job = jobs.start(KIND, character_id=character.pk, request=request, user_id=target.user_id)
    Post.objects.filter(pk=post.pk).update(job_id=job.pk)
    post.job_id = job.pk
    return post


def _known(key: str) -> Post | None:
    return Post.objects.filter(key=key).first()


def _once_more(post: Post) -> Post:
    """The post of an intention that comes again. One that surely failed is tried again."""
    if post.state == PostState.FAILED and jobs.get(post.job_id).state == JobState.FAILED:
        jobs.retry(post.job_id)
    return post


def _revision(account: Account, content: Content, intention: Intention) -> int:
    """Which time this very content goes to this account; a named intention has only the first."""
    if intention.nonce or intention.due_at:
        return 0
    return same_content(account.key, content.image_hash, content.caption_hash).count()


def same_content(account_key: str, image_hash: str, caption_hash: str) -> Any:
    return Post.objects.filter(account=account_key, image_hash=image_hash, caption_hash=caption_hash)


def _key(account_key: str, content: Content, intention: Intention, revision: int) -> str:
    due = intention.due_at.isoformat() if intention.due_at else ""
    parts = [account_key, content.image_hash, content.caption_hash, intention.nonce, due, revision]
    return _hash(json.dumps(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
