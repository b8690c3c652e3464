"""Pictures to learn from, and trainings that were begun."""

from __future__ import annotations

import io
import random
from functools import cache
from typing import Any

from PIL import Image, ImageFilter

from characters.models import Character
from characters.training import services
from characters.training.dataset import Source
from characters.training.forms import Wish
from characters.training.models import Training

# Small, so that the test pictures are drawn quickly.
BASE = "v1-5-pruned-emaonly-fp16.safetensors"
STEPS = 40


def portrait(number: int, width: int = 512, height: int = 640) -> Image.Image:
    """A sharp picture unlike every other."""
    fields = random.Random(number).randbytes(256)
    grey = Image.frombytes("L", (16, 16), fields)
    return Image.merge("RGB", (grey, grey.rotate(90), grey.rotate(180))).resize((width, height), 0)


@cache
def png(number: int, **size: int) -> bytes:
    return encoded(portrait(number, **size))


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def blurred(number: int) -> bytes:
    return encoded(portrait(number).filter(ImageFilter.GaussianBlur(24)))


def source(content: bytes, name: str = "picture.png", caption: str = "") -> Source:
    return Source(name, lambda: content, caption)


def sources(count: int = 5, first: int = 0) -> list[Source]:
    return [
        source(png(number), f"{number}.png", f"smiling {number}") for number in range(first, first + count)
    ]


def begun(character: Character, count: int = 5, **wish: Any) -> Training:
    given = {"base_model": BASE, "steps": STEPS, "seed": 3, **wish}
    return services.start(character, sources(count), Wish(**given))
