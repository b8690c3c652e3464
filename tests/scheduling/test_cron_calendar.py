"""Fifty schedules in six zones against a calendar walked minute by minute: nothing doubled, nothing lost.

The walk knows nothing of croniter nor of this product's own reading of schedules: it looks at the
clock on the wall, minute after minute, and asks of each whether it is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from scheduling import cron

MINUTE = timedelta(minutes=1)
# From three days before a change of clocks to three days after, for both changes of a year.
WINDOWS = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "America/Santiago": ("2027-04-04", "2027-09-05"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
    "Africa/Cairo": ("2027-04-30", "2027-10-29"),
    "Asia/Kolkata": ("2027-03-28", "2027-10-31"),
}
HOURS = ("*", "0", "1", "2", "3", "2,3", "1-3", "23", "*/2", "0,2", "18")
MINUTES = ("0", "30", "15,45", "*/10", "59", "5")
DAYS = ("*", "*", "*", "sun", "sat,sun")


def schedules() -> list[str]:
    chance = Random(7)
    found = {f"{chance.choice(MINUTES)} {chance.choice(HOURS)} * * {chance.choice(DAYS)}" for _ in range(400)}
    return sorted(found)[:50]


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


@pytest.mark.parametrize("name", WINDOWS)
def test_every_schedule_runs_exactly_when_the_wall_says(name: str) -> None:
    zone, dues = ZoneInfo(name), 0
    for day in WINDOWS[name]:
        middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
        first, last = middle - timedelta(days=2), middle + timedelta(days=2)
        wall = look_at_the_wall(zone, first, last)
        for schedule in schedules():
            found = list(takewhile(last.__ge__, cron.runs(cron.parse(schedule), zone, first)))
            assert found == list(walk(Meant.by(schedule), wall)), (schedule, name, day)
            dues += len(found)
    assert dues > 1000


def test_the_walk_itself_sees_both_changes() -> None:
    zone, daily = ZoneInfo("Europe/Berlin"), Meant.by("30 2 * * *")
    spring, autumn = datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)
    found = list(walk(daily, look_at_the_wall(zone, spring, spring + timedelta(days=2))))
    assert [f"{due:%d %H:%M}" for due in found] == ["27 01:30", "28 01:00"]
    assert len(list(walk(daily, look_at_the_wall(zone, autumn, autumn + timedelta(days=1))))) == 1
