"""What stands beside the list: what waits for review, what was missed, what runs next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Any

from django.utils import timezone

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from influencer.clients.platform import Platform
from influencer.errors import Invalid
from influencer.jobs.models import Job
from influencer.jsondb.values import read_moment
from scheduling import deeds, runs, standstill, timetable
from scheduling.models import Fired, NextDue, Task
from scheduling.timetable import Clocks

NEXT = 6
# Of one task that runs often no more than these, or nothing else would be seen.
NEXT_OF_ONE = 2
MOST_MISSED = 8


@dataclass(frozen=True)
class Words:
    """What goes out on one platform, or on several where it is the same: `name` is that of its field."""

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class Card:
    """A run that waits for someone to look at it."""

    job: Job
    name: str
    image: Image | None
    accounts: list[Account]
    due: datetime | None

    @property
    def words(self) -> list[Words]:
        """One caption for all platforms while it is the same, else one for each."""
        captions = self.job.memo.get("captions") or {}
        if len(set(captions.values())) <= 1:
            return [Words("caption", "Caption", next(iter(captions.values()), ""))]
        return [
            Words(f"caption_{place}", f"Caption on {accounts.NAMES[Platform(place)]}", text)
            for place, text in captions.items()
        ]

    @property
    def alt_text(self) -> str:
        return str(self.job.memo.get("alt_text") or "")

    @property
    def is_real(self) -> bool:
        return any(account.kind == "real" for account in self.accounts)


@dataclass(frozen=True)
class Missed:
    """A run about which someone has to decide."""

    fired: Fired
    name: str
    deed: str
    image: Image | None


@dataclass(frozen=True)
class Next:
    """A run to come."""

    due: datetime
    task: Task
    name: str
    deed: str
    image: Image | None
    is_today: bool


def context(asked: Mapping[str, str]) -> dict[str, Any]:
    """All three, for the page of the list."""
    return {**opened(cards(), asked), "next_runs": next_runs(), **missed()}


def opened(cards: list[Card], asked: Mapping[str, str]) -> dict[str, Any]:
    """Which of those that wait is open, the oldest unless asked otherwise, and whether it is edited."""
    wanted = next((asked[name] for name in ("edit", "card", "open") if asked.get(name)), "")
    card = next((one for one in cards if one.job.pk == wanted), cards[0] if cards else None)
    editing = card is not None and card.job.pk == asked.get("edit")
    return {
        "cards": cards,
        "card": card,
        "others": [one for one in cards if one is not card],
        "editing": editing,
    }


def cards() -> list[Card]:
    """What waits for review, the oldest first."""
    waiting = runs.waiting_for_review()
    people = Character.objects.in_bulk([job.character_id for job in waiting])
    first = {job.pk: next(iter(job.memo.get("image_ids") or []), "") for job in waiting}
    pictures = Image.objects.in_bulk(list(first.values()))
    any_real = accounts.any_account_is_real() if waiting else False
    return [
        Card(
            job,
            people[job.character_id].name if job.character_id in people else "A character that is gone",
            pictures.get(first[job.pk]),
            _accounts(job, people.get(job.character_id), any_real=any_real),
            _due(job),
        )
        for job in waiting
    ]


def missed() -> dict[str, Any]:
    """The latest missed runs, how many there are, and when nothing ran, if that is known."""
    rows = list(runs.missed())
    tasks = Task.objects.in_bulk([row.task_id for row in rows[:MOST_MISSED]])
    names = dict(Character.objects.values_list("pk", "name"))
    portraits = images.portraits([row.character_id for row in rows[:MOST_MISSED] if row.character_id])
    lines = [
        Missed(
            row,
            deeds.whose(task, names.get(task.character_id, "")),
            deeds.of(task),
            portraits.get(row.character_id),
        )
        for row in rows[:MOST_MISSED]
        if (task := tasks.get(row.task_id))
    ]
    return {"missed": lines, "missed_count": len(rows), "stood": standstill.of([row.due for row in rows])}


def next_runs(most: int = NEXT, now: datetime | None = None) -> list[Next]:
    """The runs that come next over all tasks, as the clock has planned them."""
    now, clocks = now or timezone.now(), Clocks.now()
    # One of the next so many belongs to one of the tasks that are due first.
    rows = NextDue.objects.filter(due__gt=now).order_by("due")[:most]
    tasks = Task.objects.in_bulk([row.task_id for row in rows])
    dues = [
        (due, row.task_id)
        for row in rows
        if row.task_id in tasks and tasks[row.task_id].active
        for due in _coming(tasks[row.task_id], clocks, now)
    ]
    return _lines(nsmallest(most, dues), tasks, clocks, now)


def _lines(
    dues: Sequence[tuple[datetime, str]], tasks: dict[str, Task], clocks: Clocks, now: datetime
) -> list[Next]:
    people = [tasks[pk].character_id for _, pk in dues if tasks[pk].character_id]
    portraits, names = images.portraits(people), dict(Character.objects.values_list("pk", "name"))
    today = now.astimezone(clocks.home).date()
    return [
        Next(
            due,
            tasks[pk],
            deeds.whose(tasks[pk], names.get(tasks[pk].character_id, "")),
            deeds.of(tasks[pk]),
            portraits.get(tasks[pk].character_id),
            due.astimezone(clocks.home).date() == today,
        )
        for due, pk in dues
    ]


def _coming(task: Task, clocks: Clocks, now: datetime) -> list[datetime]:
    try:
        return timetable.of(task, clocks).coming(now, NEXT_OF_ONE)
    except Invalid:  # edited since the clock has planned it
        return []


def _accounts(job: Job, character: Character | None, *, any_real: bool) -> list[Account]:
    if character is None:
        return []
    places = map(Platform, job.memo.get("captions") or {})
    return [accounts.account(character, place, any_real=any_real) for place in places]


def _due(job: Job) -> datetime | None:
    try:
        return read_moment(job.request.get("due"))
    except (TypeError, ValueError, OverflowError, OSError):
        return None
