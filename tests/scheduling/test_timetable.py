"""A task's times: its zone, its one-off moment, its latest due times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from influencer.errors import Invalid
from influencer.web import zone
from scheduling import timetable
from scheduling.models import Task
from scheduling.timetable import Clocks, Timetable
from tests.scheduling.plans import DAY, HOUR, MINUTE, NOON, at


def of(task: Task, character_zone: str = "") -> Timetable:
    return timetable.of(task, clocks(character_zone))


def clocks(character_zone: str = "") -> Clocks:
    return Clocks(zone.current(), {"": character_zone})


def a(schedule: str = "0 18 * * *", **fields: Any) -> Task:
    return Task(type="generate_only", schedule=schedule, **fields)


def test_its_own_zone_wins_then_the_characters_then_the_dashboards(settings: Any) -> None:
    settings.INFLUENCER = replace(settings.INFLUENCER, fixed=frozenset())
    zone.choose("Asia/Tokyo")
    assert of(a(timezone="Asia/Kolkata"), "Europe/Madrid").zone.key == "Asia/Kolkata"
    assert of(a(), "Europe/Madrid").zone.key == "Europe/Madrid"
    assert of(a()).zone.key == "Asia/Tokyo"


def test_a_characters_unknown_zone_is_passed_over_a_tasks_own_is_refused() -> None:
    assert of(a(), "Mars/Olympus").zone.key == zone.current().key
    with pytest.raises(Invalid, match="Mars"):
        of(a(timezone="Mars/Olympus"))


def test_a_one_off_is_due_once() -> None:
    times = of(a("", run_at=at("15:00")))
    assert times.next(NOON) == at("15:00")
    assert times.next(at("15:00")) is None
    assert times.latest(at("15:00"), at("14 09:00"), 20) == [at("15:00")]


def test_without_schedule_and_moment_there_is_no_timetable() -> None:
    with pytest.raises(Invalid, match="no schedule"):
        of(a("  "))


def test_the_digest_changes_with_the_times_and_with_nothing_else() -> None:
    first = of(a(created_at=NOON)).digest
    assert of(a("0  18 * * *", created_at=NOON + DAY, active=False)).digest == first
    others = [a("0 19 * * *"), a(timezone="Asia/Tokyo"), a("", run_at=NOON), a("1d", created_at=NOON)]
    digests = {of(task).digest for task in others}
    assert len(digests | {first}) == 5
    assert of(a("1d", created_at=NOON + HOUR)).digest not in digests


def test_an_interval_counts_from_when_the_task_was_made() -> None:
    times = of(a("6h", created_at=at("10:07:30")))
    assert times.coming(NOON, 2) == [at("16:07"), at("22:07")]


def test_an_interval_of_a_task_without_a_date_is_the_same_at_every_start() -> None:
    assert of(a("1d"), "Europe/Madrid").next(NOON) == at("22:00")  # midnight in Madrid


def test_the_latest_due_times_are_found_from_the_end() -> None:
    minutes = of(a("* * * * *"))
    found = minutes.latest(NOON - 365 * DAY, NOON, 20)
    assert found[-1] == NOON
    assert 20 <= len(found) <= 100
    daily = of(a())
    assert daily.latest(at("10 18:00"), NOON, 20) == [at("10 18:00"), at("11 18:00"), at("12 18:00")]
    assert len(daily.latest(NOON - 365 * DAY, NOON, 20)[-20:]) == 20


def test_both_ends_count() -> None:
    daily = of(a())
    assert daily.latest(at("12 18:00"), at("13 18:00"), 20) == [at("12 18:00"), at("13 18:00")]
    assert daily.latest(at("12 18:01"), at("13 17:59"), 20) == []


def test_it_is_said_in_words_with_the_place_where_clocks_differ() -> None:
    assert timetable.describe(a(), clocks()) == "At 18:00 every day"
    assert timetable.describe(a(), clocks("Asia/Tokyo")) == "At 18:00 every day, Tokyo time"
    moment = datetime(2027, 5, 14, 13, tzinfo=UTC)
    once = a("", run_at=moment, timezone="Europe/Madrid")
    assert timetable.describe(once, clocks()) == "Once, on Friday 14 May 2027 at 15:00, Madrid time"
    assert "can't be 61" in timetable.describe(a("61 * * * *"), clocks())


def test_a_moment_is_taken_to_the_millisecond() -> None:
    times = of(a("", run_at=NOON + MINUTE / 7))
    assert times.once is not None and times.once.microsecond % 1000 == 0
