"""When something runs: cron expressions and intervals, in a time zone, exactly once at every due time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count, islice
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

from influencer.errors import Invalid
from scheduling import fields, wall, words
from scheduling.fields import Cron

MOST_PREVIEWED = 500
LONGEST_INTERVAL = timedelta(days=366)
_INTERVAL = re.compile(r"([0-9]{1,4})\s*([mhd])", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Interval:
    """Every so many minutes or hours that pass, or days by the calendar, counted from an anchor."""

    count: int
    unit: str

    @property
    def length(self) -> timedelta:
        return self.count * _UNITS[self.unit]


Rhythm = Cron | Interval


def parse(schedule: str) -> Rhythm:
    """What a schedule means: five cron fields, or an interval like 6h, 30m, 1d.

    Raises `Invalid` (`bad_schedule`) with a sentence that names the field at fault.
    """
    match = _INTERVAL.fullmatch(schedule.strip())
    return fields.read(schedule) if match is None else _interval(int(match[1]), match[2].lower())


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name. Raises `Invalid` (`bad_zone`)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        sentence = f"{fields.quoted(name)} is no time zone; try Europe/Madrid."
        raise Invalid(sentence, code="bad_zone", fields={"timezone": [sentence]}) from None


def next_runs(
    schedule: str, zone: str, after: datetime, count: int = 10, *, anchor: datetime | None = None
) -> list[datetime]:
    """The next times (UTC) after a moment. Raises `Invalid`, also for more than 500."""
    if not 1 <= count <= MOST_PREVIEWED:
        sentence = f"Ask for 1 to {MOST_PREVIEWED} times."
        raise Invalid(sentence, fields={"count": [sentence]})
    return list(islice(runs(parse(schedule), zone_of(zone), after, anchor=anchor), count))


def describe(schedule: str, zone: str = "") -> str:
    """The schedule in words, with the place of its zone when one is given. Raises `Invalid`."""
    rhythm = parse(schedule)
    said = words.of_cron(rhythm) if isinstance(rhythm, Cron) else words.of_interval(rhythm.count, rhythm.unit)
    return f"{said}, {words.place_of(zone)} time" if zone else said


def runs(
    rhythm: Rhythm, zone: ZoneInfo, after: datetime, *, anchor: datetime | None = None
) -> Iterator[datetime]:
    """All times (UTC) after a moment, without end.

    A fixed hour comes exactly once a day: on its first showing in autumn, at the first minute
    after the gap in spring. What runs in every hour, or every so many minutes or hours, follows
    the time that really passes. An interval without an anchor counts from `after`.
    """
    after = after.astimezone(UTC)
    if isinstance(rhythm, Interval):
        return _interval_runs(rhythm, zone, after, (anchor or after).replace(second=0, microsecond=0))

    def walls(start: datetime) -> Iterator[datetime]:
        dates = croniter(rhythm.text, start, ret_type=datetime)
        try:
            while True:
                yield dates.get_next()
        except CroniterError:  # beyond the years it looks at
            return

    walk = wall.as_shown if rhythm.every_hour else wall.once_each
    return walk(walls, zone, after)


def _interval(number: int, unit: str) -> Interval:
    interval = Interval(number, unit)
    if not timedelta() < interval.length <= LONGEST_INTERVAL:
        raise fields.refusal(f"An interval of {number}{unit} can't be: it may be 1m to 366d long.")
    return interval


def _interval_runs(
    interval: Interval, zone: ZoneInfo, after: datetime, anchor: datetime
) -> Iterator[datetime]:
    if interval.unit == "d":

        def days(start: datetime) -> Iterator[datetime]:
            first = wall.shown_at(anchor, zone)
            return _steps(first, interval.length, start)

        return wall.once_each(days, zone, after)
    return _steps(anchor.astimezone(UTC), interval.length, after)


def _steps(anchor: datetime, length: timedelta, after: datetime) -> Iterator[datetime]:
    """anchor + n lengths, from the first one after."""
    passed = (after - anchor) // length + 1
    return (anchor + number * length for number in count(passed))
