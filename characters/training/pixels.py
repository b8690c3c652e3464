"""What training looks at in a picture, and the shape it takes."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps, ImageStat

from influencer.clients import picture
from influencer.clients.picture import Verified

THUMBNAIL_SIDE = 512
GRID = 64
WIDEST = 2.0
# People's heads are rather above than below.
KEPT = (0.5, 1 / 3)
# As ComfyUI writes its own; higher levels are slow and hardly smaller.
COMPRESSION = 4
LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


@dataclass(frozen=True)
class Facts:
    """One picture that decodes. `likeness` is 64 bits as hex, `sharpness` the variance of its edges."""

    verified: Verified
    likeness: str
    sharpness: float
    thumbnail: bytes


def examine(content: bytes) -> Facts:
    """Decode a picture and look at it. Raises `Invalid` for what is none."""
    found = picture.examine(content, thumbnail_size=THUMBNAIL_SIDE)
    with Image.open(io.BytesIO(found.thumbnail)) as small:
        grey = small.convert("L")
    return Facts(found.verified, _likeness(grey), _sharpness(grey), found.thumbnail)


def distance(one: str, other: str) -> int:
    """How many of the 64 bits of two likenesses differ; a few for copies, about 30 for strangers."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def shape(width: int, height: int, resolution: int) -> tuple[int, int]:
    """Multiples of 64 with about `resolution`² pixels, as near to the picture's own shape as 1:2 to 2:1."""
    ratio = min(max(width / height, 1 / WIDEST), WIDEST)
    return _on_grid(resolution * math.sqrt(ratio)), _on_grid(resolution / math.sqrt(ratio))


def enlargement(width: int, height: int, resolution: int) -> float:
    """How much larger a picture is made for training; below 1 it loses pixels."""
    wanted = shape(width, height, resolution)
    return max(wanted[0] / width, wanted[1] / height)


def fit(content: bytes, resolution: int) -> bytes:
    """A PNG in the shape of `shape`: upright, sRGB, on white, what stands over cut off. Raises `Invalid`."""
    upright = picture.upright(content)
    fitted = ImageOps.fit(upright, shape(*upright.size, resolution), Image.Resampling.LANCZOS, centering=KEPT)
    file = io.BytesIO()
    fitted.save(file, "PNG", compress_level=COMPRESSION)
    return file.getvalue()


def is_one_colour(content: bytes) -> bool:
    """Whether a picture shows nothing: what a LoRA of broken numbers paints."""
    with Image.open(io.BytesIO(content)) as image:
        # The middle only: the sandbox writes its mark into a corner.
        middle = ImageOps.crop(image.convert("RGB"), min(image.size) // 4)
        bands = [band.getextrema() for band in middle.split()]
    return all(low == high for low, high in bands)


def _on_grid(side: float) -> int:
    return max(GRID, round(side / GRID) * GRID)


def _likeness(grey: Image.Image) -> str:
    """Whether it gets darker from each of 8x8 fields to the next: the same for resized copies."""
    rows = grey.resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = "".join(str(int(rows[i] > rows[i + 1])) for i in range(72) if i % 9 != 8)
    return f"{int(bits, 2):016x}"


def _sharpness(grey: Image.Image) -> float:
    # The kernel leaves a frame of one pixel as it was.
    edges = ImageOps.crop(grey.filter(LAPLACE), 1) if min(grey.size) > 4 else grey
    return round(float(ImageStat.Stat(edges).var[0]), 1)
