"""What the scheduler's clock costs: a look with nothing due, an edit, a run started; and the list of tasks.

`python -m tests.benchmarks.bench_clock` prints it; `pytest tests/benchmarks/bench_clock.py` holds it
against its limits.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

TASKS = 1_000
ROUNDS = 200
FIRED = 300
HISTORY = 10_000
NOW = datetime(2027, 5, 13, 12, 0, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Figures:
    """Milliseconds; medians, unless it is done only once."""

    first_look: float
    idle_look: float
    edit: float
    firing: float
    bare: float
    listing: float

    def lines(self) -> list[str]:
        times = f"{self.firing / self.bare:.1f} x a job's start"
        return [
            f"{TASKS} tasks, {HISTORY} lines of history",
            f"first look, all planned       {self.first_look:9.2f} ms",
            f"look with nothing due         {self.idle_look:9.4f} ms   (limit 2)",
            f"look after an edit by hand    {self.edit:9.2f} ms   (limit 2000)",
            f"firing, each of {FIRED} at once   {self.firing:9.2f} ms   {times}",
            f"a job's start alone           {self.bare:9.2f} ms",
            f"list of all tasks             {self.listing:9.2f} ms",
        ]


@pytest.mark.benchmark
@pytest.mark.django_db(transaction=True)
def test_the_clock_keeps_its_limits(data_dir: Path) -> None:
    figures = measure(data_dir)
    print("\n" + "\n".join(figures.lines()))
    assert figures.idle_look <= 2.0
    assert figures.edit <= 2000


def measure(folder: Path) -> Figures:
    """Measure in a folder that is the data folder already, on its empty database."""
    from characters.models import Character
    from influencer.jobs import services as jobs
    from scheduling.clock_turn import Planner

    luna = Character.objects.create(name="Luna", personality="Dreamy")
    rows = [_row(number, luna.pk) for number in range(TASKS)]
    path = folder / "scheduler.json"
    path.write_bytes(orjson.dumps(rows))
    planner = Planner()
    first = _once(lambda: planner.tick(NOW))
    idle = _median(lambda: planner.tick(NOW))
    rows[0]["schedule"] = "15 6 * * *"
    path.write_bytes(orjson.dumps(rows))
    edit = _once(lambda: planner.tick(NOW))
    fired = _once(lambda: planner.tick(NOW + timedelta(seconds=31)))
    bare = _median(lambda: jobs.start("run_task", character_id=luna.pk, request=rows[0]), FIRED)
    _fill_history()
    return Figures(first, idle, edit, fired / FIRED, bare, _median(_list_all, 9))


def _row(number: int, character_id: str) -> dict[str, Any]:
    """The first few are due at once, the others spread over the day."""
    minute = "1 12" if number <= FIRED else f"{number % 60} {number % 11}"
    return {
        "id": f"task_1754528276811_{number:09}",
        "characterId": character_id,
        "type": "generate_only",
        "schedule": f"{minute} * * *",
        "active": True,
        "config": {"prompt": "luna_character in a magical forest", "postToInstagram": True},
        "createdAt": "2025-08-07T00:57:56.811Z",
        "updatedAt": "2025-08-08T10:30:00.000Z",
    }


def _fill_history() -> None:
    from scheduling.models import Fired

    Fired.objects.bulk_create(
        Fired(
            task_id=f"task_1754528276811_{number % TASKS:09}",
            due=NOW - timedelta(minutes=number + 1),
            state="skipped",
        )
        for number in range(HISTORY)
    )


def _list_all() -> None:
    from scheduling import listing
    from scheduling.models import Task

    assert len([row.as_json() for row in listing.rows(Task.objects.all())]) == TASKS


def _once(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    return statistics.median(_once(work) for _ in range(rounds))


def main() -> None:
    """Measure on a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"INFLUENCER_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "influencer.settings"}
        os.environ.setdefault("INFLUENCER_LOG_LEVEL", "WARNING")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        sys.stdout.write("\n".join(measure(Path(folder)).lines()) + "\n")


if __name__ == "__main__":
    main()
