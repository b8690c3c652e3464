"""Fifty schedules, each in six zones, against a calendar walked minute by minute.

`test_clock_changes.py` does the same with tasks that are really fired.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from scheduling import cron
from tests.scheduling.calendar_walk import CHANGES, Meant, look_at_the_wall, walk

HOURS = ("*", "0", "1", "2", "3", "2,3", "1-3", "23", "*/2", "0,2", "18")
MINUTES = ("0", "30", "15,45", "*/10", "59", "5")
DAYS = ("*", "*", "*", "sun", "sat,sun")


def schedules() -> list[str]:
    chance = Random(7)
    found = {f"{chance.choice(MINUTES)} {chance.choice(HOURS)} * * {chance.choice(DAYS)}" for _ in range(400)}
    return sorted(found)[:50]


@pytest.mark.parametrize("name", CHANGES)
def test_every_schedule_runs_exactly_when_the_wall_says(name: str) -> None:
    zone, dues = ZoneInfo(name), 0
    for day in CHANGES[name]:
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
