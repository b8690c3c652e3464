"""The five fields of a cron expression, read strictly: what can't be meant is named, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from croniter import CroniterError, croniter

from influencer.errors import Invalid

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
EXAMPLE = "Write five fields, like 0 18 * * *, or an interval, like 6h."
ALLOWED = "Use numbers, *, lists (1,15), ranges (1-5) and steps (*/15)."
LONGEST = 120

_ITEM = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)


@dataclass(frozen=True)
class Field:
    """One of the five: its name, the numbers it takes, and names for them."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """The number a digit or name stands for; None when it stands for nothing."""
        if text.isdigit():
            return int(text)
        short = [name[:3].lower() for name in self.names]
        return short.index(text) + self.low if text in short else None


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("weekday", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True)
class Cron:
    """A cron expression that does run, and the numbers each field stands for.

    `text` has every range and step written out. With both days and weekdays restricted either
    one suffices, as cron has always done.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]  # 0 is Sunday
    any_day: bool
    any_weekday: bool

    @property
    def every_hour(self) -> bool:
        """Whether it follows the hours that pass rather than the hands of the clock on the wall."""
        return len(self.hours) == 24


@lru_cache(maxsize=4096)
def read(text: str) -> Cron:
    """The expression's meaning. Raises `Invalid` with a sentence that names the field at fault."""
    shown = " ".join(text.split())
    parts = shown.lower().split(" ")
    if len(shown) > LONGEST or not shown or shown.startswith("@") or len(parts) == 1:
        raise refusal(f"{quoted(shown)} is no schedule. {EXAMPLE}")
    if len(parts) != len(FIELDS):
        raise refusal(
            f"{quoted(shown)} has {len(parts)} fields. Write five: minute, hour, day, month, weekday."
        )
    minutes, hours, days, months, weekdays = (
        _numbers(field, part) for field, part in zip(FIELDS, parts, strict=True)
    )
    weekdays = tuple(sorted({day % 7 for day in weekdays}))
    any_day, any_weekday = parts[2] == "*", parts[4] == "*"
    _check_dates(parts, days, months)
    numbers = (minutes, hours, days, months, weekdays)
    plain = [part if part == "*" else _listed(found) for part, found in zip(parts, numbers, strict=True)]
    _try(" ".join(plain), shown)
    return Cron(" ".join(plain), minutes, hours, days, months, weekdays, any_day, any_weekday)


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def refusal(sentence: str) -> Invalid:
    return Invalid(sentence, code="bad_schedule", fields={"schedule": [sentence]})


def quoted(text: str) -> str:
    return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"


def _numbers(field: Field, text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for item in text.split(","):
        found |= set(_item(field, text, item))
    return tuple(sorted(found))


def _item(field: Field, text: str, item: str) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise refusal(f"The {field.name} {quoted(text)} can't be read. {ALLOWED}")
    first, last = _ends(field, text, match)
    step = match["step"]
    if step is None:
        return range(first, last + 1)
    if not 1 <= int(step) <= field.high - field.low:
        raise refusal(f"The {field.name} {quoted(text)} has a step that can't be: {step}.")
    return range(first, last + 1, int(step))


def _ends(field: Field, text: str, match: re.Match[str]) -> tuple[int, int]:
    """The first and last number of an item, both included."""
    if match["first"] is None:
        # Sunday is counted once, or */2 would fall on two days in a row.
        return field.low, 6 if field.name == "weekday" else field.high
    first = _number(field, text, match["first"])
    if match["last"] is None:
        return first, field.high if match["step"] else first
    last = _number(field, text, match["last"])
    if field.name == "weekday" and match["last"] == "sun" and first > 0:
        last = 7
    if last < first:
        raise refusal(f"The {field.name} {quoted(text)} runs backwards: {match['first']} to {match['last']}.")
    return first, last


def _number(field: Field, text: str, word: str) -> int:
    number = field.number(word)
    if number is None:
        raise refusal(f"The {field.name} {quoted(text)} can't be read. {ALLOWED}")
    if not field.low <= number <= field.high:
        raise refusal(f"The {field.name} can't be {word}: it goes from {field.low} to {field.high}.")
    return number


def _check_dates(parts: list[str], days: tuple[int, ...], months: tuple[int, ...]) -> None:
    """Refuse days that none of the months has, also where a weekday would make up for it."""
    if min(days) > max(LONGEST_MONTH[month - 1] for month in months):
        named = " or ".join(MONTHS[month - 1] for month in months)
        raise refusal(f"The day {quoted(parts[2])} never comes in {named}: it would not run.")


def _try(text: str, shown: str) -> None:
    try:
        if croniter.is_valid(text, strict=True):
            croniter(text, datetime(2026, 1, 1), ret_type=datetime).get_next()
            return
    except CroniterError:
        pass
    raise refusal(f"{quoted(shown)} would never run. {EXAMPLE}")
