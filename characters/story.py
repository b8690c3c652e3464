"""The story of a character: its narratives on a timeline, and changing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest

from characters import services
from characters.forms import NarrativeForm
from characters.models import Character, Narrative
from influencer import jsondb
from influencer.errors import NotFound


@dataclass(frozen=True)
class Chapter:
    """A narrative on the timeline: `day` of `days` while it runs, counted from 1."""

    record: Narrative
    running: bool
    over: bool
    day: int = 0
    days: int = 0

    @property
    def span(self) -> str:
        """The days it covers, in words."""
        first, last = self.record.start_date, self.record.end_date
        if first and last:
            begin = f"{first.day} {first:%b}" if first.year == last.year else _day(first)
            return f"{begin} – {_day(last)}"
        return f"from {_day(first)}" if first else f"until {_day(last)}" if last else "any time"


def timeline(character: Character) -> list[Chapter]:
    """The narratives in the order of their days, seen from today in the character's time zone."""
    today = character.today
    chapters = sorted(
        character.narratives.all(), key=lambda record: (record.start_date or date.min, record.pk)
    )
    return [_chapter(record, today) for record in chapters]


def section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Story section of the character page."""
    chapters = timeline(character)
    return {"chapters": chapters, "count": len(chapters)}


def _chapter(record: Narrative, today: date) -> Chapter:
    first, last = record.start_date, record.end_date
    over = bool(last and last < today)
    if not (first and last and record.holds(today)):
        return Chapter(record, running=record.holds(today), over=over)
    return Chapter(record, True, False, (today - first).days + 1, (last - first).days + 1)


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def get(character: Character, pk: str) -> Narrative:
    """Raises `NotFound`."""
    found: Narrative | None = character.narratives.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such chapter any more.")
    return found


def save(form: NarrativeForm) -> Narrative:
    """Add or change the chapter a valid form describes.

    Raises `Conflict` (`changed_since`) when it is no longer as the form showed it, `NotFound`.
    """
    chapter: Narrative = form.instance
    if chapter._state.adding:
        chapter.save()
        return chapter
    with jsondb.batch():
        stored = get(services.get(chapter.character_id), chapter.pk)
        if not form.is_current(stored):
            raise services.changed_since(stored)
        form.apply(stored)
        stored.save()
    return stored
