"""`POST /{ig-user-id}/media`: check everything, fetch the image, keep a container."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults
from influencer.sandbox.instagram import containers
from influencer.sandbox.instagram.access import SERVICE, Params
from influencer.sandbox.instagram.answers import (
    CAPTION,
    CAROUSEL_SIZE,
    INVALID,
    TOO_MANY_TAGS,
    UNKNOWN_TYPE,
    Refused,
)
from influencer.sandbox.instagram.containers import Container, Status
from influencer.sandbox.instagram.fetching import fetch_image
from influencer.sandbox.store import Account, Picture, Store, is_text

COMMON = {"access_token", "media_type", "is_carousel_item"}
TAGS = {"user_tags", "collaborators", "location_id"}
# What may be given, by kind. The real API passes over some of the rest in silence.
ALLOWED = {
    "image": COMMON | TAGS | {"image_url", "caption", "alt_text", "is_ai_generated"},
    "child": COMMON | {"image_url", "alt_text", "user_tags"},
    "carousel": COMMON | {"children", "caption", "collaborators", "location_id", "is_ai_generated"},
    "story": COMMON | {"image_url", "caption", "user_tags", "is_ai_generated"},
}
KINDS = {"": "image", "IMAGE": "image", "CAROUSEL": "carousel", "STORIES": "story"}
HASHTAG = re.compile(r"(?<![\w&])#\w+")
MENTION = re.compile(r"(?<![\w.])@[A-Za-z0-9_][\w.]*")
MAX_CAPTION, MAX_HASHTAGS, MAX_MENTIONS, MAX_ALT, MAX_COLLABORATORS = 2_200, 30, 20, 1_000, 3


@dataclass(frozen=True)
class Creator:
    """Makes containers out of checked parameters."""

    store: Store
    settings: SandboxSettings
    faults: Faults

    async def create(self, account: Account, params: Params) -> Container:
        """Raises `Refused` with what Instagram says about such parameters."""
        kind = _kind(params)
        _check(params, kind)
        if kind == "carousel":
            pictures = self._children(account, params)
        else:
            pictures = (await self._picture(params, kind),)
        container = self._container(account, kind, params=params, pictures=pictures)
        containers.save(self.store, container)
        return container

    def _container(
        self, account: Account, kind: str, *, params: Params, pictures: tuple[Picture, ...]
    ) -> Container:
        now = self.store.now()
        ready: float | None = now + self.store.limit("instagram_ready_seconds")
        if self.faults.take(SERVICE, "never_ready"):
            ready = None
        failed = self.faults.take(SERVICE, "container_error")
        return Container(
            id=containers.new_id(),
            account=account.id,
            kind=kind,
            caption=str(params.get("caption", "")),
            ai_label=_flag(params, "is_ai_generated"),
            pictures=pictures,
            ready=ready,
            created=now,
            failure=str(failed.args.get("subcode", "2207032")) if failed else "",
        )

    async def _picture(self, params: Params, kind: str) -> Picture:
        url = params.get("image_url")
        if not isinstance(url, str) or not url:
            raise Refused(INVALID, text="The parameter image_url is required.")
        fetched = await fetch_image(url, self.settings.app_url, story=kind == "story")
        name = self.store.keep_image(fetched.content, "jpg")
        return Picture(name, fetched.width, fetched.height, str(params.get("alt_text", "")))

    def _children(self, account: Account, params: Params) -> tuple[Picture, ...]:
        ids = _items(params, "children")
        if not 2 <= len(ids) <= 10:
            raise Refused(CAROUSEL_SIZE)
        children = [self._child(account, str(child_id)) for child_id in ids]
        return tuple(picture for child in children for picture in child.pictures)

    def _child(self, account: Account, child_id: str) -> Container:
        child = containers.load(self.store, child_id)
        if child is None or child.account != account.id or child.kind != "child":
            raise Refused(INVALID, text=f"Param children: {child_id} is not a carousel item.")
        if child.status(self.store.now()) != Status.FINISHED:
            raise Refused(INVALID, text=f"Param children: {child_id} is not ready.")
        return child


def _kind(params: Params) -> str:
    media_type = str(params.get("media_type", ""))
    if media_type not in KINDS:
        raise Refused(UNKNOWN_TYPE, type=media_type)
    kind = KINDS[media_type]
    if _flag(params, "is_carousel_item"):
        if kind != "image":
            raise Refused(INVALID, text=f"Param is_carousel_item is not allowed with {media_type}.")
        return "child"
    return kind


def _check(params: Params, kind: str) -> None:
    for name in params:
        if name not in ALLOWED[kind]:
            raise Refused(INVALID, text=f"param {name} is not allowed")
    _flag(params, "is_ai_generated")
    _check_caption(_text(params, "caption"))
    if len(_text(params, "alt_text")) > MAX_ALT:
        raise Refused(INVALID, text=f"Param alt_text must be at most {MAX_ALT} characters long.")
    _items(params, "user_tags")
    if len(_items(params, "collaborators")) > MAX_COLLABORATORS:
        raise Refused(INVALID, text=f"Param collaborators may hold up to {MAX_COLLABORATORS} usernames.")


def _check_caption(caption: str) -> None:
    if len(caption) > MAX_CAPTION or len(HASHTAG.findall(caption)) > MAX_HASHTAGS:
        raise Refused(CAPTION)
    if len(MENTION.findall(caption)) > MAX_MENTIONS:
        raise Refused(TOO_MANY_TAGS)


def _text(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not is_text(value):
        raise Refused(INVALID, text=f"Param {name} must be a string.")
    return str(value)


def _flag(params: Params, name: str) -> bool:
    value = params.get(name, False)
    word = str(value).lower()
    if word not in {"true", "false", "1", "0"}:
        raise Refused(INVALID, text=f"Param {name} must be a boolean.")
    return word in {"true", "1"}


def _items(params: Params, name: str) -> list[Any]:
    """A list given as JSON, or as words between commas."""
    value = params.get(name, [])
    if isinstance(value, str):
        value = _parsed(value) if value.startswith("[") else [word for word in value.split(",") if word]
    if not isinstance(value, list):
        raise Refused(INVALID, text=f"Param {name} must be an array.")
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
