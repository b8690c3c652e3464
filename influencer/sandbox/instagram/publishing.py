"""`POST /{ig-user-id}/media_publish` and the quota it counts against."""

from __future__ import annotations

import secrets
import string
from typing import Any

from influencer.sandbox.instagram import containers
from influencer.sandbox.instagram.access import SERVICE, Params
from influencer.sandbox.instagram.answers import INVALID, NO_CONTAINER, NOT_READY, QUOTA, SPAM, Refused
from influencer.sandbox.instagram.containers import Container, Status
from influencer.sandbox.store import DAY, Account, Post, Store

ALPHABET = string.ascii_letters + string.digits + "-_"
MEDIA_TYPES = {
    "image": ("IMAGE", "FEED"),
    "carousel": ("CAROUSEL_ALBUM", "FEED"),
    "story": ("IMAGE", "STORY"),
}


def publish(store: Store, account: Account, params: Params) -> str:
    """Make a post of a finished container; returns its media id. Raises `Refused`."""
    container = _container(store, account, params)
    status = container.status(store.now())
    if status in {Status.EXPIRED, Status.PUBLISHED}:
        raise Refused(NO_CONTAINER, id=container.id)
    if status != Status.FINISHED:
        raise Refused(NOT_READY)
    if container.kind == "child":
        raise Refused(INVALID, text="A carousel item can't be published on its own.")
    if quota_used(store, account) >= store.limit("instagram_quota"):
        raise Refused(QUOTA)
    post = _post(container, account, created=store.now())
    with store.at_once():
        store.add_post(post)
        containers.set_published(store, container.id, post.id)
    return post.id


def caption_to_publish(store: Store, params: Params) -> str:
    """The caption of the container a call names, for counting calls."""
    container = containers.load(store, str(params.get("creation_id", "")))
    return container.caption if container else ""


def refuse_magic(token: str) -> None:
    """Refuse what only publishing refuses. Raises `Refused`."""
    if token.startswith("IGAA-SPAM"):
        raise Refused(SPAM)
    if token.startswith("IGAA-QUOTA"):
        raise Refused(QUOTA)


def quota_used(store: Store, account: Account) -> int:
    return len(store.posted_since(SERVICE, account.id, store.now() - DAY))


def quota(store: Store, account: Account, *, token: str) -> dict[str, Any]:
    """The one row of `content_publishing_limit`."""
    total = int(store.limit("instagram_quota"))
    used = total if token.startswith("IGAA-QUOTA") else quota_used(store, account)
    return {"quota_usage": used, "config": {"quota_total": total, "quota_duration": DAY}}


def _container(store: Store, account: Account, params: Params) -> Container:
    creation_id = str(params.get("creation_id", ""))
    if not creation_id:
        raise Refused(INVALID, text="The parameter creation_id is required.")
    container = containers.load(store, creation_id)
    if container is None or container.account != account.id:
        raise Refused(NO_CONTAINER, id=creation_id)
    return container


def _post(container: Container, account: Account, *, created: float) -> Post:
    media_type, product = MEDIA_TYPES[container.kind]
    return Post(
        service=SERVICE,
        id=f"179{secrets.randbelow(10**14):014d}",
        account=account.id,
        text=container.caption,
        created=created,
        ai_label=container.ai_label,
        pictures=container.pictures,
        code="".join(secrets.choice(ALPHABET) for _ in range(11)),
        extra={"media_type": media_type, "media_product_type": product, "container": container.id},
    )
