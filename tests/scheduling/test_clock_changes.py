"""Through both summer-time changes with tasks that are really fired: nothing doubled, nothing lost.

For longer: `python -m tests.scheduling.wall_drill --hours 4400`, a whole year.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.scheduling import wall_drill
from tests.scheduling.wall_drill import Outcome

# By hand: a fixed hour on the day spring leaves it out (the first minute after the gap), and on the
# day autumn shows it twice (the first showing). Begin of the local day, then when it is due, in UTC.
SPRING = {
    ("30 2 * * *", "Europe/Berlin"): ("2027-03-27T23:00", "2027-03-28T01:00"),
    ("15 2 * * *", "America/New_York"): ("2027-03-14T05:00", "2027-03-14T07:00"),
    ("30 0 * * *", "America/Santiago"): ("2027-09-05T04:00", "2027-09-05T04:00"),
    ("29 2 * * *", "Australia/Lord_Howe"): ("2027-10-02T13:30", "2027-10-02T15:30"),
    ("0 0 * * *", "Africa/Cairo"): ("2027-04-29T22:00", "2027-04-29T22:00"),
}
AUTUMN = {
    ("30 2 * * *", "Europe/Berlin"): ("2027-10-30T22:00", "2027-10-31T00:30"),
    ("30 1 * * *", "America/New_York"): ("2027-11-07T04:00", "2027-11-07T05:30"),
    ("45 23 * * *", "America/Santiago"): ("2027-04-03T03:00", "2027-04-04T02:45"),
    ("45 1 * * *", "Australia/Lord_Howe"): ("2027-04-03T13:00", "2027-04-03T14:45"),
    ("30 23 * * *", "Africa/Cairo"): ("2027-10-27T21:00", "2027-10-28T20:30"),
}


@pytest.mark.drill
@pytest.mark.django_db
def test_fifty_tasks_in_six_zones_double_nothing_and_lose_nothing(data_dir: Path) -> None:
    outcome = wall_drill.run(data_dir)
    print("\n" + "\n".join(outcome.lines()))
    assert (outcome.doubled, outcome.lost, outcome.others) == (0, 0, 0)
    assert outcome.jobs == sum(outcome.fired.values())
    assert 1_000 <= outcome.jobs <= 20_000
    for days in (SPRING, AUTUMN):
        for (schedule, zone), (day, due) in days.items():
            assert fired_on(outcome, schedule, zone, day) == [moment(due)], (schedule, zone, day)


def fired_on(outcome: Outcome, schedule: str, zone: str, day: str) -> list[datetime]:
    [pk] = [pk for pk, told in wall_drill.tasks().items() if told == (schedule, zone)]
    return outcome.on(pk, moment(day))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
