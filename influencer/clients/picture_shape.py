"""The shapes and sizes a platform takes, and how an image is brought into them.

A shape that would be refused is cropped when at most a quarter of the image is lost that way, sides
evenly and more from below than from above, where faces are; else white is added.
Sources: Instagram's reference of `ig-user/media` (4:5 to 1.91:1, 320 to 1440 px wide, 8 MB);
docs.x.com/x-api/media (5 MB).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from PIL import Image

from influencer.clients.platform import Platform

Fitted = Literal["", "cropped", "padded"]
MAX_LOSS = Fraction(1, 4)
FROM_ABOVE = Fraction(1, 3)
NARROWEST, BROADEST = Fraction(1, 100_000_000), Fraction(100_000_000)


@dataclass(frozen=True)
class Limits:
    """What a platform takes: file size in bytes, widths and heights in pixels, shapes as width / height."""

    max_bytes: int
    max_width: int
    max_height: int
    min_width: int = 0
    tallest: Fraction = NARROWEST
    widest: Fraction = BROADEST


LIMITS = {
    Platform.INSTAGRAM: Limits(8_000_000, 1440, 1800, 320, Fraction(4, 5), Fraction(191, 100)),
    Platform.X: Limits(5_000_000, 4096, 4096),
}


def shape(image: Image.Image, limits: Limits) -> tuple[Image.Image, Fitted]:
    """Within the platform's shapes: cropped a little, or padded with white."""
    ratio = Fraction(image.width, image.height)
    wanted = min(max(ratio, limits.tallest), limits.widest)
    if wanted == ratio:
        return image, ""
    if 1 - min(ratio, wanted) / max(ratio, wanted) <= MAX_LOSS:
        return _crop(image, wanted), "cropped"
    return _pad(image, wanted, limits), "padded"


def _crop(image: Image.Image, wanted: Fraction) -> Image.Image:
    width, height = image.size
    if Fraction(width, height) < wanted:
        kept = int(width / wanted)
        top = int((height - kept) * FROM_ABOVE)
        return image.crop((0, top, width, top + kept))
    kept = int(height * wanted)
    left = (width - kept) // 2
    return image.crop((left, 0, left + kept, height))


def _pad(image: Image.Image, wanted: Fraction, limits: Limits) -> Image.Image:
    """On the smallest white sheet; reduced first, as a sliver would make a huge one."""
    inside = resize(image, replace(limits, min_width=0, tallest=NARROWEST, widest=BROADEST))
    width, height = inside.size
    if Fraction(width, height) < wanted:
        sheet = (_up(height * wanted), height)
    else:
        sheet = (width, _up(width / wanted))
    white = Image.new("RGB", sheet, "white")
    white.paste(inside, ((sheet[0] - width) // 2, (sheet[1] - height) // 2))
    return white


def resize(image: Image.Image, limits: Limits) -> Image.Image:
    """No larger than the platform takes and no narrower, in the same shape."""
    width, height = image.size
    scale = min(Fraction(limits.max_width, width), Fraction(limits.max_height, height), Fraction(1))
    scale = max(scale, Fraction(limits.min_width, width))
    if scale == 1:
        return image
    new_width = max(1, round(width * scale))
    # Rounding must not push the shape over the edge.
    highest, lowest = int(new_width / limits.tallest), _up(new_width / limits.widest)
    new_height = min(max(round(height * scale), lowest), highest)
    return image.resize((new_width, new_height), Image.Resampling.LANCZOS)


def _up(number: Fraction) -> int:
    return max(1, math.ceil(number))
