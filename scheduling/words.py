"""Schedules in words: "At 18:00 every day"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from scheduling.fields import MONTHS, WEEKDAYS, Cron

UNITS = {"m": "minute", "h": "hour", "d": "day"}
# More times a day than this are said as a pattern.
MOST_TIMES = 6


@lru_cache(maxsize=4096)
def of_cron(cron: Cron) -> str:
    """When a cron expression runs, in one line."""
    months = "" if len(cron.months) == 12 else f" in {_months(cron.months)}"
    times = len(cron.minutes) * len(cron.hours)
    if times <= MOST_TIMES:
        clock = [f"{hour:02}:{minute:02}" for hour in cron.hours for minute in cron.minutes]
        return f"At {joined(clock)} {_days(cron) or 'every day'}{months}"
    days = _days(cron)
    return f"{_often(cron)}{f', {days}' if days else ''}{months}"


def of_interval(count: int, unit: str) -> str:
    return f"Every {UNITS[unit]}" if count == 1 else f"Every {count} {UNITS[unit]}s"


def of_moment(local: datetime) -> str:
    """A one-off, by the clock on its wall."""
    return f"Once, on {local:%A} {local.day} {local:%B %Y} at {local:%H:%M}"


def place_of(zone: str) -> str:
    """ "Europe/Madrid" → "Madrid"."""
    return zone.rpartition("/")[2].replace("_", " ")


def joined(parts: Sequence[str], word: str = "and") -> str:
    """ "a, b and c"."""
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _often(cron: Cron) -> str:
    minutes = cron.minutes
    if len(minutes) == 60:
        return f"Every minute{_hours(cron.hours, often=True)}"
    if step := _step(minutes, 60):
        return f"Every {step} minutes{_hours(cron.hours, often=True)}"
    if len(minutes) > MOST_TIMES and _is_run(minutes):
        said = f"Every minute from :{minutes[0]:02} to :{minutes[-1]:02}"
    else:
        said = f"At {joined([f':{minute:02}' for minute in minutes])}"
    return said + (_hours(cron.hours, often=False) or " of every hour")


def _hours(hours: tuple[int, ...], *, often: bool) -> str:
    if len(hours) == 24:
        return ""
    if _is_run(hours):
        return f"{'' if often else ' of every hour'} from {hours[0]:02}:00 to {hours[-1]:02}:59"
    if step := _step(hours, 24):
        return f" of every {_ordinal(step)} hour from midnight"
    return f" of the hours {joined([f'{hour:02}' for hour in hours])}"


def _days(cron: Cron) -> str:
    """The days it is restricted to; empty when there are none."""
    dates = "" if cron.any_day or len(cron.days) == 31 else f"on the {_dates(cron.days)} of the month"
    weekdays = "" if cron.any_weekday or len(cron.weekdays) == 7 else _weekdays(cron.weekdays)
    if dates and weekdays:
        return f"{dates}, and {weekdays}"
    both_named = not cron.any_day and not cron.any_weekday
    return "" if both_named else dates or weekdays


def _weekdays(days: tuple[int, ...]) -> str:
    monday_first = sorted(days, key=lambda day: (day - 1) % 7)
    if len(days) > 2 and _is_run(tuple((day - 1) % 7 for day in monday_first)):
        return f"{WEEKDAYS[monday_first[0]]} to {WEEKDAYS[monday_first[-1]]}"
    return f"on {joined([WEEKDAYS[day] for day in monday_first])}"


def _dates(days: tuple[int, ...]) -> str:
    if len(days) > 2 and _is_run(days):
        return f"{_ordinal(days[0])} to {_ordinal(days[-1])}"
    return joined([_ordinal(day) for day in days])


def _months(months: tuple[int, ...]) -> str:
    names = [MONTHS[month - 1] for month in months]
    return f"{names[0]} to {names[-1]}" if len(months) > 2 and _is_run(months) else joined(names)


def _is_run(numbers: tuple[int, ...]) -> bool:
    return numbers[-1] - numbers[0] == len(numbers) - 1


def _step(numbers: tuple[int, ...], size: int) -> int:
    """The even distance that divides the whole circle, 0 when there is none."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 0
    return step if step and numbers == tuple(range(0, size, step)) and size % step == 0 else 0


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
