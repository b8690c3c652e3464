"""Seven haircuts, each a shape behind the head and one before it."""

from __future__ import annotations

import math
import random

from influencer.sandbox.art.person import Person
from influencer.sandbox.art.shape import Shape, arc, blobs, curve, disc, flip, mirror

LONG_BACK = [
    (0, -0.30),
    (0.09, -0.288),
    (0.168, -0.228),
    (0.212, -0.12),
    (0.232, 0.02),
    (0.25, 0.22),
    (0.275, 0.45),
    (0.23, 0.62),
    (0.0, 0.66),
]
WAVE_BACK = [
    (0, -0.31),
    (0.10, -0.295),
    (0.18, -0.235),
    (0.226, -0.12),
    (0.225, 0),
    (0.285, 0.13),
    (0.25, 0.27),
    (0.32, 0.40),
    (0.25, 0.55),
    (0, 0.58),
]
BOB_BACK = [
    (0, -0.30),
    (0.09, -0.288),
    (0.172, -0.225),
    (0.218, -0.11),
    (0.238, 0.04),
    (0.245, 0.17),
    (0.19, 0.245),
    (0, 0.24),
]
BUN_BACK = [(0, -0.272), (0.125, -0.25), (0.185, -0.14), (0.18, 0.02), (0.12, 0.12), (0, 0.14)]
SHORT_BACK = [(0, -0.262), (0.125, -0.245), (0.18, -0.14), (0.178, 0), (0.14, 0.06), (0, 0.08)]


def behind(who: Person, rng: random.Random) -> list[Shape]:
    """What falls behind the neck, in figure coordinates."""
    if who.style in ("long", "fringe"):
        return [curve(mirror(LONG_BACK))]
    if who.style == "wave":
        return [curve(mirror(WAVE_BACK))]
    if who.style == "bob":
        return [curve(mirror(BOB_BACK))]
    if who.style == "bun":
        return [disc((0.015, -0.335), 0.105, 0.095), curve(mirror(BUN_BACK))]
    if who.style == "curly":
        edge = blobs(rng, arc((0, -0.07), (0.19, 0.20), count=22, span=(0.0, math.tau)), 0.105)
        return [*edge, disc((0, -0.09), 0.23, 0.22)]
    return [curve(mirror(SHORT_BACK))]


def before(who: Person, rng: random.Random) -> list[Shape]:
    """What frames the face, in figure coordinates."""
    if who.style in ("long", "wave"):
        return _parted(-0.03, 0.30) if who.style == "long" else _parted(-0.075, 0.24)
    if who.style == "curly":
        edge = arc((0, -0.06), (0.155, 0.145), count=13, span=(math.pi * 1.02, math.pi * 1.98))
        return blobs(rng, edge, 0.062)
    return {"bob": _bob, "fringe": _fringe, "bun": _bun}.get(who.style, _short)()


def _parted(parting: float, end: float) -> list[Shape]:
    right = [
        (parting, -0.262),
        (0.07, -0.215),
        (0.125, -0.135),
        (0.152, -0.02),
        (0.160, 0.12),
        (0.175, end),
        (0.245, end),
        (0.234, 0.02),
        (0.213, -0.12),
        (0.17, -0.226),
        (0.09, -0.29),
        (0.0, -0.306),
    ]
    left = [
        (parting, -0.262),
        (-0.10, -0.20),
        (-0.14, -0.11),
        (-0.158, 0.0),
        (-0.163, 0.12),
        (-0.18, end - 0.03),
        (-0.245, end),
        (-0.234, 0.02),
        (-0.213, -0.12),
        (-0.17, -0.226),
        (-0.09, -0.29),
        (0.0, -0.306),
    ]
    return [curve(right), curve(left)]


def _bob() -> list[Shape]:
    right = [
        (0.06, -0.27),
        (0.12, -0.19),
        (0.148, -0.08),
        (0.158, 0.05),
        (0.165, 0.15),
        (0.205, 0.215),
        (0.243, 0.14),
        (0.236, 0.0),
        (0.216, -0.115),
        (0.172, -0.226),
        (0.09, -0.29),
        (0, -0.306),
    ]
    left = [
        (0.06, -0.275),
        (-0.02, -0.20),
        (-0.11, -0.135),
        (-0.152, -0.05),
        (-0.160, 0.06),
        (-0.165, 0.15),
        (-0.205, 0.215),
        (-0.243, 0.14),
        (-0.236, 0.0),
        (-0.216, -0.115),
        (-0.172, -0.226),
        (-0.09, -0.29),
        (0, -0.306),
    ]
    return [curve(right), curve(left)]


def _fringe() -> list[Shape]:
    bang = [
        (-0.165, -0.02),
        (-0.145, -0.092),
        (-0.07, -0.084),
        (0, -0.079),
        (0.07, -0.084),
        (0.145, -0.092),
        (0.165, -0.02),
        (0.208, -0.06),
        (0.205, -0.14),
        (0.162, -0.235),
        (0.085, -0.292),
        (0, -0.308),
        (-0.085, -0.292),
        (-0.162, -0.235),
        (-0.205, -0.14),
        (-0.208, -0.06),
    ]
    side = [(0.148, -0.08), (0.158, 0.06), (0.168, 0.30), (0.235, 0.36), (0.232, 0.02), (0.205, -0.14)]
    return [curve(bang), curve(side), curve(flip(side))]


def _bun() -> list[Shape]:
    half = [
        (0, -0.286),
        (0.08, -0.274),
        (0.148, -0.218),
        (0.180, -0.12),
        (0.176, -0.02),
        (0.160, 0.02),
        (0.150, -0.07),
        (0.118, -0.145),
        (0.055, -0.178),
        (0, -0.182),
    ]
    return [curve(mirror(half))]


def _short() -> list[Shape]:
    outline = [
        (-0.172, 0.0),
        (-0.158, -0.07),
        (-0.148, -0.13),
        (-0.06, -0.150),
        (0.03, -0.178),
        (0.09, -0.16),
        (0.142, -0.115),
        (0.160, -0.05),
        (0.170, 0.0),
        (0.184, -0.10),
        (0.168, -0.20),
        (0.115, -0.268),
        (0.04, -0.302),
        (-0.06, -0.296),
        (-0.135, -0.25),
        (-0.178, -0.18),
        (-0.186, -0.09),
    ]
    return [curve(outline)]
