"""`POST /2/media/upload` and `/2/media/metadata`."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import BodyPartReader, web
from PIL import Image

from influencer.sandbox.store import (
    DAY,
    Account,
    Picture,
    Store,
    is_text,
    pictures_from_json,
    pictures_to_json,
)
from influencer.sandbox.x import problems
from influencer.sandbox.x.ids import new_id
from influencer.sandbox.x.problems import invalid

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_ALT = 1_000
FORMATS = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png")}
FORMATS |= {"GIF": ("image/gif", "gif"), "WEBP": ("image/webp", "webp")}
PARAMETERS = {"media", "media_category", "media_type", "additional_owners", "shared"}


@dataclass(frozen=True)
class Upload:
    """An uploaded image; a post can use it for 24 hours."""

    id: str
    account: str
    picture: Picture
    created: float


async def receive(request: web.Request) -> dict[str, bytes]:
    """The parameters of an upload, multipart or JSON with base64. Raises `Refused`."""
    if request.content_type.startswith("multipart/"):
        fields = await _multipart(request)
    elif request.content_type == "application/json":
        fields = await _json(request)
    else:
        raise problems.plain(415, "Unsupported Media Type")
    for name in fields:
        if name not in PARAMETERS:
            raise invalid(f"[$.{name}: is not defined in the schema]", **{name: ""})
    return fields


async def _multipart(request: web.Request) -> dict[str, bytes]:
    fields: dict[str, bytes] = {}
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                fields[part.name] = await _limited(part)
    except ValueError as error:
        raise invalid("The multipart body can't be read.") from error
    return fields


async def _limited(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > MAX_BYTES:
            raise _too_large()
    return bytes(content)


async def _json(request: web.Request) -> dict[str, bytes]:
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BYTES * 4 // 3 + 10_000:
            raise _too_large()
    try:
        fields = json.loads(body)
        media = base64.b64decode(fields.pop("media", ""), validate=True)
        return {"media": media} | {name: str(value).encode() for name, value in fields.items()}
    except (ValueError, AttributeError, TypeError, binascii.Error) as error:
        raise invalid("The JSON body can't be read.") from error


def _too_large() -> problems.Refused:
    return problems.plain(413, "Payload Too Large", "The media is larger than 5 MB.")


async def add_upload(store: Store, account: Account, fields: dict[str, bytes]) -> dict[str, Any]:
    """Keep the image; returns the `data` of the answer. Raises `Refused`."""
    if not fields.get("media"):
        raise invalid("The `media` parameter is required.", media="")
    category = fields.get("media_category", b"").decode(errors="replace")
    if category != "tweet_image":
        raise invalid(
            "The `media_category` parameter is required; here it may be tweet_image.", media_category=category
        )
    content = fields["media"]
    mime, suffix, width, height = await asyncio.to_thread(_inspect, content)
    picture = Picture(store.keep_image(content, suffix), width, height)
    upload = Upload(new_id(store), account.id, picture, store.now())
    store.db.execute(
        "INSERT INTO uploads VALUES (?, ?, ?, ?)",
        (upload.id, upload.account, pictures_to_json((picture,)), upload.created),
    )
    return {
        "id": upload.id,
        "media_key": f"3_{upload.id}",
        "size": len(content),
        "expires_after_secs": DAY,
        "image": {"image_type": mime, "w": width, "h": height},
    }


def _inspect(content: bytes) -> tuple[str, str, int, int]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format not in FORMATS or image.width * image.height > MAX_PIXELS:
                raise ValueError
            image.load()
            return *FORMATS[image.format], image.width, image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise invalid("The media could not be processed; it is not an image X accepts.", media="") from error


def usable(store: Store, account: Account, media_id: str) -> Upload | None:
    """The account's own upload, not older than 24 hours."""
    if not media_id.isascii():
        return None
    row = store.db.execute(
        "SELECT * FROM uploads WHERE id = ? AND account = ? AND created > ?",
        (media_id, account.id, store.now() - DAY),
    ).fetchone()
    if row is None:
        return None
    return Upload(row["id"], row["account"], pictures_from_json(row["picture"])[0], row["created"])


def set_alt_text(store: Store, account: Account, body: Any) -> dict[str, Any]:
    """Body `{"id", "metadata": {"alt_text": {"text"}}}`; returns the `data`. Raises `Refused`."""
    media_id, text = _alt_text(body)
    upload = usable(store, account, media_id)
    if upload is None:
        raise invalid(problems.BAD_MEDIA, id=media_id)
    picture = replace(upload.picture, alt=text)
    store.db.execute("UPDATE uploads SET picture = ? WHERE id = ?", (pictures_to_json((picture,)), media_id))
    return {"id": media_id, "associated_metadata": {"alt_text": {"text": text}}}


def _alt_text(body: Any) -> tuple[str, str]:
    try:
        media_id, text = body["id"], body["metadata"]["alt_text"]["text"]
    except (KeyError, TypeError) as error:
        raise invalid("`id` and `metadata.alt_text.text` are required.") from error
    if not is_text(media_id) or not is_text(text):
        raise invalid("`id` and `metadata.alt_text.text` must be strings.")
    if not 0 < len(text) <= MAX_ALT:
        raise invalid(f"`metadata.alt_text.text` must be 1 to {MAX_ALT} characters long.")
    return media_id, text
