"""Which tasks run on which days, for a calendar: worked out from their fields, not run by run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import nsmallest
from itertools import chain, islice, takewhile
from zoneinfo import ZoneInfo

from influencer.errors import Invalid
from scheduling import timetable, wall
from scheduling.cron import Interval
from scheduling.fields import Cron
from scheduling.models import Task
from scheduling.timetable import MICROSECOND, Clocks, Timetable

# A task that runs more often on a day is one entry of it.
MOST_APART = 3
A_DAY = 24 * 60
DAY, QUARTER, MINUTE = timedelta(days=1), timedelta(minutes=15), timedelta(minutes=1)


@dataclass(frozen=True, order=True)
class Planned:
    """A run to come, or `count` of a task in one: the minute of the first, since the day's midnight."""

    minute: int
    task_id: str
    count: int = 1


@dataclass(frozen=True)
class DayPlan:
    """The first entries of a day, and how many there are in all."""

    first: list[Planned] = field(default_factory=list)
    total: int = 0


@dataclass(frozen=True)
class Span:
    """A day by the dashboard's clock; what lies before `floor`, in minutes of the day, is over."""

    day: date
    start: datetime
    end: datetime
    floor: int = -1

    @property
    def since(self) -> datetime:
        """The last moment that does not count any more."""
        return max(self.start - MICROSECOND, self.start + self.floor * MINUTE)

    def minute_of(self, moment: datetime, home: ZoneInfo) -> int:
        shown = wall.shown_at(moment, home)
        return shown.hour * 60 + shown.minute


@dataclass
class _Crons:
    """Tasks of one zone whose days follow the same fields; `ready` keeps what is the same on most days."""

    cron: Cron
    zone: ZoneInfo
    tasks: list[tuple[str, Timetable, tuple[int, ...]]] = field(default_factory=list)
    ready: dict[int, dict[int, list[Planned]]] = field(default_factory=dict)

    def on(self, span: Span, home: ZoneInfo) -> Iterator[list[Planned]]:
        """The entries of a day, in sorted lists."""
        ahead = _ahead(self.zone, home, span)
        if ahead is None:
            yield sorted(chain.from_iterable(self._exactly(span, home)))
            return
        shifted = self.ready.get(ahead) if span.floor < 0 else self._shifted(ahead, span.floor)
        if shifted is None:
            shifted = self.ready[ahead] = self._shifted(ahead)
        for days, found in shifted.items():
            if _holds(self.cron, span.day - days * DAY):
                yield found

    def _shifted(self, ahead: int, floor: int = -1) -> dict[int, list[Planned]]:
        """The entries by how many days later than in their own zone they are shown."""
        found: dict[int, list[Planned]] = {}
        for pk, _, minutes in self.tasks:
            by_day: dict[int, list[int]] = {}
            for minute in minutes:
                days, shown = divmod(minute + ahead, A_DAY)
                if shown > floor:
                    by_day.setdefault(days, []).append(shown)
            for days, shown_on in by_day.items():
                found.setdefault(days, []).extend(_entries(pk, shown_on))
        return {days: sorted(entries) for days, entries in found.items()}

    def _exactly(self, span: Span, home: ZoneInfo) -> Iterator[list[Planned]]:
        """On a day a clock changes: each time by itself."""
        dates = [day for day in _dates(span, self.zone) if _holds(self.cron, day)]
        for pk, times, minutes in self.tasks if dates else []:
            hourly = isinstance(times.rhythm, Cron) and times.rhythm.every_hour
            found = _passing if hourly else _fixed
            dues = [due for due in found(minutes, dates, self.zone, span) if span.since < due < span.end]
            yield _entries(pk, [span.minute_of(due, home) for due in dues])


class Foresight:
    """The runs that lie ahead of some tasks, asked for day by day."""

    def __init__(self, tasks: Iterable[Task], clocks: Clocks) -> None:
        self._home = clocks.home
        self._crons: dict[object, _Crons] = {}
        self._others: list[tuple[str, Timetable]] = []
        for task in tasks:
            try:
                self._sort_in(task.pk, timetable.of(task, clocks))
            except Invalid:  # its row in the list says why it can't run
                continue

    def on(self, day: date, now: datetime, most: int) -> DayPlan:
        """What a day will bring from now on: its first entries, `most` at most."""
        span = self._span(day, now)
        if span.end <= now:
            return DayPlan()
        lists = [found for crons in self._crons.values() for found in crons.on(span, self._home)]
        lists += [_on_day(pk, times, span, self._home) for pk, times in self._others]
        first = nsmallest(most, chain.from_iterable(islice(found, most) for found in lists))
        return DayPlan(first, sum(map(len, lists)))

    def _sort_in(self, pk: str, times: Timetable) -> None:
        cron = times.rhythm
        if not isinstance(cron, Cron):
            self._others.append((pk, times))
            return
        alike = (times.zone.key, cron.days, cron.months, cron.weekdays, cron.any_day, cron.any_weekday)
        crons = self._crons.setdefault(alike, _Crons(cron, times.zone))
        crons.tasks.append((pk, times, _minutes(cron.hours, cron.minutes)))

    def _span(self, day: date, now: datetime) -> Span:
        start, end = midnight(day, self._home), midnight(day + DAY, self._home)
        passed = start <= now < end
        shown = wall.shown_at(now, self._home)
        return Span(day, start, end, shown.hour * 60 + shown.minute if passed else -1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins (UTC); where spring leaves midnight out, right after the gap."""
    return wall.moment_of(datetime.combine(day, time()), zone)


def _entries(pk: str, minutes: Sequence[int]) -> list[Planned]:
    if len(minutes) > MOST_APART:
        return [Planned(min(minutes), pk, len(minutes))]
    return [Planned(minute, pk) for minute in minutes]


def _on_day(pk: str, times: Timetable, span: Span, home: ZoneInfo) -> list[Planned]:
    """The runs of a one-off or an interval."""
    rhythm = times.rhythm
    if isinstance(rhythm, Interval) and rhythm.unit != "d":
        first = times.next(span.since)
        count = 1 + (span.end - MICROSECOND - first) // rhythm.length if first and first < span.end else 0
        if first and count > MOST_APART:
            return [Planned(span.minute_of(first, home), pk, count)]
    dues = takewhile(lambda due: due < span.end, times.after(span.since))
    return [Planned(span.minute_of(due, home), pk) for due in dues]


def _fixed(minutes: Sequence[int], dates: list[date], zone: ZoneInfo, span: Span) -> list[datetime]:
    """The moments of fixed times on some days: each once, however often the clock shows it."""
    walls = (datetime.combine(day, time(*divmod(minute, 60))) for day in dates for minute in minutes)
    return sorted({wall.moment_of(shown, zone) for shown in walls})


def _passing(minutes: Sequence[int], dates: list[date], zone: ZoneInfo, span: Span) -> Iterator[datetime]:
    """The moments at which the clock really shows such a time on some days."""
    meant = [[minute - 15 * quarter for minute in minutes if minute // 15 == quarter] for quarter in range(4)]
    for moment, shown in _quarters(span.start, span.end, zone):
        if shown.date() in dates:
            yield from (moment + minute * MINUTE for minute in meant[shown.minute // 15])


@lru_cache(maxsize=64)
def _quarters(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Each quarter of an hour of a day, and what the clock of the zone shows: no clock changes within one."""
    moments = (start + number * QUARTER for number in range((end - start) // QUARTER))
    return [(moment, wall.shown_at(moment, zone)) for moment in moments]


def _ahead(zone: ZoneInfo, home: ZoneInfo, span: Span) -> int | None:
    """How many minutes the dashboard's clock is ahead of the zone's; None when one changes that day."""
    if zone.key == home.key:
        return 0 if span.end - span.start == DAY else None
    ends = span.start - DAY, span.end + DAY
    here, there = ([_offset(moment, clock) for moment in ends] for clock in (home, zone))
    if here[0] != here[1] or there[0] != there[1]:
        return None
    return int((here[0] - there[0]) / MINUTE)


@lru_cache(maxsize=4096)
def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _dates(span: Span, zone: ZoneInfo) -> list[date]:
    """The days by the zone's clock that touch a day."""
    first = wall.shown_at(span.start.astimezone(UTC), zone).date() - DAY
    last = wall.shown_at(span.end.astimezone(UTC), zone).date()
    return [first + number * DAY for number in range((last - first).days + 1)]


@lru_cache(maxsize=1024)
def _minutes(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(hour * 60 + minute for hour in hours for minute in minutes)


def _holds(cron: Cron, day: date) -> bool:
    """Whether the expression means that day; with days and weekdays restricted either suffices."""
    if day.month not in cron.months:
        return False
    by_date, by_weekday = day.day in cron.days, day.isoweekday() % 7 in cron.weekdays
    if cron.any_day or cron.any_weekday:
        return by_date and by_weekday
    return by_date or by_weekday
