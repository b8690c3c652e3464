"""What keeps a post from going out, known without asking anybody: the ledger and the check list ask here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from characters.images import storage
from characters.images.models import Image
from characters.publishing.accounts import Account
from characters.publishing.models import LIVE, Post
from influencer import effective, endpoints
from influencer.clients import captions, media_host
from influencer.clients.bucket_address import BucketAddress
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Invalid, Unavailable

SAME_AGAIN = timedelta(days=30)
SANDBOX_IMAGE = "This sandbox image can't go to a real account. Make a new one on your own ComfyUI."
SANDBOX_WOULD_DRAW = (
    "The sandbox would draw the image, which can't go to a real account. "
    "Set COMFYUI_URL, or choose an image of your own."
)


def check_words(platform: Platform, caption: str, alt_text: str) -> None:
    """Raises `Invalid` with the platform's own words for each fault."""
    errors = [found for found in captions.check(platform, caption, alt_text) if found.level == "error"]
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
class Content:
    """What tells one post's content from another's; empty where there is none."""

    image_hash: str
    caption_hash: str

    @classmethod
    def of(cls, image: Image | None, caption: str) -> Content:
        text = captions.bare(caption)
        digest = hashlib.sha256(text.encode()).hexdigest() if text else ""
        return cls(image.pixel_hash if image else "", digest)


def check_same_again(account: Account, content: Content) -> None:
    """Raises `Conflict` (`duplicate`) for an image or caption this account had within 30 days."""
    since = timezone.now() - SAME_AGAIN
    recent = Post.objects.filter(account=account.key, state__in=LIVE, created_at__gte=since)
    for what, wanted in (
        ("image", {"image_hash": content.image_hash}),
        ("caption", {"caption_hash": content.caption_hash}),
    ):
        earlier = recent.filter(**wanted).first() if all(wanted.values()) else None
        if earlier:
            raise Conflict(
                f"This {what} went to this {account.name} account within the last 30 days. "
                "Post it again only if you mean to.",
                code="duplicate",
                details=_earlier(earlier, what),
            )


def check_overtaken(post: Post) -> None:
    """Raises `Conflict` (`duplicate`) when the same was posted while this post lay there failed.

    What had been there before it too is meant to come again.
    """
    others = Post.objects.filter(account=post.account, state__in=LIVE).exclude(pk=post.pk)
    for what, wanted in (
        ("image", {"image_hash": post.image_hash}),
        ("caption", {"caption_hash": post.caption_hash}),
    ):
        same = others.filter(**wanted) if all(wanted.values()) else others.none()
        later = same.filter(created_at__gt=post.created_at).first()
        if later and not same.filter(created_at__lt=post.created_at).exists():
            raise Conflict(
                f"A later post with this {what} is on the account by now. Make a new post if you mean both.",
                code="duplicate",
                details=_earlier(later, what),
            )


def _earlier(post: Post, what: str) -> dict[str, Any]:
    return {"postId": post.pk, "permalink": post.permalink, "same": what}
