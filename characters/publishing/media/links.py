"""Public links to the picture of a post: unguessable, short-lived, and the only thing outside sees."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.core import signing
from django.utils import timezone

from characters.images import storage
from characters.publishing.models import MediaLink, Post
from influencer import effective, paths
from influencer.clients import picture
from influencer.clients.bucket_address import BucketAddress
from influencer.clients.media_bucket import Bucket
from influencer.clients.media_host import MediaHost
from influencer.errors import NotFound, Problem

# As long as an Instagram container lives.
LIFETIME = timedelta(hours=24)
TRIAL_LIFETIME = timedelta(minutes=1)
SUFFIX = ".jpg"
OWN, S3 = "own", "s3"


@dataclass(frozen=True)
class OwnHost:
    """This product serves the file itself, at `url`."""

    url: str = ""

    def put(self, name: str, jpeg: bytes, *, seconds: int) -> str:
        storage.write(paths.media() / name, jpeg, durable=False)
        return self.url

    def remove(self, name: str) -> None:
        (paths.media() / name).unlink(missing_ok=True)


def create(post: Post, jpeg: bytes) -> str:
    """Keep the JPEG and open a link to it; earlier links of the post are closed. The full address.

    Raises `Unavailable` for a full disk, `PlatformError` where the bucket does not take it.
    """
    revoke(post)
    token = secrets.token_urlsafe(32)
    digest = _hash(token)
    kind = kind_for(sandbox=post.sandbox)
    name = f"{digest[:32]}{SUFFIX}"
    file = name if kind == S3 else f"{storage.folder_name(post.character_id)}/posts/{name}"
    # The row comes first: whatever lies outside is known to the sweeper.
    MediaLink.objects.create(
        token_hash=digest, post=post, host=kind, file=file, expires_at=timezone.now() + LIFETIME
    )
    try:
        return _host(kind, token, sandbox=post.sandbox).put(file, jpeg, seconds=int(LIFETIME.total_seconds()))
    except Problem:
        revoke(post)
        raise


def revoke(post: Post) -> None:
    """Close every link of a post, by the database alone; `sweeping` takes away what it led to."""
    post.links.filter(revoked_at=None).update(revoked_at=timezone.now())


def kind_for(*, sandbox: bool) -> str:
    """Where a post's JPEG is kept. The sandbox fetches from this machine only, whatever else is open."""
    return S3 if effective.config().media_s3_url and not sandbox else OWN


def host(kind: str) -> MediaHost:
    """The host of that kind, to take something away from it."""
    return _host(kind, "", sandbox=False)


def trial(*, sandbox: bool) -> tuple[MediaHost, str]:
    """A host and a name to try out whether its links can be fetched. Nothing is written here for it."""
    if kind_for(sandbox=sandbox) == S3:
        return host(S3), f"trial-{secrets.token_hex(16)}{SUFFIX}"
    return _Trial(_address(_signer().sign(secrets.token_hex(8)), sandbox=sandbox)), ""


@dataclass(frozen=True)
class _Trial:
    """Its name is signed, so that it needs no row and shows one dot to whoever has it."""

    url: str

    def put(self, name: str, jpeg: bytes, *, seconds: int) -> str:
        return self.url

    def remove(self, name: str) -> None:
        pass


def open_jpeg(name: str) -> bytes:
    """The JPEG behind the last part of a link. Raises `NotFound` for anything but an open link.

    Looked up by the hash of a random token: how long it takes tells nothing of other links.
    """
    token = name.removesuffix(SUFFIX)
    opened = MediaLink.objects.filter(revoked_at=None, expires_at__gt=timezone.now(), host=OWN)
    link = opened.filter(pk=_hash(token)).first()
    if link is None and _is_trial(token):
        return picture.dot()
    try:
        return _file(link).read_bytes()
    except OSError as error:
        raise NotFound("There is nothing at this address.") from error


def _file(link: MediaLink | None) -> Path:
    if link is None:
        raise NotFound("There is nothing at this address.")
    return paths.media() / link.file


def _host(kind: str, token: str, *, sandbox: bool) -> MediaHost:
    if kind == S3:
        return Bucket(BucketAddress.parse(effective.config().media_s3_url))
    return OwnHost(_address(token, sandbox=sandbox))


def _address(token: str, *, sandbox: bool) -> str:
    config = effective.config()
    return f"{config.own_url if sandbox else config.media_base_url}/m/{token}{SUFFIX}"


def _is_trial(token: str) -> bool:
    try:
        _signer().unsign(token, max_age=TRIAL_LIFETIME)
    except signing.BadSignature:
        return False
    return True


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="characters.publishing.trial", sep=".")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
