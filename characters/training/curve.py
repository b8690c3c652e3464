"""The loss as a curve: points on a drawing of fixed size, gridlines, and the numbers for a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Place = tuple[int, int]

LEFT, RIGHT, TOP, BOTTOM = 40, 540, 12, 120
# Single steps jump about: from here on neighbours are drawn as one.
MOST_POINTS = 60
MOST_ROWS = 12
LINES = 4
# Each has quarters of two figures at most.
NICE = (1, 2, 4, 6, 8, 10)


@dataclass(frozen=True)
class Mark:
    """A number on an axis and where it stands."""

    at: int
    text: str


@dataclass(frozen=True)
class Curve:
    """What the template draws. Without a point there is no `path` and no `end`, only the axes."""

    rows: list[Point]
    path: str
    end: Place | None
    levels: list[Mark]
    steps: list[Mark]
    summary: str

    @property
    def last(self) -> float | None:
        """The newest loss."""
        return self.rows[-1][1] if self.rows else None


def curve(loss: Sequence[Sequence[float]], steps: int) -> Curve:
    """The curve of (step, loss) pairs over a training of so many steps."""
    found = [(float(step), float(value)) for step, value in loss]
    drawn = _averaged(found)
    top = _ceiling(max((value for _, value in drawn), default=0))
    last = max(steps, int(found[-1][0]) if found else 0, 1)
    places = [(_across(step, last), _down(value, top)) for step, value in drawn]
    return Curve(
        rows=_sampled(found),
        path=" ".join(f"{'L' if n else 'M'}{x} {y}" for n, (x, y) in enumerate(places)),
        end=places[-1] if places else None,
        levels=[Mark(_down(top * n / LINES, top), f"{top * n / LINES:.3g}") for n in range(LINES, 0, -1)],
        steps=[Mark(_across(last * n / 2, last), _grouped(last * n / 2)) for n in range(3)],
        summary=_summary(drawn, int(found[-1][0]) if found else 0),
    )


def _averaged(points: list[Point]) -> list[Point]:
    size = math.ceil(len(points) / MOST_POINTS) or 1
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def _sampled(points: list[Point]) -> list[Point]:
    """A few rows over the whole length, the first and the last among them."""
    if len(points) <= MOST_ROWS:
        return points
    gap = (len(points) - 1) / (MOST_ROWS - 1)
    return [points[round(number * gap)] for number in range(MOST_ROWS)]


def _ceiling(highest: float) -> float:
    """The next round number above."""
    if highest <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(highest))
    return unit * next(step for step in NICE if unit * step >= highest)


def _across(step: float, last: int) -> int:
    return round(LEFT + (RIGHT - LEFT) * step / last)


def _down(value: float, top: float) -> int:
    return round(BOTTOM - (BOTTOM - TOP) * value / top)


def _summary(points: list[Point], step: int) -> str:
    if len(points) < 2:
        return "No loss has been told"
    first, last = points[0][1], points[-1][1]
    verb = "falls" if last < first else "rises" if last > first else "stays"
    return f"The loss {verb} from {first:.3g} to {last:.3g} over {_grouped(step)} steps"


def _grouped(number: float) -> str:
    return f"{round(number):,}".replace(",", "\u202f")
