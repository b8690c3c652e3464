"""The JPEG that goes out: made for the platform, and marked as made by a model."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from influencer import effective
from influencer.clients import content_credentials, picture
from influencer.clients.picture import Picture
from influencer.clients.platform import Platform

START_OF_SCAN = 0xDA
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def picture_for(content: bytes, platform: Platform | str, *, ai: bool) -> Picture:
    """As `picture.for_platform`, and signed where a certificate is configured.

    Nothing of the stored file's recipe goes along. Without the label it says nothing of its making.
    Raises `Invalid`, `Unavailable` (`not_signed`).
    """
    made, config = picture.for_platform(content, platform, ai=ai), effective.config()
    if not ai or not config.c2pa_cert:
        return made
    jpeg = content_credentials.sign(made.jpeg, certificate=config.c2pa_cert, key=config.c2pa_key)
    return replace(made, jpeg=jpeg)


def metadata(jpeg: bytes) -> list[tuple[str, int, str]]:
    """Everything in a JPEG beside the picture: segment, bytes, and its text where it is one."""
    return [(name, len(body), _text(name, body)) for name, body in _segments(jpeg)]


def _segments(jpeg: bytes) -> Iterator[tuple[str, bytes]]:
    """The APPn and COM segments before the picture's data."""
    at = 2
    while at + 4 <= len(jpeg) and (marker := jpeg[at + 1]) != START_OF_SCAN:
        (size,) = struct.unpack(">H", jpeg[at + 2 : at + 4])
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            body = jpeg[at + 4 : at + 2 + size]
            yield ("COM" if marker == 0xFE else f"APP{marker - 0xE0}", body)
        at += 2 + size


def _text(name: str, body: bytes) -> str:
    if body.startswith(XMP):
        return body.removeprefix(XMP).decode("utf-8", "replace").strip()
    said = body if name == "COM" else body[:4]
    return "C2PA" if name == "APP11" else said.decode("ascii", "replace").strip("\0")
