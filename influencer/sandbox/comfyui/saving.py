"""Writes pictures as PNG files with the recipe inside, as `SaveImage` does."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from influencer.sandbox import art

# Level 4 is ComfyUI's; the grain in a drawing makes higher levels slow and hardly smaller.
COMPRESSION = 4


def text_chunks(graph: dict[str, Any], extra: dict[str, Any]) -> PngInfo:
    """The graph, what the client asked to be kept, and that this is a sandbox image."""
    info = PngInfo()
    info.add_text("prompt", json.dumps(graph))
    for name, content in (extra.get("extra_pnginfo") or {}).items():
        info.add_text(name, json.dumps(content))
    info.add_text("sandbox", "true")
    return info


def encode(image: Image.Image, info: PngInfo) -> bytes:
    """The PNG of an image, with SANDBOX written into its corner."""
    buffer = io.BytesIO()
    art.mark(image).save(buffer, "PNG", pnginfo=info, compress_level=COMPRESSION)
    return buffer.getvalue()


def write(path: Path, image: Image.Image, info: PngInfo) -> None:
    path.write_bytes(encode(image, info))


def write_broken(path: Path, image: Image.Image, info: PngInfo) -> None:
    """A file that ends in the middle, as after a full disk."""
    content = encode(image, info)
    path.write_bytes(content[: len(content) // 2])
