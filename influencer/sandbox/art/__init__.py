"""Sandbox art: a deterministic portrait from a prompt and a seed.

No clock and no global random state: the same wish, seed and size always give the
same pixels, and the same trigger word is always the same person.
"""

from __future__ import annotations

import random

from PIL import Image

from influencer.sandbox.art import figure
from influencer.sandbox.art.canvas import Canvas
from influencer.sandbox.art.chance import seeded
from influencer.sandbox.art.finish import grain, mark, preview
from influencer.sandbox.art.person import Person, person
from influencer.sandbox.art.scene import SCENES, backdrop, light_of
from influencer.sandbox.art.wish import Wish

__all__ = ["SCENES", "Person", "Wish", "draw", "mark", "person", "preview"]

FRAMINGS = {"close": (1.42, 0.60), "bust": (1.08, 0.56), "far": (0.66, 0.78)}


def draw(wish: Wish, seed: int, size: tuple[int, int]) -> Image.Image:
    """An RGB picture of `size` pixels; it does not yet carry the SANDBOX mark."""
    who = person(wish.name)
    # A LoRA trained here shows in where and how the person stands; who it is stays the trigger word's.
    rng = seeded("|".join([wish.name, wish.place, str(seed), *filter(None, [wish.taught])]))
    canvas = Canvas(size)
    place = wish.place or rng.choice(SCENES)
    light = light_of(who.hue, rng, night=_night(wish, place, rng))
    backdrop(canvas, place, rng, light=light)
    _pose(canvas, wish, rng)
    figure.draw(canvas, who, rng, light=light, away=wish.away)
    image = canvas.image.resize(size, Image.Resampling.LANCZOS)
    return grain(image, seeded(seed))


def _night(wish: Wish, place: str, rng: random.Random) -> bool:
    chance = {"city": 0.8, "forest": 0.7, "sea": 0.35, "peaks": 0.35}.get(place, 0.0)
    drawn = rng.random() < chance
    return drawn if wish.night is None else wish.night


def _pose(canvas: Canvas, wish: Wish, rng: random.Random) -> None:
    framing = rng.choice(["bust", "bust", "close", "far"])
    scale, down = FRAMINGS[wish.framing or framing]
    sideways = 0.05 + 0.12 * max(0.0, canvas.right - canvas.left - 1.2)
    centre = 0.5 + rng.uniform(-1, 1) * sideways, down + rng.uniform(-0.02, 0.02)
    canvas.place(centre, scale=scale * rng.uniform(0.96, 1.05), tilt=rng.uniform(-7, 7))
