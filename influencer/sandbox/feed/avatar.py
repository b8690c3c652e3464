"""The image of an account that has none of its own."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, ImageColor, ImageDraw, ImageFont

SIDE = 96


def initial(name: str) -> bytes:
    """A PNG with the first letter of the name, on a colour that is always the same for it."""
    hue = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2]) % 360
    image = Image.new("RGB", (SIDE, SIDE), ImageColor.getrgb(f"hsl({hue}, 45%, 38%)"))
    font = ImageFont.load_default(SIDE // 2)
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), name[:1].upper(), "white", font, anchor="mm")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
