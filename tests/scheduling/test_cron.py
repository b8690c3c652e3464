"""Schedules: what is accepted, when it runs, how it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from influencer.errors import Invalid
from scheduling import cron

MADRID = "Europe/Madrid"
SPRING = datetime(2027, 3, 27, 12, tzinfo=UTC)  # the day before Europe's clocks go forward
AUTUMN = datetime(2027, 10, 30, 12, tzinfo=UTC)


def times(schedule: str, zone: str, after: datetime, count: int) -> list[str]:
    return [f"{due:%d %H:%M}" for due in cron.next_runs(schedule, zone, after, count)]


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "named"),
    [
        ("61 * * * *", "The minute can't be 61"),
        ("0 24 * * *", "The hour can't be 24"),
        ("0 0 0 * *", "The day can't be 0"),
        ("0 0 * 13 *", "The month can't be 13"),
        ("0 0 * * 8", "The weekday can't be 8"),
        ("0 0 30 2 *", "The day “30” never comes in February"),
        ("0 0 31 4,6 *", "The day “31” never comes in April or June"),
        ("0 0 31 2 1", "The day “31” never comes in February"),
        ("5-1 * * * *", "The minute “5-1” runs backwards"),
        ("0 0 * * 5-0", "The weekday “5-0” runs backwards"),
        ("r r * * *", "The minute “r” can't be read"),
        ("0 0 l * *", "The day “l” can't be read"),
        ("0 0 15w * *", "The day “15w” can't be read"),
        ("0 0 * * 5#2", "The weekday “5#2” can't be read"),
        ("0 ? * * *", "The hour “?” can't be read"),
        ("0 0 * foo *", "The month “foo” can't be read"),
        ("1,,2 * * * *", "The minute “1,,2” can't be read"),
        ("*/0 * * * *", "The minute “*/0” has a step that can't be"),
        ("*/90 * * * *", "The minute “*/90” has a step that can't be"),
        ("٣ * * * *", "The minute “٣” can't be read"),
        ("-1 * * * *", "The minute “-1” can't be read"),
        ("0 0 18 * * *", "has 6 fields"),
        ("* * * * * * *", "has 7 fields"),
        ("not a cron", "has 3 fields"),
        ("@reboot", "“@reboot” is no schedule"),
        ("@daily", "“@daily” is no schedule"),
        ("l", "“l” is no schedule"),
        ("", "is no schedule"),
        ("x" * 5000, "is no schedule"),
        ("0m", "An interval of 0m can't be"),
        ("9999h", "An interval of 9999h can't be"),
        ("6 weeks", "has 2 fields"),
    ],
)
def test_what_cannot_run_is_refused_with_the_field_at_fault(schedule: str, named: str) -> None:
    with pytest.raises(Invalid, match="schedule") as refusal:
        raise_named(schedule)
    assert named in refusal.value.message
    assert refusal.value.fields == {"schedule": [refusal.value.message]}
    assert len(refusal.value.message) < 160


def raise_named(schedule: str) -> None:
    try:
        cron.parse(schedule)
    except Invalid as problem:
        problem.args = (f"schedule: {problem.message}",)
        raise


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "", "../../etc/passwd", "Europe/madrid2"):
        with pytest.raises(Invalid) as refusal:
            cron.next_runs("0 18 * * *", name, SPRING)
        assert list(refusal.value.fields) == ["timezone"]


def test_at_most_500_times_are_listed() -> None:
    assert len(cron.next_runs("* * * * *", "UTC", SPRING, 500)) == 500
    for count in (0, -1, 501):
        with pytest.raises(Invalid, match="1 to 500"):
            cron.next_runs("* * * * *", "UTC", SPRING, count)


# --- what is accepted ------------------------------------------------------------------------


def test_names_lists_ranges_and_steps_are_understood() -> None:
    assert times("0 9 * jan,may mon-fri", "UTC", datetime(2027, 5, 14, 10, tzinfo=UTC), 2) == [
        "17 09:00",
        "18 09:00",
    ]
    assert times("5/20 8-10/2 * * *", "UTC", SPRING, 4) == ["28 08:05", "28 08:25", "28 08:45", "28 10:05"]
    assert times("  0   9  *  *  SAT-SUN ", "UTC", SPRING, 2) == ["28 09:00", "03 09:00"]


def test_sunday_is_0_and_7() -> None:
    assert times("0 9 * * 0", "UTC", SPRING, 3) == times("0 9 * * 7", "UTC", SPRING, 3)
    assert times("0 9 * * 5-7", "UTC", SPRING, 3) == times("0 9 * * 5,6,0", "UTC", SPRING, 3)


def test_with_day_and_weekday_given_either_suffices() -> None:
    assert times("0 9 1 * mon", "UTC", SPRING, 3) == ["29 09:00", "01 09:00", "05 09:00"]


def test_the_29th_of_february_comes_when_it_comes() -> None:
    found = cron.next_runs("0 0 29 2 *", "UTC", SPRING, 2)
    assert [due.year for due in found] == [2028, 2032]


def test_a_schedule_follows_its_own_zone() -> None:
    assert times("0 18 * * *", "Asia/Tokyo", SPRING, 1) == ["28 09:00"]
    assert times("0 18 * * *", "Asia/Kolkata", SPRING, 1) == ["27 12:30"]


# --- the two days on which clocks change ------------------------------------------------------


def test_a_time_in_the_spring_gap_runs_at_the_first_minute_after_it() -> None:
    assert times("30 2 * * *", MADRID, SPRING, 3) == ["28 01:00", "29 00:30", "30 00:30"]


def test_several_times_in_the_gap_are_one_run() -> None:
    assert times("*/15 2 * * *", MADRID, SPRING, 3) == ["28 01:00", "29 00:00", "29 00:15"]
    assert times("0 2,3 * * *", MADRID, SPRING, 3) == ["28 01:00", "29 00:00", "29 01:00"]


def test_a_time_that_autumn_shows_twice_runs_on_its_first_showing() -> None:
    assert times("30 2 * * *", MADRID, AUTUMN, 3) == ["31 00:30", "01 01:30", "02 01:30"]
    between = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)  # the second 02:30 is still to come
    assert times("30 2 * * *", MADRID, between, 1) == ["01 01:30"]


def test_what_runs_every_hour_follows_the_hours_that_pass() -> None:
    spring = cron.next_runs("30 * * * *", MADRID, SPRING, 24)
    autumn = cron.next_runs("30 * * * *", MADRID, AUTUMN, 24)
    for found in (spring, autumn):
        assert {later - due for due, later in zip(found, found[1:], strict=False)} == {timedelta(hours=1)}


def test_every_half_hour_comes_twice_in_the_repeated_hour() -> None:
    before = datetime(2027, 10, 30, 23, 45, tzinfo=UTC)
    assert times("*/30 * * * *", MADRID, before, 4) == ["31 00:00", "31 00:30", "31 01:00", "31 01:30"]


def test_a_zone_that_changes_by_half_an_hour() -> None:
    before = datetime(2027, 10, 2, 12, tzinfo=UTC)  # Lord Howe skips 02:00 to 02:30
    assert times("10 2 * * *", "Australia/Lord_Howe", before, 2) == ["02 15:30", "03 15:10"]


def test_a_gap_at_midnight_keeps_the_day() -> None:
    before = datetime(2027, 9, 4, 12, tzinfo=UTC)  # Santiago skips 00:00 to 01:00 on Sunday
    assert times("0 0 * * sun", "America/Santiago", before, 1) == ["05 04:00"]


# --- intervals --------------------------------------------------------------------------------


def test_intervals_count_from_their_anchor() -> None:
    anchor = datetime(2027, 3, 1, 10, 7, 33, tzinfo=UTC)
    found = cron.next_runs("6h", "UTC", SPRING, 3, anchor=anchor)
    assert [f"{due:%d %H:%M:%S}" for due in found] == ["27 16:07:00", "27 22:07:00", "28 04:07:00"]
    assert times("30m", "UTC", SPRING, 2) == ["27 12:30", "27 13:00"]


def test_hours_pass_evenly_and_days_keep_their_time_through_a_change() -> None:
    assert times("6h", MADRID, SPRING, 3) == ["27 18:00", "28 00:00", "28 06:00"]
    assert times("1d", MADRID, SPRING, 2) == ["28 11:00", "29 11:00"]  # 13:00 in Madrid, both days
    assert times("2D", MADRID, AUTUMN, 2) == ["01 13:00", "03 13:00"]


# --- in words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 18 * * *", "At 18:00 every day"),
        ("15 20 * * 1-5", "At 20:15 Monday to Friday"),
        ("30 8 * * 2,4,6", "At 08:30 on Tuesday, Thursday and Saturday"),
        ("0 7 * * 1", "At 07:00 on Monday"),
        ("0 8,12,18 * * *", "At 08:00, 12:00 and 18:00 every day"),
        ("0 9 1,15 * *", "At 09:00 on the 1st and 15th of the month"),
        ("0 9 1 * mon", "At 09:00 on the 1st of the month, and on Monday"),
        ("0 9 * 6-8 *", "At 09:00 every day in June to August"),
        ("0 9 * * sat-sun", "At 09:00 on Saturday and Sunday"),
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("*/10 8-20 * * 1-5", "Every 10 minutes from 08:00 to 20:59, Monday to Friday"),
        ("0 * * * *", "At :00 of every hour"),
        ("30 */2 * * *", "At :30 of every 2nd hour from midnight"),
        ("0 0 1 * 0-6", "At 00:00 every day"),
        ("6h", "Every 6 hours"),
        ("1h", "Every hour"),
        ("1d", "Every day"),
        ("30m", "Every 30 minutes"),
    ],
)
def test_schedules_are_said_in_words(schedule: str, words: str) -> None:
    assert cron.describe(schedule) == words


def test_the_place_of_the_zone_can_be_said_too() -> None:
    assert cron.describe("0 18 * * *", "America/Argentina/Buenos_Aires").endswith(", Buenos Aires time")
