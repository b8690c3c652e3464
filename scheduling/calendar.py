"""The calendar: what ran and what will run, a month or a week as a grid of days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.http import urlencode

from characters.images.models import Image
from characters.models import Character
from influencer import jsondb
from scheduling import deeds, outcomes, past
from scheduling.foresight import DAY, Foresight, Planned, midnight
from scheduling.models import Task, TaskType
from scheduling.past import Happened
from scheduling.timetable import Clocks

WEEK = 7 * DAY
# So many entries of a day are shown; of more, the number.
MOST = {"month": 3, "week": 12}
FIRST_YEAR, LAST_YEAR = 2000, 2100
ICONS = {
    "ok": "circle-check",
    "bad": "circle-x",
    "warn": "clock",
    "live": "loader-circle",
    "": "circle-dashed",
}
ADDED_AT = "T12:00"


@dataclass(frozen=True)
class Entry:
    """One run, or all of one task on a day, where there are many: `count`. Without a `url` no link."""

    at: datetime
    name: str
    deed: str
    state: str
    tone: str = ""
    url: str = ""
    planned: bool = False
    count: int = 1
    image: Image | None = None

    @property
    def icon(self) -> str:
        return "eye" if self.state == "waits for review" else ICONS[self.tone]

    @property
    def label(self) -> str:
        """ "18:00 Luna", or of many "Luna 12 ×"."""
        return f"{self.at:%H:%M} {self.name}" if self.count == 1 else f"{self.name} {self.count} ×"

    @property
    def title(self) -> str:
        said = f"{self.label}: {self.deed}, {self.state}"
        return said if self.count == 1 else f"{said}, {'from' if self.planned else 'at'} {self.at:%H:%M}"


@dataclass(frozen=True)
class Day:
    """One field of the grid. `other`: it belongs to the month before or after."""

    date: date
    today: bool = False
    other: bool = False
    add_url: str = ""
    entries: list[Entry] = field(default_factory=list)
    more: int = 0
    failed: int = 0

    @property
    def week_url(self) -> str:
        return f"?{urlencode({'week': monday(self.date).isoformat()})}"


@dataclass(frozen=True)
class Step:
    """A link to another sheet."""

    label: str
    query: str


@dataclass(frozen=True)
class View:
    """What is looked at: a month or a week, and whose."""

    first: date
    shape: str = "month"
    character: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, str], today: date) -> View:
        """From an address; what can't be read means the present."""
        character, week = asked.get("character", ""), asked.get("week", "")
        if week:
            return cls(monday(_date(week) or today), "week", character)
        return cls((_date(f"{asked.get('month', '')}-01") or today).replace(day=1), "month", character)

    @property
    def title(self) -> str:
        if self.shape == "month":
            return f"{self.first:%B %Y}"
        last = self.first + 6 * DAY
        start = f"{self.first.day} {self.first:%b}" if self.first.month != last.month else f"{self.first.day}"
        return f"{start} – {last.day} {last:%b %Y}"

    @property
    def query(self) -> str:
        return self._query_of(self.first, self.shape)

    @property
    def before(self) -> Step:
        return self._step(self.first - (WEEK if self.shape == "week" else DAY))

    @property
    def after(self) -> Step:
        return self._step(self.first + (WEEK if self.shape == "week" else 31 * DAY))

    def as_month(self) -> str:
        return self._query_of((self.first + 3 * DAY if self.shape == "week" else self.first), "month")

    def as_week(self, today: date) -> str:
        """The week of today, where that is in the month."""
        here = (today.year, today.month) == (self.first.year, self.first.month)
        return self._query_of(monday(today if here else self.first), "week")

    def of_today(self, today: date) -> str:
        return self._query_of(monday(today) if self.shape == "week" else today, self.shape)

    @cached_property
    def days(self) -> list[date]:
        """All days of the grid, whole weeks."""
        if self.shape == "week":
            return [self.first + number * DAY for number in range(7)]
        start, following = monday(self.first), (self.first + 31 * DAY).replace(day=1)
        weeks = -(-(following - start).days // 7)
        return [start + number * DAY for number in range(7 * weeks)]

    def _step(self, day: date) -> Step:
        other = replace(self, first=day if self.shape == "week" else day.replace(day=1))
        return Step(other.title, other.query)

    def _query_of(self, day: date, shape: str) -> str:
        told = {"week": day.isoformat()} if shape == "week" else {"month": f"{day:%Y-%m}"}
        return "?" + urlencode({**told, **({"character": self.character} if self.character else {})})


def weeks(view: View, clocks: Clocks, now: datetime) -> list[list[Day]]:
    """The grid, each row a week; a bounded number of questions however often tasks run."""
    sheet = _Sheet(view, clocks, now)
    days = [sheet.day(day) for day in view.days]
    return [days[start : start + 7] for start in range(0, len(days), 7)]


def silence(view: View, weeks: list[list[Day]], clocks: Clocks) -> str:
    """Why nothing stands on a sheet, or nothing can come; empty where something does."""
    days = [day for week in weeks for day in week]
    shown = any(day.entries for day in days if not day.other)
    if not any(day.add_url for day in days):
        return "" if shown else f"Nothing ran in {view.title}."
    whose = [task for task in _known(clocks).tasks.values() if view.character in ("", task.character_id)]
    if not whose:
        return "There is no task yet. What a task does stands here, day by day."
    if not any(task.active for task in whose):
        return "All tasks are paused, so nothing is planned. Resume one in the list."
    if not _ready(whose):
        return "The active tasks belong to paused characters, so nothing is planned."
    return "" if shown else f"Nothing runs in {view.title}."


def monday(day: date) -> date:
    return day - day.weekday() * DAY


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


@dataclass(frozen=True)
class _Known:
    """All tasks, and what lies ahead of each character, while the files are the same they were read from."""

    files: Sequence[object]
    home: str
    tasks: dict[str, Task]
    ahead: dict[str, Foresight] = field(default_factory=dict)

    def of(self, character: str, clocks: Clocks) -> Foresight:
        """Of one character, or of all."""
        if character not in self.ahead:
            whose = [one for one in self.tasks.values() if character in ("", one.character_id)]
            self.ahead[character] = Foresight(_ready(whose), clocks)
        return self.ahead[character]


_last: list[_Known] = []


def _known(clocks: Clocks) -> _Known:
    """Read anew when a file has changed: the same content is the same object."""
    files = [jsondb.collection(name).content() for name in ("scheduler.json", "characters.json")]
    for last in _last:
        same = all(now is before for now, before in zip(files, last.files, strict=True))
        if same and last.home == clocks.home.key:
            return last
    _last[:] = [_Known(files, clocks.home.key, {task.pk: task for task in Task.objects.all()})]
    return _last[0]


def _ready(tasks: Iterable[Task]) -> list[Task]:
    """What runs by itself, as things stand: active, and its character there and active."""
    active = set(Character.objects.filter(is_active=True).values_list("pk", flat=True))
    return [
        task
        for task in tasks
        if task.active and (task.type == TaskType.BACKUP or task.character_id in active)
    ]


class _Sheet:
    """One grid in the making."""

    def __init__(self, view: View, clocks: Clocks, now: datetime) -> None:
        self._view, self._now, self._home = view, now, clocks.home
        self._today, self._most = now.astimezone(clocks.home).date(), MOST[view.shape]
        self._names = dict(Character.objects.values_list("pk", "name"))
        known = _known(clocks)
        self._tasks, self._ahead = known.tasks, known.of(view.character, clocks)
        bounds = [(day, *_bounds(day, clocks.home)) for day in view.days if day <= self._today]
        self._past = past.by_day(bounds, most=self._most, character=view.character)

    def day(self, day: date) -> Day:
        gone = self._past.get(day, past.NOTHING)
        entries = [self._happened(one) for one in gone.first]
        ahead = (
            self._ahead.on(day, self._now, max(self._most - len(entries), 0)) if day >= self._today else None
        )
        entries += [self._planned(day, one) for one in ahead.first] if ahead else []
        total = gone.total + (ahead.total if ahead else 0)
        return Day(
            day,
            today=day == self._today,
            other=self._view.shape == "month" and day.month != self._view.first.month,
            add_url=self._add_url(day) if day >= self._today else "",
            entries=entries,
            more=total - len(entries),
            failed=gone.failed,
        )

    def _planned(self, day: date, one: Planned) -> Entry:
        task = self._tasks[one.task_id]
        at = datetime.combine(day, datetime.min.time()) + timedelta(minutes=one.minute)
        return Entry(
            at,
            self._name(task),
            deeds.of(task),
            "planned",
            url=reverse("scheduling:edit", args=[task.pk]),
            planned=True,
            count=one.count,
        )

    def _happened(self, one: Happened) -> Entry:
        run, task = one.run, self._tasks.get(one.run.fired.task_id)
        outcome = outcomes.of(run)
        gone = self._names.get(run.fired.character_id, "A task that was deleted")
        return Entry(
            run.fired.due.astimezone(self._home),
            self._name(task) if task else gone,
            deeds.of(task) if task else "a task that was deleted",
            outcome.text if one.count == 1 else f"the last one {outcome.text}",
            outcome.tone,
            url=reverse("scheduling:run", args=[run.fired.pk]),
            count=one.count,
            image=one.image,
        )

    def _name(self, task: Task) -> str:
        return deeds.whose(task, self._names.get(task.character_id, ""))

    def _add_url(self, day: date) -> str:
        given = {"runAt": f"{day.isoformat()}{ADDED_AT}", "character": self._view.character}
        if day == self._today:
            later = (self._now + timedelta(hours=1)).astimezone(self._home)
            given["runAt"] = f"{later:%Y-%m-%dT%H:00}"
        told: Sequence[tuple[str, str]] = [(name, value) for name, value in given.items() if value]
        return f"{reverse('scheduling:add')}?{urlencode(told)}"


def _bounds(day: date, home: ZoneInfo) -> tuple[datetime, datetime]:
    return midnight(day, home), midnight(day + DAY, home)
