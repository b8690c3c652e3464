"""The frames of ComfyUI's websocket, taken apart."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREVIEW = 1
PREVIEW_WITH_METADATA = 4
JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Message:
    """A text frame; `prompt_id` is empty where the server names none."""

    type: str
    data: Mapping[str, Any]

    @property
    def prompt_id(self) -> str:
        return str(self.data.get("prompt_id") or "")


@dataclass(frozen=True)
class Picture:
    """A preview; the older kind of frame does not say whose it is."""

    jpeg: bytes = field(repr=False)
    prompt_id: str = ""


Frame = Message | Picture


def read_text(text: str | bytes) -> Message | None:
    """The message in a text frame; None when it is none."""
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    if not isinstance(frame, dict) or not isinstance(frame.get("data"), dict):
        return None
    return Message(str(frame.get("type")), frame["data"])


def read_binary(frame: bytes) -> Picture | None:
    """The JPEG in a preview frame of either kind; None for everything else."""
    if len(frame) < 8:
        return None
    event, word = struct.unpack(">II", frame[:8])
    if event == PREVIEW:
        return _picture(frame[8:], "")
    if event == PREVIEW_WITH_METADATA and len(frame) > 8 + word:
        return _picture(frame[8 + word :], _owner(frame[8 : 8 + word]))
    return None


def _picture(image: bytes, prompt_id: str) -> Picture | None:
    return Picture(image, prompt_id) if image.startswith(JPEG_START) else None


def _owner(metadata: bytes) -> str:
    try:
        return str(json.loads(metadata).get("prompt_id") or "")
    except (ValueError, AttributeError):
        return ""
