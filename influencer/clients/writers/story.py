"""Where in the story a text stands, and how scenes are spread over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import floor

from influencer.clients.writers.interface import Ask, Chapter

PARTS = (
    "how it begins",
    "the first steps",
    "in the thick of it",
    "the turning point",
    "how it ends",
)
# Numbers of moments and hours have no divisor in common: a pair comes back only after 72 scenes.
MOMENTS = (
    "a wide view with the character small in it",
    "busy with the hands, close",
    "on the way somewhere",
    "at rest and alone",
    "finding or holding something of the story",
    "with someone else in the picture",
    "looking back over the shoulder",
    "a place of everyday life",
    "the weather plays the main part",
)
HOURS = ("early morning", "noon", "late afternoon", "dusk", "night", "overcast day", "golden hour", "dawn")


@dataclass(frozen=True)
class Beat:
    """What one scene should be about. `number` counts from 1 over the whole list."""

    number: int
    part: str
    moment: str
    hour: str
    chapter: Chapter | None = None


def current(chapters: tuple[Chapter, ...], today: date) -> Chapter | None:
    """The chapter that holds the day, the latest begun where they overlap; a single one always."""
    if len(chapters) == 1:
        return chapters[0]
    running = [chapter for chapter in chapters if chapter.holds(today)]
    return max(running, key=lambda chapter: chapter.first_day or date.min, default=None)


def fraction(chapter: Chapter, today: date) -> float | None:
    """How far the chapter has come, 0 to 1; None when its days are not all known."""
    if chapter.first_day is None or chapter.last_day is None:
        return None
    length = (chapter.last_day - chapter.first_day).days or 1
    return min(max((today - chapter.first_day).days / length, 0.0), 1.0)


def part_at(share: float) -> str:
    """The part of the story after that share of it."""
    return PARTS[min(floor(share * len(PARTS)), len(PARTS) - 1)]


def beats(ask: Ask) -> tuple[Beat, ...]:
    """The scenes asked for: evenly over the chapters that are not over, in each from begin to end."""
    total = max(ask.total, ask.first + ask.count)
    chapters = _ahead(ask)
    numbers = range(ask.first, ask.first + ask.count)
    return tuple(_beat(number, total, chapters, ask.seed) for number in numbers)


def _ahead(ask: Ask) -> tuple[Chapter, ...]:
    dated = sorted(ask.chapters, key=lambda chapter: chapter.first_day or date.min)
    ahead = tuple(chapter for chapter in dated if not chapter.is_over(ask.today))
    return ahead or tuple(dated)


def _beat(number: int, total: int, chapters: tuple[Chapter, ...], seed: int) -> Beat:
    step = number + seed
    moment, hour = MOMENTS[step % len(MOMENTS)], HOURS[step % len(HOURS)]
    way = (number + 0.5) / total * max(len(chapters), 1)
    share = way - floor(way)
    if not chapters:
        return Beat(number + 1, "", moment, hour)
    chapter = chapters[floor(way)]
    return Beat(number + 1, part_at(share), moment, hour, chapter)
