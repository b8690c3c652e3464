"""What reading an object with `fields=` answers: containers, media, accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from influencer.sandbox.instagram.access import SERVICE, Params, app_scoped_id
from influencer.sandbox.instagram.answers import INVALID, NO_FIELD, Refused
from influencer.sandbox.instagram.containers import Container
from influencer.sandbox.store import Account, Post, Store

ONE_FIELD = re.compile(r"[^,{}()]+(?:\([^)]*\))*(?:\{[^{}]*\})?")
# Known, but never with a value here: Graph leaves such fields out.
SILENT_MEDIA = {"thumbnail_url", "children", "is_shared_to_feed", "legacy_instagram_media_id"}
SILENT_USER = {"biography", "website", "legacy_instagram_user_id"}

Values = Mapping[str, Callable[[], Any]]


def pick(params: Params, node: str, values: Values, *, default: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    """The asked-for fields, `id` always; without `fields` the default ones.

    Raises `Refused` (100) for a field the node does not have.
    """
    names = _names(params.get("fields")) or list(default)
    for name in names:
        if name not in values:
            raise Refused(NO_FIELD, field=name, node=node)
    if "id" in values and "id" not in names:
        names.append("id")
    found = {name: values[name]() for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _names(fields: Any) -> list[str]:
    if fields is None:
        return []
    if not isinstance(fields, str):
        raise Refused(INVALID, text="Param fields must be a string.")
    words = (match.strip() for match in ONE_FIELD.findall(fields))
    return list(dict.fromkeys(re.split(r"[.({]", word, maxsplit=1)[0] for word in words if word))


def container_values(container: Container, now: float) -> Values:
    return {
        "id": lambda: container.id,
        "status_code": lambda: container.status(now),
        "status": lambda: container.words(now),
        "copyright_check_status": lambda: None,
    }


def user_values(account: Account, store: Store, *, base: str, as_me: bool) -> Values:
    """`base` as for media. `as_me`: with Instagram Login, `/me` gives an app-scoped `id` beside `user_id`."""
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: app_scoped_id(account.id) if as_me else account.id,
        "user_id": lambda: account.id,
        "username": lambda: account.username,
        "name": lambda: account.username.replace("_", " ").title(),
        "profile_picture_url": lambda: f"{base}/avatars/{account.username}.png",
        "account_type": lambda: "BUSINESS",
        "followers_count": lambda: 0,
        "follows_count": lambda: 0,
        "media_count": lambda: sum(1 for _ in store.posts(SERVICE, "account = ?", account.id)),
    }
    return values | dict.fromkeys(SILENT_USER, _nothing)


def media_values(post: Post, account: Account, *, base: str) -> Values:
    """`base` is where this stand-in answers; links into it really open."""
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: post.id,
        "caption": lambda: post.text or None,
        "alt_text": lambda: post.pictures[0].alt or None,
        "media_type": lambda: post.extra["media_type"],
        "media_product_type": lambda: post.extra["media_product_type"],
        "media_url": lambda: f"{base}/images/{post.pictures[0].file}",
        "permalink": lambda: f"{base}/p/{post.code}/",
        "shortcode": lambda: post.code,
        "timestamp": lambda: _time(post.created),
        "username": lambda: account.username,
        "owner": lambda: {"id": account.id},
        "like_count": lambda: 0,
        "comments_count": lambda: 0,
        "is_comment_enabled": lambda: True,
    }
    return values | dict.fromkeys(SILENT_MEDIA, _nothing)


def _nothing() -> None:
    return None


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
