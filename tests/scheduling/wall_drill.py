"""Virtual time through both summer-time changes: 50 tasks in 6 zones, each due time really fired.

`python -m tests.scheduling.wall_drill [--hours N] [--seed N]` on a data folder of its own; `--hours 4400`
walks through the whole year. The clock looks at its tasks each minute and is restarted now and then;
what it has written into the database is compared with a calendar that is walked by hand
(`calendar_walk`), which knows neither croniter nor the product.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from tests.scheduling.calendar_walk import CHANGES, MINUTE, Meant, look_at_the_wall, walk

TASKS = 50
HOURS = 18
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
# Fixed hours within and at the edges of what the zone leaves out in spring and shows twice in autumn.
OWN = {
    "Europe/Berlin": ("30 2 * * *", "0 2 * * *", "59 2 * * *", "0 3 * * *"),
    "America/New_York": ("15 2 * * *", "30 1 * * *", "59 1 * * *", "30 2 * * sun"),
    "America/Santiago": ("30 0 * * *", "0 0 * * *", "45 23 * * *", "59 23 * * *"),
    "Australia/Lord_Howe": ("29 2 * * *", "45 1 * * *", "30 1 * * *", "0 2 * * *"),
    "Africa/Cairo": ("0 0 * * *", "30 0 * * *", "30 23 * * *", "1 0 * * *"),
    "Asia/Kolkata": ("30 2 * * *", "0 0 * * *", "30 23 * * *", "15 2 * * *"),
}
COMMON = (
    *("30 2 * * sat,sun", "45 1 * * *", "0 1 * * *", "0 18 * * *", "5 2,3 * * *", "31 0 * * *", "58 2 * * *"),
    *("0,30 1-3 * * *", "0 0,2 * * sun", "15 */4 * * *", "0 * * * *", "*/30 0-4 * * *", "59 0 * * *"),
)
Due = tuple[str, datetime]


@dataclass(frozen=True)
class Outcome:
    """What the clock has fired beside what the walk says."""

    meant: Counter[Due]
    fired: Counter[Due]
    jobs: int
    others: int
    looks: int
    restarts: int
    seconds: float

    @property
    def doubled(self) -> int:
        return sum((self.fired - self.meant).values())

    @property
    def lost(self) -> int:
        return sum((self.meant - self.fired).values())

    def on(self, task_id: str, first: datetime) -> list[datetime]:
        """What a task was fired for in the day from a moment on."""
        return sorted(due for pk, due in self.fired if pk == task_id and first <= due < first + DAY)

    def lines(self) -> list[str]:
        zones = len(CHANGES)
        return [
            f"{TASKS} tasks in {zones} zones, {self.looks} looks of the clock, {self.restarts} restarts",
            f"due by the calendar   {sum(self.meant.values()):7}",
            f"fired                 {sum(self.fired.values()):7}   with {self.jobs} jobs",
            f"doubled               {self.doubled:7}",
            f"lost                  {self.lost:7}",
            f"took                  {self.seconds:7.1f} s",
        ]


def tasks() -> dict[str, tuple[str, str]]:
    """Fifty of them by id, each a schedule in a zone; every zone has eight or nine."""
    own = [(schedule, zone) for zone, schedules in OWN.items() for schedule in schedules]
    more = islice(zip(cycle(COMMON), cycle(CHANGES), strict=False), TASKS - len(own))
    return {f"task_{place:02}": told for place, told in enumerate([*own, *more])}


def run(folder: Path, *, hours: float = HOURS, seed: int = 11) -> Outcome:
    """Walk through every change, `hours` before and after it, on an empty database and data folder."""
    from influencer.jobs.models import Job
    from scheduling.models import Fired

    began, chance = time.perf_counter(), Random(seed)
    _write(folder)
    meant: Counter[Due] = Counter()
    looks = restarts = 0
    for first, last in windows(hours * HOUR):
        walls = {zone: look_at_the_wall(ZoneInfo(zone), first, last) for zone in CHANGES}
        for pk, (schedule, zone) in tasks().items():
            meant.update((pk, due) for due in walk(Meant.by(schedule), walls[zone]))
        counts = _look_on(first, last, chance)
        looks, restarts = looks + counts[0], restarts + counts[1]
    rows = Fired.objects.filter(state="fired", kind="scheduled")
    fired = Counter(rows.values_list("task_id", "due"))
    spent = time.perf_counter() - began
    jobs, others = Job.objects.count(), Fired.objects.count() - rows.count()
    return Outcome(meant, fired, jobs, others, looks, restarts, spent)


def windows(around: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The times round all changes, in order; those that overlap are one."""
    changes = sorted({_change(ZoneInfo(zone), day) for zone, days in CHANGES.items() for day in days})
    first, last = changes[0] - around, changes[0] + around
    for change in changes[1:]:
        if change - around > last:
            yield first, last
            first = change - around
        last = change + around
    yield first, last


def _change(zone: ZoneInfo, day: str) -> datetime:
    """The first hour by another clock than two days before, else noon."""
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    start = noon - 2 * DAY
    before = start.astimezone(zone).utcoffset()
    hours = (start + number * HOUR for number in range(73))
    return next((hour for hour in hours if hour.astimezone(zone).utcoffset() != before), noon)


def _look_on(first: datetime, last: datetime, chance: Random) -> tuple[int, int]:
    """Be the clock from `first` to `last`; how often it looked and was restarted."""
    from influencer.jobs.models import Job
    from scheduling import clock_turn
    from scheduling.models import NextDue

    NextDue.objects.all().delete()  # or the time between two windows would count as missed
    clock_turn._planner, looks, restarts = clock_turn.Planner(), 1, 0
    clock_turn.tick(first)
    moment = first
    while moment < last:
        moment += MINUTE
        looks += 1
        if clock_turn.tick(min(moment + chance.randrange(60) * SECOND, last)):
            # Or the next due time would find this run still going.
            Job.objects.exclude(state="succeeded").update(state="succeeded")
        if chance.random() < 0.005:
            clock_turn._planner, restarts = clock_turn.Planner(), restarts + 1
    return looks, restarts


def _write(folder: Path) -> None:
    """The tasks as a person would write them, saved long ago."""
    from characters.models import Character

    luna = Character.objects.create(name="Luna", personality="Dreamy")
    common = {"characterId": luna.pk, "type": "generate_only", "active": True, "config": {}}
    stamps = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    rows: list[dict[str, Any]] = [
        {"id": pk, "schedule": schedule, "timezone": zone, **common, **stamps}
        for pk, (schedule, zone) in tasks().items()
    ]
    (folder / "scheduler.json").write_bytes(orjson.dumps(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--hours", type=float, default=HOURS, help="before and after each change (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"INFLUENCER_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "influencer.settings"}
        os.environ.setdefault("INFLUENCER_LOG_LEVEL", "ERROR")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        outcome = run(Path(folder), hours=options.hours, seed=options.seed)
    sys.stdout.write("\n".join(outcome.lines()) + "\n")
    sys.exit(1 if outcome.doubled or outcome.lost else 0)


if __name__ == "__main__":
    main()
