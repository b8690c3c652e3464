"""Charts as numbers for an SVG: the template only writes them down (`components/chart.html`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 170
LEFT, RIGHT, TOP, BOTTOM = 34, WIDTH, 14, 144
TEXT_LINE, TICK_END = 164, 26
MOST_LABELS = 8
NICE = (1, 2, 4, 5, 6, 8, 10)
BAR_WIDTH = 30.0


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    css: str


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """A path; `css` is "" or "faint". `end` is where the last point is, for a dot."""

    path: str
    css: str = ""
    end: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart:
    """`says` is the whole of it in a sentence, for those who don't see it."""

    says: str
    levels: Sequence[Text]
    labels: Sequence[Text]
    bars: Sequence[Rect] = ()
    lines: Sequence[Line] = ()


@dataclass(frozen=True)
class Series:
    """One value for each place; None where there is nothing to show."""

    values: Sequence[float | None]
    css: str = ""


def stacked(says: str, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Bars, the first series at the bottom."""
    sums = [sum(one.values[place] or 0 for one in series) for place in range(len(labels))]
    top = nice(max(sums, default=0))
    bars = [bar for place in range(len(labels)) for bar in _pile(place, len(labels), series, top)]
    return Chart(says, levels(top), _labels(labels), bars)


def curves(says: str, labels: Sequence[str], series: Sequence[Series], *, unit: str = "") -> Chart:
    """Lines over the same places; a place without value is left out."""
    top = nice(max((value for one in series for value in one.values if value is not None), default=0))
    lines = [line for one in series if (line := _line(one, len(labels), top))]
    return Chart(says, levels(top, unit), _labels(labels), lines=lines)


def nice(most: float) -> float:
    """The top of a scale that holds `most`: even halves, few digits."""
    if most <= 2:
        return 2
    factor = 1.0
    while most > 10 * factor:
        factor *= 10
    return next(step * factor for step in NICE if step * factor >= most)


def levels(top: float, unit: str = "") -> list[Text]:
    """Bottom, middle and top of the scale."""
    return [Text(TICK_END, _height(share * top, top), f"{share * top:g}{unit}") for share in (0, 0.5, 1)]


def _height(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def _middle(place: int, places: int) -> float:
    return LEFT + (RIGHT - LEFT) * (place + 0.5) / places


def _pile(place: int, places: int, series: Sequence[Series], top: float) -> Iterator[Rect]:
    width = min(BAR_WIDTH, (RIGHT - LEFT) / places * 0.7)
    x, below = round(_middle(place, places) - width / 2, 1), 0.0
    for one in series:
        value = one.values[place] or 0
        if value:
            y, end = _height(below + value, top), _height(below, top)
            yield Rect(x, y, round(width, 1), round(max(end - y - 1, 1), 1), one.css)
        below += value


def _line(series: Series, places: int, top: float) -> Line | None:
    points = [
        (round(_middle(place, places), 1), _height(value, top))
        for place, value in enumerate(series.values)
        if value is not None
    ]
    if not points:
        return None
    path = " L".join(f"{x:g} {y:g}" for x, y in points)
    return Line(f"M{path}", series.css, None if series.css else points[-1])


def _labels(labels: Sequence[str]) -> list[Text]:
    """As many as can be read, evenly spread, the last one always."""
    each = -(-len(labels) // MOST_LABELS) if labels else 1
    shown = [place for place in range(len(labels)) if (len(labels) - 1 - place) % each == 0]
    return [Text(round(_middle(place, len(labels)), 1), TEXT_LINE, labels[place]) for place in shown]
