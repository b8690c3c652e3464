"""The status as a person sees it: one card for each service, with its facts, its fix and where that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from monitoring import facts
from monitoring.facts import Fact
from monitoring.report import Result, State

CHIPS = {
    State.OK: ("ok", "ok", "circle-check"),
    State.DEGRADED: ("needs a look", "warn", "triangle-alert"),
    State.DOWN: ("down", "bad", "circle-x"),
    State.UNCONFIGURED: ("not set up", "", "info"),
    State.SANDBOX: ("sandbox", "sandbox", "flask-conical"),
}
WAITING = ("checking", "", "loader-circle")
GRAVITY = (State.DOWN, State.DEGRADED, State.OK, State.SANDBOX, State.UNCONFIGURED)
Link = tuple[str, str]


@dataclass(frozen=True)
class Card:
    """One card. `chip` is (word, tone, icon), `link` (text, address); `broken` counts accounts."""

    slug: str
    title: str
    chip: tuple[str, str, str] = WAITING
    value: str = ""
    message: str = ""
    facts: Sequence[Fact] = ()
    last_good: datetime | None = None
    link: Link | None = None
    state: State | None = None
    broken: int = 0

    @property
    def tone(self) -> str:
        """Of the message: bad, warn, or soft where nothing is wrong."""
        return {State.DOWN: "bad", State.DEGRADED: "warn"}.get(self.state or State.OK, "soft")


@dataclass(frozen=True)
class Plan:
    """How a card is made: of which checks, with which figures, leading where."""

    title: str
    checks: tuple[str, ...]
    facts: Callable[[Mapping[str, Any]], Sequence[Fact]]
    value: Callable[[Mapping[str, Any], State], str]
    link: Callable[[Mapping[str, Any], State], Link | None] = field(default=lambda details, state: None)


def leads_to(url_name: str, text: str) -> Link | None:
    """A link, if that page exists."""
    try:
        return text, reverse(url_name)
    except NoReverseMatch:
        return None


def _settings(text: str) -> Callable[[Mapping[str, Any], State], Link | None]:
    return lambda details, state: leads_to("settings:show", text)


def _reconnect(details: Mapping[str, Any], state: State) -> Link | None:
    """To the first character whose account is broken."""
    for account in details.get("accounts", ()):
        if account["state"] == "down":
            address = reverse("characters:detail", args=[account["characterId"]])
            return f"Reconnect {account['character']}", address
    return None


def _restore(details: Mapping[str, Any], state: State) -> Link | None:
    """To the first damaged file's last good copy."""
    for file in details.get("files", ()):
        if "damaged" in file:
            return f"Restore {file['name']}", reverse("web:restore", args=[file["name"]])
    return None


PLANS = {
    "comfyui": Plan("ComfyUI", ("comfyui",), facts.comfyui, facts.comfyui_value, _settings("Connect")),
    "database": Plan("Database", ("database", "disk"), facts.database, facts.database_value, _restore),
    "scheduler": Plan(
        "Scheduler",
        ("scheduler", "workers"),
        facts.scheduler,
        facts.scheduler_value,
        lambda details, state: leads_to("scheduling:list", "Tasks"),
    ),
    "instagram": Plan("Instagram", ("instagram",), facts.accounts, facts.accounts_value, _reconnect),
    "x": Plan("X", ("x",), facts.accounts, facts.accounts_value, _reconnect),
    "gemini": Plan("Gemini", ("gemini",), facts.gemini, facts.gemini_value, _settings("Settings")),
}


def waiting() -> list[Card]:
    """The cards before anything is known."""
    return [Card(slug, plan.title, value="…") for slug, plan in PLANS.items()]


def cards(results: Mapping[str, Result]) -> list[Card]:
    return [_card(slug, plan, results) for slug, plan in PLANS.items()]


def _card(slug: str, plan: Plan, results: Mapping[str, Result]) -> Card:
    own = [results[name] for name in plan.checks]
    worst = min(own, key=lambda result: GRAVITY.index(result.state))
    details = {name: value for result in reversed(own) for name, value in result.finding.details.items()}
    listed = details.get("accounts", ())
    broken = sum(account["state"] == "down" for account in listed)
    return Card(
        slug,
        plan.title,
        chip=(f"{broken} of {len(listed)} broken", "bad", "circle-x") if broken else CHIPS[worst.state],
        value=plan.value(details, worst.state),
        message="" if worst.state is State.OK or broken else worst.message,
        facts=plan.facts(details),
        last_good=min((result.last_ok_at for result in own if result.last_ok_at), default=None),
        link=plan.link(details, worst.state),
        state=worst.state,
        broken=broken,
    )
