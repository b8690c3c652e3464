"""What Run Now is about to do, for the question it asks first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from influencer.errors import Invalid
from influencer.jobs.wording import duration
from scheduling import deeds, hand, recipe, runs
from scheduling.models import Task
from scheduling.spacing import Slots

# So many are listed; of more, the number.
MOST_LISTED = 100


@dataclass(frozen=True)
class Start:
    """One task that would start: whose, what, to which accounts, and in how many seconds."""

    task: Task
    name: str
    deed: str
    icon: str
    accounts: list[Account]
    seconds: float
    going: bool

    @property
    def is_real(self) -> bool:
        return any(account.kind == "real" for account in self.accounts)

    @property
    def later(self) -> str:
        """When it starts, unless at once."""
        return f"in {duration(self.seconds)}" if self.seconds >= 1 else ""


@dataclass(frozen=True)
class Left:
    """One task that would be left out, and why."""

    name: str
    deed: str
    why: str


@dataclass(frozen=True)
class Intended:
    """All of it. `mark` tells whether it is still the same when the answer comes."""

    starts: list[Start]
    left_out: list[Left]

    @property
    def listed(self) -> list[Start]:
        return self.starts[:MOST_LISTED]

    @property
    def more(self) -> int:
        return max(len(self.starts) - MOST_LISTED, 0)

    @property
    def real(self) -> int:
        return sum(start.is_real for start in self.starts)

    @property
    def lasts(self) -> str:
        """When the last one starts, when that is not at once."""
        return duration(max((start.seconds for start in self.starts), default=0))

    @property
    def spread(self) -> bool:
        return any(start.seconds >= 1 for start in self.starts)

    @property
    def mark(self) -> str:
        said = [(start.task.pk, start.deed, start.is_real) for start in self.starts]
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def all_active() -> Intended:
    """What Run Now would do now."""
    ready, left_out = hand.all_active()
    tasks = {task.pk: task for task in Task.objects.filter(active=True)}
    names = dict(Character.objects.values_list("pk", "name"))
    left = [
        Left(deeds.whose(task, names.get(task.character_id, "")), deeds.of(task), one.why)
        for one in left_out
        if (task := tasks.get(one.task_id))
    ]
    return Intended(_starts(ready), left)


def one(task: Task) -> Intended:
    """What running this task would do."""
    return Intended(_starts([task]), [])


def _starts(tasks: Iterable[Task]) -> list[Start]:
    now, going = timezone.now(), runs.all_going()
    slots, any_real = Slots(now), accounts.any_account_is_real()
    people = {character.pk: character for character in Character.objects.all()}
    return [
        _start(task, people.get(task.character_id), now, slots=slots, any_real=any_real, going=going)
        for task in tasks
    ]


def _start(
    task: Task,
    character: Character | None,
    now: datetime,
    *,
    slots: Slots,
    any_real: bool,
    going: set[str],
) -> Start:
    is_going = task.pk in going
    start = now if is_going else slots.take(task, character)
    return Start(
        task=task,
        name=deeds.whose(task, character.name if character else ""),
        deed=deeds.of(task),
        icon=deeds.icon(task),
        accounts=_accounts(task, character, any_real=any_real),
        seconds=(start - now).total_seconds(),
        going=is_going,
    )


def _accounts(task: Task, character: Character | None, *, any_real: bool) -> list[Account]:
    if character is None:
        return []
    try:
        platforms = recipe.read(task.type, task.config).platforms
    except Invalid:  # its run will say so
        return []
    return [accounts.account(character, platform, any_real=any_real) for platform in platforms]
