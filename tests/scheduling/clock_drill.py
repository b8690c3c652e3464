"""Three clocks in virtual time on one data folder, killed at random: a program that prints what came of it.

`python -m tests.scheduling.clock_drill` with `INFLUENCER_DATA_DIR` set to an empty folder.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from random import Random
from typing import Any

import django

CLOCKS, TASKS, MINUTES = 3, 20, 15
PATIENCE = 60.0


def main() -> dict[str, Any]:
    """Fire every minute of a quarter of an hour; the counts that must agree."""
    from django.core.management import call_command
    from django.db import connection

    from characters.models import Character
    from influencer.jobs.models import Job
    from scheduling.models import Fired, Task
    from tests.scheduling.plans import MINUTE, NOON

    call_command("migrate", verbosity=0)
    luna = Character.objects.create(name="Luna", personality="Dreamy")
    for _ in range(TASKS):
        Task.objects.create(type="generate_only", schedule="* * * * *", character_id=luna.pk, created_at=NOON)
    chance, kills = Random(3), 0
    minute = multiprocessing.Value("i", 0)
    looked = multiprocessing.Value("i", 0)
    connection.close()
    clocks = [clock(minute, looked) for _ in range(CLOCKS)]
    until(lambda: looked.value >= CLOCKS)
    for number in range(1, MINUTES + 1):
        minute.value = number
        while Fired.objects.filter(due=NOON + number * MINUTE).count() < TASKS:
            time.sleep(chance.uniform(0.01, 0.06))
            connection.close()
            place = chance.randrange(CLOCKS)
            os.kill(clocks[place].pid or 0, signal.SIGKILL)
            clocks[place].join()
            clocks[place], kills = clock(minute, looked), kills + 1
        # Or the next minute would find its run still going.
        Job.objects.update(state="succeeded")
    for one in clocks:
        one.kill()
    rows = Fired.objects.all()
    return {
        "due": TASKS * MINUTES,
        "fired": rows.filter(state="fired").count(),
        "rows": rows.count(),
        "jobs": Job.objects.count(),
        "distinct": len(set(rows.values_list("job_id", flat=True))),
        "kills": kills,
    }


def clock(minute: Any, looked: Any) -> Any:
    process = multiprocessing.get_context("fork").Process(target=tick_on, args=(minute, looked), daemon=True)
    process.start()
    return process


def tick_on(minute: Any, looked: Any) -> None:
    from scheduling.clock_turn import Planner
    from tests.scheduling.plans import MINUTE, NOON

    planner, first = Planner(), True
    while True:
        planner.tick(NOON + minute.value * MINUTE)
        if first:
            looked.value += 1
            first = False
        time.sleep(0.002)


def until(true: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            sys.exit("The clocks did not start.")
        time.sleep(0.02)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main()))
