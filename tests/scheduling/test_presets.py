"""The usual schedules as a person picks them, there and back."""

from __future__ import annotations

import pytest

from scheduling import cron, presets
from scheduling.presets import Preset, Rhythm


@pytest.mark.parametrize(
    ("preset", "schedule"),
    [
        (Preset(), "0 18 * * *"),
        (Preset(Rhythm.DAY, "07:05"), "5 7 * * *"),
        (Preset(Rhythm.WORKDAYS, "20:15"), "15 20 * * 1-5"),
        (Preset(Rhythm.WEEK, "08:30", weekday="0"), "30 8 * * 0"),
        (Preset(Rhythm.MONTH, "00:00", day="31"), "0 0 31 * *"),
        (Preset(Rhythm.HOURS, every="6h"), "6h"),
    ],
)
def test_each_rhythm_comes_to_a_schedule_that_is_picked_by_it_again(preset: Preset, schedule: str) -> None:
    assert preset.schedule == schedule
    cron.parse(schedule)
    found = presets.of(schedule)
    assert (found.rhythm, found.schedule) == (preset.rhythm, schedule)


@pytest.mark.parametrize(
    "schedule", ["*/5 * * * *", "0 9,18 * * *", "0 9 * 5 *", "0 9 13 * 5", "7h", "90m", "61 * * * *", ""]
)
def test_what_no_rhythm_says_is_a_schedule_of_its_own(schedule: str) -> None:
    assert presets.of(schedule).rhythm == Rhythm.OWN


def test_names_and_doubled_spaces_make_no_difference() -> None:
    assert presets.of("0  9 * * MON-FRI").rhythm == Rhythm.WORKDAYS
    assert presets.of("0 9 * * 7").weekday == "0"


@pytest.mark.parametrize("at", ["", "soon", "24:00", "9", "09:60"])
def test_a_time_that_is_none_comes_to_no_schedule(at: str) -> None:
    assert Preset(Rhythm.DAY, at).schedule == ""


def test_a_form_speaks_of_a_preset_or_of_something_else() -> None:
    said = presets.from_data({"rhythm": "week", "at": "10:00", "weekday": "3"})
    assert said is not None and said.schedule == "0 10 * * 3"
    for rhythm in ("own", "once", "nonsense", None):
        assert presets.from_data({"rhythm": rhythm}) is None
