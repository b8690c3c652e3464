"""What a calendar foresees is what the clock will do, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from scheduling import foresight, timetable
from scheduling.foresight import DAY, MICROSECOND, DayPlan, Foresight, Planned, midnight
from scheduling.models import Task
from scheduling.timetable import Clocks
from tests.scheduling.calendar_walk import CHANGES
from tests.scheduling.test_cron_calendar import schedules

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
MAY = date(2027, 5, 13)


def plan(day: date, *tasks: Task, home: str = "UTC", now: datetime = NEW_YEAR, most: int = 9) -> DayPlan:
    return Foresight(tasks, Clocks(ZoneInfo(home), {})).on(day, now, most)


def task(schedule: str, zone: str = "UTC", pk: str = "t", **fields: object) -> Task:
    made = Task(id=pk, schedule=schedule, timezone=zone, type="generate_only", **fields)
    made.created_at = NEW_YEAR
    return made


# --- the plain success ------------------------------------------------------------------------


def test_a_daily_task_is_there_once_a_day() -> None:
    assert plan(MAY, task("30 18 * * *")) == DayPlan([Planned(18 * 60 + 30, "t")], 1)


def test_weekdays_and_dates_are_kept_to() -> None:
    weekly = task("0 8 * * mon,thu")
    assert [plan(MAY + n * DAY, weekly).total for n in range(5)] == [1, 0, 0, 0, 1]
    either = task("0 8 15 * fri")
    assert [plan(MAY + n * DAY, either).total for n in range(5)] == [0, 1, 1, 0, 0]


def test_a_task_that_runs_often_is_one_entry() -> None:
    assert plan(MAY, task("*/5 * * * *")).first == [Planned(0, "t", 288)]
    assert plan(MAY, task("0 8,12,16 * * *")).total == 3
    assert plan(MAY, task("30m")).first == [Planned(0, "t", 48)]
    assert plan(MAY, task("12h")).total == 2
    assert plan(MAY, task("1d")).total == 1


def test_the_first_entries_are_shown_and_all_are_counted() -> None:
    found = plan(MAY, *(task(f"{n} 9 * * *", pk=f"t{n}") for n in range(12)), most=3)
    assert (found.first, found.total) == ([Planned(540 + n, f"t{n}") for n in range(3)], 12)


def test_what_is_over_today_is_left_out() -> None:
    noon = datetime(2027, 5, 13, 12, tzinfo=UTC)
    tasks = task("0 8,12,18 * * *", pk="a"), task("0 * * * *", pk="b")
    assert plan(MAY, *tasks, now=noon).first == [Planned(780, "b", 11), Planned(1080, "a")]
    assert plan(MAY - DAY, *tasks, now=noon) == DayPlan()


def test_another_zone_is_shown_by_the_dashboards_clock() -> None:
    tokyo = task("0 6 * * mon", "Asia/Tokyo")
    assert plan(date(2027, 5, 16), tokyo, home="Europe/Madrid").first == [Planned(23 * 60, "t")]
    assert plan(date(2027, 5, 17), tokyo, home="Europe/Madrid").total == 0


def test_a_one_off_is_on_its_day() -> None:
    once = task("", run_at=datetime(2027, 5, 13, 15, tzinfo=UTC))
    assert plan(MAY, once).first == [Planned(900, "t")]
    assert plan(MAY + DAY, once).total == 0


def test_a_task_that_can_t_run_is_passed_over() -> None:
    assert (
        plan(MAY, task("61 * * * *", pk="a"), task("0 9 * * *", "Mars/Olympus", pk="b"), task("")).total == 0
    )


# --- against the clock's own way ----------------------------------------------------------------


@pytest.mark.parametrize("home", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_each_day_is_as_the_clock_will_have_it(home: str) -> None:
    """Also those on which one of the two clocks changes."""
    chance, clocks, counted = Random(5), Clocks(ZoneInfo(home), {}), 0
    days = {
        date.fromisoformat(day) + n * DAY for pair in CHANGES.values() for day in pair for n in (-1, 0, 1)
    }
    chosen = [*chance.sample(schedules(), 12), "6h", "90m", "2d", "0 9 1,15 * mon"]
    tasks = [task(text, chance.choice(list(CHANGES)), f"t{n}") for n, text in enumerate(chosen)]
    seen = Foresight(tasks, clocks)
    for day in sorted(days):
        found = seen.on(day, NEW_YEAR, 500).first
        for one in tasks:
            entries = [entry for entry in found if entry.task_id == one.pk]
            dues = dues_of(one, day, clocks)
            assert sum(entry.count for entry in entries) == len(dues), (day, one.schedule, one.timezone)
            first = [due.hour * 60 + due.minute for due in dues[:1]]
            assert [entry.minute for entry in entries[:1]] == first, (day, one.schedule, one.timezone)
            counted += len(dues)
    assert counted > 1000


def dues_of(one: Task, day: date, clocks: Clocks) -> list[datetime]:
    """The times of a day one by one, as the dashboard's clock shows them."""
    start, end = midnight(day, clocks.home), midnight(day + DAY, clocks.home)
    dues = takewhile(lambda due: due < end, timetable.of(one, clocks).after(start - MICROSECOND))
    return [due.astimezone(clocks.home) for due in dues]


def test_a_day_begins_after_the_gap_where_spring_leaves_midnight_out() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    assert foresight.midnight(date(2027, 4, 30), cairo) == datetime(2027, 4, 29, 22, tzinfo=UTC)
    assert midnight(date(2027, 5, 1), cairo) - midnight(date(2027, 4, 30), cairo) == timedelta(hours=23)
