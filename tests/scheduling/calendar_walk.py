"""When schedules are due by a calendar walked minute by minute: what the product is held against.

It knows nothing of croniter nor of this product's own reading of schedules: it looks at the clock
on the wall, minute after minute, and asks of each whether it is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
# The days of a year on which the clocks change, in spring and autumn; in Kolkata they never do.
CHANGES = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "America/Santiago": ("2027-04-04", "2027-09-05"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
    "Africa/Cairo": ("2027-04-30", "2027-10-29"),
    "Asia/Kolkata": ("2027-03-28", "2027-10-31"),
}


@dataclass(frozen=True)
class Meant:
    """Which times on the wall a schedule means; written down by hand, not parsed by the product."""

    minutes: set[int]
    hours: set[int]
    weekdays: set[int]  # Monday is 0
    hourly: bool

    @classmethod
    def by(cls, schedule: str) -> Meant:
        minute, hour, _, _, weekday = schedule.split()
        names = {"sun": 6, "sat": 5}
        weekdays = set(range(7)) if weekday == "*" else {names[name] for name in weekday.split(",")}
        return cls(numbers(minute, 60), numbers(hour, 24), weekdays, hour == "*")

    def holds(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and wall.weekday() in self.weekdays


def numbers(text: str, size: int) -> set[int]:
    if text == "*":
        return set(range(size))
    if text.startswith("*/"):
        return set(range(0, size, int(text[2:])))
    if "-" in text:
        first, last = map(int, text.split("-"))
        return set(range(first, last + 1))
    return {int(part) for part in text.split(",")}


Wall = list[tuple[datetime, datetime, list[datetime]]]


def look_at_the_wall(zone: ZoneInfo, first: datetime, last: datetime) -> Wall:
    """Each minute after `first`, up to `last`: the moment, what the wall shows, what it left out."""
    minutes: Wall = []
    moment, before = first, wall_at(first, zone)
    while (moment := moment + MINUTE) <= last:
        wall = wall_at(moment, zone)
        gap = int((wall - before) / MINUTE) - 1
        minutes.append((moment, wall, [before + MINUTE * (n + 1) for n in range(gap)]))
        before = wall
    return minutes


def walk(meant: Meant, wall: Wall) -> Iterator[datetime]:
    """Every due time, by asking of each minute whether it is meant."""
    shown: set[datetime] = set()
    for moment, time, left_out in wall:
        late = not meant.hourly and any(map(meant.holds, left_out))
        if late or (meant.holds(time) and (meant.hourly or time not in shown)):
            yield moment
            shown.add(time)


def wall_at(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)
