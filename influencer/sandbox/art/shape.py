"""Outlines as lists of points."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

Point = tuple[float, float]
Shape = list[Point]


def curve(points: Iterable[Point], *, closed: bool = True, density: int = 14) -> Shape:
    """A smooth line (Catmull-Rom) through the points."""
    knots = list(points)
    ends = [knots[-1], *knots, knots[0], knots[1]] if closed else [knots[0], *knots, knots[-1]]
    smooth = [
        (_spline((a[0], b[0], c[0], d[0]), step / density), _spline((a[1], b[1], c[1], d[1]), step / density))
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
        for step in range(density)
    ]
    return smooth if closed else [*smooth, knots[-1]]


def _spline(knots: tuple[float, float, float, float], at: float) -> float:
    before, start, end, after = knots
    return 0.5 * (
        2 * start
        + (end - before) * at
        + (2 * before - 5 * start + 4 * end - after) * at**2
        + (3 * start - before - 3 * end + after) * at**3
    )


def mirror(half: Shape) -> Shape:
    """The right half of a figure with its left half added."""
    return half + flip([point for point in reversed(half) if abs(point[0]) > 1e-6])


def flip(points: Shape) -> Shape:
    return [(-x, y) for x, y in points]


def disc(centre: Point, width: float, height: float | None = None, *, density: int = 0) -> Shape:
    """An ellipse of the two radii; without `density` large ones get more points."""
    tall = height or width
    density = density or round(min(40 + 300 * max(width, tall), 160))
    angles = (step * math.tau / density for step in range(density))
    return [(centre[0] + width * math.cos(angle), centre[1] + tall * math.sin(angle)) for angle in angles]


def box(left: float, top: float, right: float, bottom: float) -> Shape:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def arc(centre: Point, radii: Point, *, count: int, span: Point) -> Shape:
    """`count` + 1 points along an ellipse, from one angle to the other."""
    angles = [span[0] + (span[1] - span[0]) * index / count for index in range(count + 1)]
    return [
        (centre[0] + radii[0] * math.cos(angle), centre[1] + radii[1] * math.sin(angle)) for angle in angles
    ]


def blobs(rng: random.Random, centres: Shape, size: float) -> list[Shape]:
    """Discs of uneven size round the points."""
    return [disc(centre, size * rng.uniform(0.8, 1.2), density=24) for centre in centres]
