"""Fetching `image_url` as Meta does, but only ever from the dashboard's own address."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from PIL import Image

from influencer.sandbox.instagram.answers import (
    ASPECT,
    NOT_FETCHED,
    NOT_JPEG,
    SLOW_DOWNLOAD,
    TOO_LARGE,
    Refused,
)

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 50_000_000
NARROWEST, WIDEST = 0.8, 1.91
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Fetched:
    """A JPEG within Instagram's limits."""

    content: bytes
    width: int
    height: int


async def fetch_image(url: str, app_url: str, *, story: bool = False) -> Fetched:
    """GET and check the image. Raises `Refused`: 9004, -2, 36000, 36001 or 36003."""
    if not _is_own(url, app_url):
        raise Refused(NOT_FETCHED, url=url)
    started = time.monotonic()
    content = await _download(url)
    logger.info("dashboard image %d bytes %d ms", len(content), (time.monotonic() - started) * 1000)
    image_format, width, height = await asyncio.to_thread(_inspect, content, url)
    if image_format != "JPEG":
        raise Refused(NOT_JPEG, format=image_format)
    if not story and not NARROWEST <= round(width / height, 2) <= WIDEST:
        raise Refused(ASPECT, ratio=f"{width / height:.3f}")
    return Fetched(content, width, height)


def _is_own(url: str, app_url: str) -> bool:
    """Whether the URL lies on the dashboard; nothing else is ever contacted."""
    try:
        given, own = urlsplit(url), urlsplit(app_url)
        same_port = given.port == own.port
    except ValueError:
        return False
    same_host = given.hostname == own.hostname or {given.hostname, own.hostname} <= LOOPBACK
    return url.isascii() and given.scheme == own.scheme and same_host and same_port and not given.username


async def _download(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200 or not answer.content_type.startswith("image/"):
                raise Refused(NOT_FETCHED, url=url)
            return await _read(answer)
    except TimeoutError:
        raise Refused(SLOW_DOWNLOAD) from None
    except aiohttp.ClientError:
        raise Refused(NOT_FETCHED, url=url) from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > MAX_BYTES:
            raise Refused(TOO_LARGE)
    return bytes(content)


def _inspect(content: bytes, url: str) -> tuple[str, int, int]:
    """Format and size of the image, decoded in full. Raises `Refused` (9004)."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refused(NOT_FETCHED, url=url)
            image.load()
            return image.format or "unknown", image.width, image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refused(NOT_FETCHED, url=url) from None
