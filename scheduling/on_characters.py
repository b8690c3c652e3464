"""What a character's card and page show of its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from influencer.errors import Invalid
from influencer.web import zone as dashboard
from scheduling import options, tasklist, timetable, words
from scheduling.models import NextDue, Task
from scheduling.timetable import Clocks

MOST_SHOWN = 10


@dataclass(frozen=True)
class NextPost:
    """The next post of a character, by its own clock; `place` where that is not the dashboard's."""

    due: datetime
    zone: str
    place: str
    platforms: str


def next_posts(ids: Sequence[str]) -> dict[str, NextPost]:
    """Of those of the characters that are active; one query for a whole page."""
    people = {one.pk: one for one in Character.objects.filter(pk__in=list(ids), is_active=True)}
    found: dict[str, NextPost] = {}
    for due, task in _coming(Task.objects.filter(character_id__in=list(people), active=True)):
        to = () if task.character_id in found else options.platforms_of(task)
        if to:
            found[task.character_id] = _next_post(people[task.character_id], due, to)
    return found


def section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Schedule section of the character page."""
    return section_context(character.pk)


def section_context(pk: str) -> dict[str, Any]:
    ids = tasklist.search(character=pk)
    return {"lines": tasklist.lines(ids[:MOST_SHOWN]), "count": len(ids), "most": MOST_SHOWN}


def _coming(tasks: Iterable[Task]) -> list[tuple[datetime, Task]]:
    """When each is due next, in order: as the clock has planned it, else worked out."""
    now, clocks, shown = timezone.now(), Clocks.now(), list(tasks)
    planned = NextDue.objects.in_bulk([task.pk for task in shown])
    dues = ((_due(task, planned.get(task.pk), clocks, now), task) for task in shown)
    return sorted(((due, task) for due, task in dues if due), key=lambda one: one[0])


def _due(task: Task, row: NextDue | None, clocks: Clocks, now: datetime) -> datetime | None:
    if row is not None and (row.due is None or row.due > now):
        return row.due
    try:
        return timetable.of(task, clocks).next(now)
    except Invalid:
        return None


def _next_post(character: Character, due: datetime, to: Sequence[Any]) -> NextPost:
    zone = str(character.zone)
    elsewhere = "" if zone == dashboard.current().key else words.place_of(zone)
    return NextPost(due, zone, elsewhere, words.joined([accounts.NAMES[platform] for platform in to]))
