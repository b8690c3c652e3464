"""From an intention to a ledger row and its job: all that can be refused is refused here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from characters.images import services as images
from characters.images import storage
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from characters.publishing.models import LIVE, Post, PostState
from influencer import effective, endpoints
from influencer.clients import captions, media_host
from influencer.clients.bucket_address import BucketAddress
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Invalid, Unavailable
from influencer.jobs import services as jobs
from influencer.jobs.models import JobState

KIND = "publish_post"
SAME_AGAIN = timedelta(days=30)
SANDBOX_IMAGE = "This sandbox image can't go to a real account. Make a new one on your own ComfyUI."
SANDBOX_WOULD_DRAW = (
    "The sandbox would draw the image, which can't go to a real account. "
    "Set COMFYUI_URL, or choose an image of your own."
)


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
    check_caption(intention)
    image = images.get(intention.image_id, character_id=character.pk) if intention.image_id else None
    check_image(image, target)
    check_reach(target)
    with transaction.atomic():
        return _reserve(character, intention, _Target(target, _Content.of(image, intention), image, user_id))


def check_caption(intention: Intention) -> None:
    """Raises `Invalid` with the platform's own words for each fault."""
    findings = captions.check(intention.platform, intention.caption, intention.alt_text)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        fields: dict[str, list[str]] = {}
        for finding in errors:
            name = "altText" if finding.code.startswith("alt_text") else "caption"
            fields.setdefault(name, []).append(finding.message)
        raise Invalid(errors[0].message, code=errors[0].code, fields=fields)


def check_image(image: Image | None, target: Account) -> None:
    """Raises `Conflict` (`sandbox_image`) when the sandbox's pixels would reach a real account."""
    if target.sandbox:
        return
    if image is None and "ComfyUI" in endpoints.sandboxed_services():
        raise Conflict(SANDBOX_WOULD_DRAW, code="sandbox_image")
    if image is not None and storage.is_sandbox(image):
        raise Conflict(SANDBOX_IMAGE, code="sandbox_image")


def check_reach(target: Account) -> None:
    """Raises `Unavailable` (`not_configured`) when Instagram could not fetch an image from here."""
    if fault := reach_fault(target):
        raise Unavailable(fault, code="not_configured")


def reach_fault(target: Account) -> str:
    """Why the account's platform can't fetch an image from here; empty when it can, or need not."""
    if target.kind != "real" or target.platform is not Platform.INSTAGRAM:
        return ""
    config = effective.config()
    if config.media_s3_url:
        endpoint = BucketAddress.parse(config.media_s3_url).endpoint
        return media_host.fault(endpoint, graph_url=config.instagram_graph_url, name="MEDIA_S3_URL")
    return media_host.fault(config.public_base_url, graph_url=config.instagram_graph_url)


@dataclass(frozen=True)
class _Content:
    image_hash: str
    caption_hash: str

    @classmethod
    def of(cls, image: Image | None, intention: Intention) -> _Content:
        text = captions.bare(intention.caption)
        return cls(image.pixel_hash if image else "", _hash(text) if text else "")


@dataclass(frozen=True)
class _Target:
    account: Account
    content: _Content
    image: Image | None
    user_id: int | None


def _reserve(character: Character, intention: Intention, target: _Target) -> Post:
    account, content = target.account, target.content
    revision = _revision(account, content, intention)
    key = _key(account.key, content, intention, revision)
    if known := _known(key):
        return _once_more(known)
    _refuse_same_again(account, content, intention)
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


def _revision(account: Account, content: _Content, intention: Intention) -> int:
    """Which time this very content goes to this account; a named intention has only the first."""
    if intention.nonce or intention.due_at:
        return 0
    return same_content(account.key, content.image_hash, content.caption_hash).count()


def same_content(account_key: str, image_hash: str, caption_hash: str) -> Any:
    return Post.objects.filter(account=account_key, image_hash=image_hash, caption_hash=caption_hash)


def _key(account_key: str, content: _Content, intention: Intention, revision: int) -> str:
    due = intention.due_at.isoformat() if intention.due_at else ""
    parts = [account_key, content.image_hash, content.caption_hash, intention.nonce, due, revision]
    return _hash(json.dumps(parts))


def _refuse_same_again(account: Account, content: _Content, intention: Intention) -> None:
    """Raises `Conflict` (`duplicate`) for an image or caption this account had within 30 days."""
    if intention.force:
        return
    recent = Post.objects.filter(
        account=account.key, state__in=LIVE, created_at__gte=timezone.now() - SAME_AGAIN
    )
    for what, field, value in (
        ("image", "image_hash", content.image_hash),
        ("caption", "caption_hash", content.caption_hash),
    ):
        earlier = recent.filter(**{field: value}).first() if value else None
        if earlier:
            raise Conflict(
                f"This {what} went to this {account.name} account within the last 30 days. "
                "Post it again only if you mean to.",
                code="duplicate",
                details={"postId": earlier.pk, "permalink": earlier.permalink, "same": what},
            )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
