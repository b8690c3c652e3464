"""The usual schedules as a person picks them: a rhythm and its time, instead of five cron fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import models

from influencer.errors import Invalid
from scheduling import cron
from scheduling.fields import WEEKDAYS, Cron


class Rhythm(models.TextChoices):
    DAY = "day", "Every day"
    WORKDAYS = "workdays", "Monday to Friday"
    WEEK = "week", "Every week"
    MONTH = "month", "Every month"
    HOURS = "hours", "Every few hours"
    OWN = "own", "Own schedule"
    ONCE = "once", "Once"


MONDAY_TO_FRIDAY = (1, 2, 3, 4, 5)
DAYS = [(str(day % 7), WEEKDAYS[day % 7]) for day in range(1, 8)]
HOURS = [
    (f"{count}h", f"{count} hour{'' if count == 1 else 's'}") for count in (1, 2, 3, 4, 6, 8, 12, 24, 48)
]
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-9]{2})?")


@dataclass(frozen=True)
class Preset:
    """A rhythm with what it needs; the rest stands ready should another rhythm be picked."""

    rhythm: str = Rhythm.DAY
    at: str = "18:00"
    weekday: str = "1"
    day: str = "1"
    every: str = "6h"

    @property
    def schedule(self) -> str:
        """The cron expression or interval it comes to; empty when its time is none."""
        if self.rhythm == Rhythm.HOURS:
            return self.every
        clock = _CLOCK.fullmatch(self.at.strip())
        rest = {
            Rhythm.DAY: "* * *",
            Rhythm.WORKDAYS: "* * 1-5",
            Rhythm.WEEK: f"* * {self.weekday}",
            Rhythm.MONTH: f"{self.day} * *",
        }.get(Rhythm(self.rhythm))
        return f"{int(clock[2])} {int(clock[1])} {rest}" if clock and rest else ""


def of(schedule: str) -> Preset:
    """The preset a schedule can be picked by; `OWN` for all others."""
    try:
        rhythm = cron.parse(schedule)
    except Invalid:
        return Preset(Rhythm.OWN)
    if isinstance(rhythm, Cron):
        return _of_cron(rhythm)
    every = f"{rhythm.count}{rhythm.unit}"
    return Preset(Rhythm.HOURS, every=every) if every in dict(HOURS) else Preset(Rhythm.OWN)


def from_data(data: Any) -> Preset | None:
    """What a form says; None when it speaks of a schedule of its own, a single moment, or neither."""
    rhythm = data.get("rhythm")
    if rhythm not in Rhythm.values or rhythm in (Rhythm.OWN, Rhythm.ONCE):
        return None
    given = {name: str(data.get(name) or "") for name in ("at", "weekday", "day", "every")}
    return Preset(rhythm, **given)


def _of_cron(found: Cron) -> Preset:
    if len(found.minutes) != 1 or len(found.hours) != 1 or len(found.months) != 12:
        return Preset(Rhythm.OWN)
    at = f"{found.hours[0]:02}:{found.minutes[0]:02}"
    if found.any_day and found.any_weekday:
        return Preset(Rhythm.DAY, at)
    if found.any_day and found.weekdays == MONDAY_TO_FRIDAY:
        return Preset(Rhythm.WORKDAYS, at)
    if found.any_day and len(found.weekdays) == 1:
        return Preset(Rhythm.WEEK, at, weekday=str(found.weekdays[0]))
    if found.any_weekday and len(found.days) == 1:
        return Preset(Rhythm.MONTH, at, day=str(found.days[0]))
    return Preset(Rhythm.OWN)
