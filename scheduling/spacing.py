"""Room between the posts of one account, when several runs start at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from characters.models import Character
from characters.publishing import accounts
from influencer.errors import Invalid
from scheduling import recipe
from scheduling.models import Task

SPACE = timedelta(seconds=60)


class Slots:
    """Gives each run its start: at once, or a minute after the one before it on the same account."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._next: dict[str, datetime] = {}
        self._any_real: bool | None = None

    def take(self, task: Task, character: Character | None) -> datetime:
        """When the task's run may start."""
        keys = self._accounts(task, character) if character else []
        start = max([self._now, *(self._next.get(key, self._now) for key in keys)])
        self._next.update(dict.fromkeys(keys, start + SPACE))
        return start

    def _accounts(self, task: Task, character: Character) -> Sequence[str]:
        try:
            platforms = recipe.read(task.type, task.config).platforms
        except Invalid:  # its run will say so
            return []
        if platforms and self._any_real is None:
            self._any_real = accounts.any_account_is_real()
        found = (accounts.account(character, platform, any_real=self._any_real) for platform in platforms)
        return [account.key for account in found if account.key]
