"""A task's times: what its schedule, one-off moment and time zone come to together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from characters.models import Character
from influencer.errors import Invalid
from influencer.web import zone as dashboard
from scheduling import cron, fields, wall, words
from scheduling.cron import Rhythm
from scheduling.models import Task

# An interval of a task that does not say when it was made counts from here, by its own clock.
LONG_AGO = datetime(2000, 1, 1)
FIRST_WINDOW = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Timetable:
    """When a task is due. `once` stands for itself; otherwise `rhythm` repeats, from `anchor`."""

    zone: ZoneInfo
    anchor: datetime
    rhythm: Rhythm | None = None
    once: datetime | None = None

    @property
    def digest(self) -> str:
        """The same as long as the same times come out."""
        counted = self.anchor.isoformat() if isinstance(self.rhythm, cron.Interval) else ""
        parts = repr((self.zone.key, counted, self.rhythm, self.once))
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All due times after a moment."""
        if self.rhythm is not None:
            return cron.runs(self.rhythm, self.zone, moment, anchor=self.anchor)
        return iter([self.once] if self.once is not None and self.once > moment else [])

    def next(self, moment: datetime) -> datetime | None:
        """The next due time after a moment, None when there is no more."""
        return next(self.after(moment), None)

    def coming(self, moment: datetime, count: int) -> list[datetime]:
        return list(islice(self.after(moment), count))

    def latest(self, since: datetime, until: datetime, most: int) -> list[datetime]:
        """The last due times from `since` to `until`, both included, in order: `most` or a few more.

        Looks back from the end, so a clock that stood still for a year costs no more than an hour's.
        """
        window = FIRST_WINDOW
        while True:
            start = max(since - MICROSECOND, until - window)
            found = list(takewhile(lambda due: due <= until, self.after(start)))
            if len(found) >= most or start < since:
                return found
            window *= 2


@dataclass(frozen=True)
class Clocks:
    """Whose clock holds for a task without a zone of its own: its character's, else the dashboard's."""

    home: ZoneInfo
    characters: Mapping[str, str]

    @classmethod
    def now(cls) -> Clocks:
        """As they are set at the moment."""
        return cls(dashboard.current(), dict(Character.objects.values_list("pk", "timezone")))

    def of(self, task: Task) -> ZoneInfo:
        """Raises `Invalid` (`bad_zone`) for a task's own zone; a character's unknown one is passed over."""
        if task.timezone:
            return cron.zone_of(task.timezone)
        try:
            return cron.zone_of(self.characters.get(task.character_id) or self.home.key)
        except Invalid:
            return self.home


def of(task: Task, clocks: Clocks) -> Timetable:
    """The timetable of a task. Raises `Invalid` (`bad_schedule`, `bad_zone`)."""
    zone = clocks.of(task)
    # By the wall, so that an interval in days keeps its hour; to the minute, as cron does.
    anchor = task.created_at or wall.moment_of(LONG_AGO, zone)
    anchor = anchor.replace(second=0, microsecond=0)
    if task.run_at is not None:
        # To the millisecond, as times stand in files and answers.
        once = _moment(task.run_at)
        return Timetable(zone, anchor, once=once.replace(microsecond=once.microsecond // 1000 * 1000))
    if not task.schedule.strip():
        raise fields.refusal(f"It has no schedule. {fields.EXAMPLE}")
    return Timetable(zone, anchor, cron.parse(task.schedule))


def describe(task: Task, clocks: Clocks) -> str:
    """When it runs, in words; the place is named where its clock is not the dashboard's."""
    try:
        zone = clocks.of(task)
        elsewhere = "" if zone.key == clocks.home.key else zone.key
        if task.run_at is None:
            return cron.describe(task.schedule, elsewhere)
        said = words.of_moment(wall.shown_at(_moment(task.run_at), zone))
        return f"{said}, {words.place_of(elsewhere)} time" if elsewhere else said
    except Invalid as problem:
        return problem.message


def _moment(run_at: datetime) -> datetime:
    """Raises `Invalid` (`bad_schedule`) for one beyond all calendars."""
    if run_at.year not in wall.YEARS:
        raise fields.refusal(f"Its year must be {wall.YEARS[0]} to {wall.YEARS[-1]}.")
    return run_at
