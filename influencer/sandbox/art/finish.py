"""The last touches: grain, the SANDBOX mark, and half-made previews."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageChops, ImageDraw, ImageFont

from influencer.sandbox.art.chance import seeded

WORD = "SANDBOX"
GRAIN = 9
PREVIEW_SIDE = 48


def grain(image: Image.Image, rng: random.Random) -> Image.Image:
    """A light, even grain, as on paper."""
    width, height = max(1, image.width // 2), max(1, image.height // 2)
    noise = Image.frombytes("L", (width, height), rng.randbytes(width * height))
    soft = noise.point(lambda value: 128 + round((value - 128) * GRAIN / 128))
    soft = soft.resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.overlay(image, Image.merge("RGB", (soft, soft, soft)))


def mark(image: Image.Image) -> Image.Image:
    """The word SANDBOX in a small pill, bottom right: legible, never across the face."""
    image = image.copy()
    scale = max(min(image.size) / 480, 0.75)
    font = ImageFont.load_default(size=round(11 * scale))
    text = " ".join(WORD) if min(image.size) >= 240 else WORD
    draw = ImageDraw.Draw(image, "RGBA")
    wide = draw.textlength(text, font=font)
    x, y = image.width - wide - 20 * scale, image.height - 29 * scale
    pill = (x - 8 * scale, y - 4 * scale, x + wide + 8 * scale, y + 16 * scale)
    draw.rounded_rectangle(pill, 10 * scale, fill=(12, 12, 14, 120))
    draw.text((x, y - scale), text, font=font, fill=(255, 255, 255, 225))
    return image


def preview(image: Image.Image, left: float, side: int) -> bytes:
    """A JPEG of `image` as it looks with the share `left` (0 to 1) of the steps to go.

    The longer side is `side` pixels.
    """
    factor = PREVIEW_SIDE / max(image.size)
    small = image.resize(_times(image.size, factor), Image.Resampling.BOX)
    rng = seeded(f"{image.size}|{left}")
    noise = Image.frombytes("RGB", small.size, rng.randbytes(small.width * small.height * 3))
    large = _times(image.size, side / max(image.size))
    half_made = Image.blend(small, noise, 0.85 * left).resize(large, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    half_made.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _times(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
