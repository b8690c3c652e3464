"""The places: eight backdrops painted behind the figure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from influencer.sandbox.art.canvas import Canvas
from influencer.sandbox.art.colour import Colour, mix, tone
from influencer.sandbox.art.shape import Shape, box, curve, disc

OUTDOORS = {"forest", "sea", "dunes", "peaks"}


@dataclass(frozen=True)
class Light:
    """The colours of one place at one time of day; `sun` is where its light hangs."""

    hue: float
    night: bool
    top: Colour
    low: Colour
    far: Colour
    near: Colour
    glow: Colour
    sun: tuple[float, float]


def backdrop(canvas: Canvas, scene: str, rng: random.Random, *, light: Light) -> None:
    """Paint sky, sun and place."""
    _sky(canvas, light)
    if scene in OUTDOORS:
        radius = rng.uniform(0.13, 0.2)
        canvas.fill(disc(light.sun, radius * 1.9), light.glow, 0.22, blur=0.06)
        canvas.fill(disc(light.sun, radius), light.glow)
    PAINTERS[scene](canvas, light, rng)


def light_of(hue: float, rng: random.Random, *, night: bool) -> Light:
    """Colours round the person's hue; light is always warm or pale."""
    hue += rng.uniform(-0.04, 0.04)
    sun = rng.choice([0.24, 0.74]) + rng.uniform(-0.05, 0.05), rng.uniform(0.26, 0.40)
    if night:
        sky = tone(hue, 0.07, 0.24), tone(hue + 0.06, 0.09, 0.46)
        land = tone(hue + 0.02, 0.07, 0.36), tone(hue, 0.06, 0.19)
        return Light(hue, night, *sky, *land, tone(0.22 + rng.uniform(-0.10, 0.05), 0.07, 0.91), sun)
    sky = tone(hue, 0.06, 0.80), tone(hue + 0.09, 0.07, 0.91)
    land = tone(hue + 0.03, 0.08, 0.70), tone(hue, 0.09, 0.45)
    return Light(hue, night, *sky, *land, tone(0.15 + rng.uniform(-0.08, 0.08), 0.09, 0.86), sun)


def _sky(canvas: Canvas, light: Light) -> None:
    strip = Image.new("RGB", (1, 64))
    for y in range(64):
        strip.putpixel((0, y), mix(light.top, light.low, y / 63))
    canvas.image.paste(strip.resize(canvas.size, Image.Resampling.BICUBIC))


def _everywhere(canvas: Canvas) -> Shape:
    return box(canvas.left - 0.1, canvas.top - 0.1, canvas.right + 0.1, canvas.bottom + 0.1)


def _below(canvas: Canvas, y: float) -> Shape:
    return box(canvas.left - 0.1, y, canvas.right + 0.1, canvas.bottom + 0.1)


@dataclass(frozen=True)
class Hills:
    """A row of hills: where its foot is, how high it goes, how many, and whether they are sharp."""

    base: float
    height: float
    steps: int
    jagged: bool = False


def _ridge(canvas: Canvas, rng: random.Random, hills: Hills) -> Shape:
    """The outline of hills from edge to edge, closed below the picture."""
    left, wide = canvas.left - 0.1, canvas.right - canvas.left + 0.2
    count = max(2, round(hills.steps * wide / 1.2))
    crest = [
        (left + wide * i / count, hills.base - hills.height * rng.uniform(0.1, 1)) for i in range(count + 1)
    ]
    foot = [(left + wide, canvas.bottom + 0.1), (left, canvas.bottom + 0.1)]
    return (crest if hills.jagged else curve(crest, closed=False)) + foot


def _forest(canvas: Canvas, light: Light, rng: random.Random) -> None:
    wide = canvas.right - canvas.left
    canvas.fill(_ridge(canvas, rng, Hills(1.02, 0.08, 5)), mix(light.far, light.near, 0.4))
    for layer, colour in enumerate((mix(light.top, light.far, 0.7), light.far, light.near)):
        for _ in range(round((9 - layer * 2) * wide)):
            _fir(canvas, rng, layer, colour)
    canvas.fill(_ridge(canvas, rng, Hills(1.20, 0.08, 4)), light.near)
    for _ in range(round(26 * wide)):
        spark = rng.uniform(canvas.left, canvas.right), rng.uniform(0.3, 1.1)
        canvas.fill(disc(spark, rng.uniform(0.002, 0.005), density=12), light.glow, rng.uniform(0.4, 0.9))


def _fir(canvas: Canvas, rng: random.Random, layer: int, colour: Colour) -> None:
    x, wide = rng.uniform(canvas.left - 0.05, canvas.right + 0.05), rng.uniform(0.05, 0.09) + layer * 0.03
    foot = rng.uniform(0.95, 1.1)
    tip = foot - rng.uniform(0.45, 0.75) - 0.08 * layer
    for tier in range(4):
        top = tip + (foot - tip) * tier * 0.21
        low, half = top + (foot - tip) * 0.36, wide * (0.45 + 0.22 * tier)
        canvas.fill([(x, top), (x + half, low), (x - half, low)], colour)


def _sea(canvas: Canvas, light: Light, rng: random.Random) -> None:
    canvas.fill(_below(canvas, 0.62), light.far)
    canvas.fill(_below(canvas, 0.86), mix(light.far, light.near, 0.22), 0.6)
    for line in range(16):
        half = rng.uniform(0.03, 0.15) * (1 - line * 0.03)
        x = light.sun[0] + rng.uniform(-0.05, 0.05)
        canvas.fill(disc((x, 0.64 + line * 0.034), half, 0.0045), light.glow, 0.75)
    canvas.fill(_ridge(canvas, rng, Hills(1.0, 0.10, 7)), light.near)


def _city(canvas: Canvas, light: Light, rng: random.Random) -> None:
    rows = ((mix(light.low, light.far, 0.55), 0.25), (light.far, 0.5), (light.near, 0.9))
    for layer, (colour, lit) in enumerate(rows):
        x = canvas.left - 0.05
        while x < canvas.right + 0.05:
            wide = rng.uniform(0.07, 0.16)
            top = rng.uniform(0.28, 0.58) + layer * 0.13
            canvas.fill(box(x, top, x + wide, canvas.bottom + 0.1), colour)
            _windows(canvas, rng, box(x, top, x + wide, top), shade=(light.glow, lit))
            x += wide + 0.006


def _windows(canvas: Canvas, rng: random.Random, house: Shape, *, shade: tuple[Colour, float]) -> None:
    (left, top), (right, _) = house[:2]
    for column in range(int((right - left) / 0.024) - 1):
        for row in range(13):
            if rng.random() < 0.28:
                x, y = left + 0.014 + column * 0.024, top + 0.03 + row * 0.036
                canvas.fill(box(x, y, x + 0.01, y + 0.017), *shade)


def _dunes(canvas: Canvas, light: Light, rng: random.Random) -> None:
    shades = mix(light.low, light.far, 0.5), light.far, mix(light.far, light.near, 0.5), light.near
    for layer, colour in enumerate(shades):
        canvas.fill(_ridge(canvas, rng, Hills(0.72 + layer * 0.13, 0.16, 4)), colour)


def _peaks(canvas: Canvas, light: Light, rng: random.Random) -> None:
    for layer, colour in enumerate((mix(light.top, light.far, 0.5), light.far, light.near)):
        hills = Hills(0.66 + layer * 0.16, 0.30 - layer * 0.05, 8 - layer, jagged=True)
        canvas.fill(_ridge(canvas, rng, hills), colour)


def _arch(canvas: Canvas, light: Light, rng: random.Random) -> None:
    canvas.fill(_everywhere(canvas), tone(light.hue + 0.09, 0.07, 0.86))
    x, floor = 0.5 + (light.sun[0] - 0.5) * 0.25, canvas.bottom + 0.1
    layers = (
        (0.47, tone(light.hue + 0.03, 0.09, 0.76)),
        (0.37, tone(light.hue, 0.10, 0.64)),
        (0.27, light.glow),
    )
    for radius, colour in layers:
        angles = [math.pi + step * math.pi / 40 for step in range(41)]
        round_top = [(x + radius * math.cos(angle), 0.58 + radius * math.sin(angle)) for angle in angles]
        canvas.fill([*round_top, (x + radius, floor), (x - radius, floor)], colour)


def _window(canvas: Canvas, light: Light, rng: random.Random) -> None:
    canvas.fill(_everywhere(canvas), tone(light.hue, 0.05, 0.72))
    left, lean = light.sun[0] - 0.24, 0.016
    for column in range(2):
        for row in range(3):
            x, y = left + column * 0.25, 0.10 + row * 0.28
            pane = [(x, y), (x + 0.23, y), (x + 0.23 - lean, y + 0.26), (x - lean, y + 0.26)]
            canvas.fill(pane, mix(light.low, "#ffffff", 0.35), 0.9)
    _plant(canvas, light, rng)


def _plant(canvas: Canvas, light: Light, rng: random.Random) -> None:
    x = 0.9 if light.sun[0] < 0.5 else 0.1
    for leaf in range(7):
        angle, size = -math.pi / 2 + (leaf - 3) * 0.36, rng.uniform(0.26, 0.42)
        across, down = math.cos(angle), math.sin(angle)
        tip = x + size * across, 1.12 + size * 1.5 * down
        middle = x + size * 0.5 * across, 1.12 + size * 0.8 * down
        side = -down * 0.045, across * 0.045
        outline = [
            (x, 1.15),
            (middle[0] + side[0], middle[1] + side[1]),
            tip,
            (middle[0] - side[0], middle[1] - side[1]),
        ]
        canvas.fill(curve(outline), mix(light.near, light.far, (leaf % 3) * 0.3))
    canvas.fill(
        [(x - 0.09, 1.12), (x + 0.09, 1.12), (x + 0.07, 1.32), (x - 0.07, 1.32)],
        mix(light.near, light.glow, 0.35),
    )


def _studio(canvas: Canvas, light: Light, rng: random.Random) -> None:
    canvas.fill(_everywhere(canvas), tone(light.hue, 0.09, 0.66))
    canvas.fill(disc((0.5, 0.56), 0.44), tone(light.hue + 0.04, 0.09, 0.78))
    slope = 0.08 * (canvas.right - canvas.left)
    floor = [(canvas.left, 0.94 + slope / 2), (canvas.right, 0.94 - slope / 2)]
    corners = [(canvas.right, canvas.bottom + 0.1), (canvas.left, canvas.bottom + 0.1)]
    canvas.fill(floor + corners, tone(light.hue, 0.10, 0.52))


PAINTERS: dict[str, Callable[[Canvas, Light, random.Random], None]] = {
    "forest": _forest,
    "sea": _sea,
    "city": _city,
    "dunes": _dunes,
    "arch": _arch,
    "peaks": _peaks,
    "window": _window,
    "studio": _studio,
}
SCENES = tuple(PAINTERS)
