"""The lines of the list before a post goes out: how bad, what it is, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from characters.images.models import Image
from characters.models import Character
from characters.publishing.accounts import Account
from influencer.errors import Problem

Level = Literal["bad", "warn", "ok"]
ORDER = ("bad", "warn", "ok")
SAID = {"bad": "Must be fixed: ", "warn": "Check: ", "ok": "Fine: "}
ICONS = {"bad": "circle-x", "warn": "triangle-alert", "ok": "circle-check"}


@dataclass(frozen=True)
class Proposal:
    """What is about to go out, and where. Without `image`, one is made first.

    `in_ledger`: it is a post already, so that it can't be the same again as itself.
    """

    character: Character
    account: Account
    image: Image | None
    caption: str = ""
    alt_text: str = ""
    ai_label: bool = True
    force: bool = False
    in_ledger: bool = False


@dataclass(frozen=True)
class Check:
    """One line. `fix` is (text, address) when there is a place to do something.

    `problem` is what a red line is raised as where nobody looks at the list.
    """

    level: Level
    title: str
    detail: str = ""
    fix: tuple[str, str] | None = None
    code: str = ""
    problem: Problem | None = field(default=None, compare=False, repr=False)

    @classmethod
    def red(cls, title: str, problem: Problem, fix: tuple[str, str] | None = None) -> Check:
        """A line for what is refused, in the words of its problem."""
        detail = problem.sentence if problem.sentence != title else ""
        return cls("bad", title, detail, fix, code=str(problem.code), problem=problem)

    @property
    def icon(self) -> str:
        return ICONS[self.level]

    @property
    def said(self) -> str:
        return SAID[self.level]

    def as_json(self) -> dict[str, Any]:
        """The API's shape."""
        fix = {"text": self.fix[0], "url": self.fix[1]} if self.fix else None
        return {
            "level": self.level,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "fix": fix,
        }


def worst_first(checks: Iterable[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: ORDER.index(check.level))
