"""Public links to the picture of a post: unguessable, short-lived, and the only thing outside sees."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from characters.images import storage
from characters.publishing.models import MediaLink, Post
from influencer import effective, paths
from influencer.errors import NotFound

# As long as an Instagram container lives.
LIFETIME = timedelta(hours=24)
SUFFIX = ".jpg"


def create(post: Post, jpeg: bytes) -> str:
    """Keep the JPEG and open a link to it; earlier links of the post are closed. The full address."""
    revoke(post)
    name = f"{storage.folder_name(post.character_id)}/posts/{post.id}.jpg"
    storage.write(paths.media() / name, jpeg, durable=False)
    token = secrets.token_urlsafe(32)
    MediaLink.objects.create(
        token_hash=_hash(token), post=post, file=name, expires_at=timezone.now() + LIFETIME
    )
    config = effective.config()
    # The sandbox fetches from this machine only, whatever address is open to the outside.
    base = config.own_url if post.sandbox else config.media_base_url
    return f"{base}/m/{token}{SUFFIX}"


def revoke(post: Post) -> None:
    """Close every link of a post."""
    post.links.filter(revoked_at=None).update(revoked_at=timezone.now())


def open_file(name: str) -> Path:
    """The JPEG behind the last part of a link. Raises `NotFound` for anything but an open link."""
    token = name.removesuffix(SUFFIX)
    link = MediaLink.objects.filter(pk=_hash(token), revoked_at=None, expires_at__gt=timezone.now()).first()
    if link is None or not (paths.media() / link.file).is_file():
        raise NotFound("There is nothing at this address.")
    return paths.media() / link.file


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
