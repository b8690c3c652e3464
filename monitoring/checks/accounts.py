"""Instagram and X: where each character posts, and whether the real accounts answer.

X charges for every account it is asked about (docs.x.com, pay-per-use) and both count calls, so
an answer is remembered, and at most `AT_ONCE` accounts are asked in one go.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from influencer import endpoints
from influencer.clients import media_host
from influencer.clients.platform import Platform
from influencer.errors import Problem
from influencer.jobs.models import iso
from monitoring.crew import Crew
from monitoring.report import Finding, State

SECONDS = 2.2
AT_ONCE = 16
# How long an answer is good, in seconds: a good one, a bad one, and either when the person asks anew.
GOOD_FOR, BAD_FOR, FRESH_FOR = 600.0, 60.0, 15.0


@dataclass(frozen=True)
class Answer:
    """What an account said: whose it is, or what is wrong."""

    username: str = ""
    error: str = ""
    at: float = 0.0
    moment: datetime | None = None

    def is_due(self, fresh: bool) -> bool:
        age = time.monotonic() - self.at
        return age > (FRESH_FOR if fresh else BAD_FOR if self.error else GOOD_FOR)


@dataclass(frozen=True)
class Seat:
    """One character on the platform; `fault` is what keeps it from being known at all."""

    character: Character
    account: Account | None
    fault: str = ""

    @property
    def kind(self) -> str:
        return self.account.kind if self.account else "broken"

    @property
    def key(self) -> str:
        """Changes with the credentials, so that new ones are asked about at once."""
        if self.account is None:
            return ""
        fields = (getattr(self.character, name) for name in accounts.FIELDS[self.account.platform])
        return f"{self.account.key}|{hash(tuple(getattr(field, 'stored', '') for field in fields))}"


_known: dict[str, Answer] = {}
_crew: Crew[bool] = Crew("account")


def instagram(fresh: bool) -> Finding:
    return check(Platform.INSTAGRAM, fresh)


def x(fresh: bool) -> Finding:
    return check(Platform.X, fresh)


def check(platform: Platform, fresh: bool) -> Finding:
    """The state of every character's account. Real ones are asked whose they are."""
    seats = list(_seats(platform))
    real = {seat.key: seat for seat in seats if seat.kind == "real"}
    if not real and not any(seat.fault for seat in seats):
        return _without_accounts(platform, seats)
    _ask(real, fresh)
    entries = [_entry(seat) for seat in seats]
    return _finding(platform, entries)


def _seats(platform: Platform) -> Iterable[Seat]:
    characters = list(Character.objects.all())
    try:
        any_real = accounts.any_account_is_real()
    except Problem:  # a secret nobody can open belongs to an account that was real
        any_real = True
    for character in characters:
        try:
            yield Seat(character, accounts.account(character, platform, any_real=any_real))
        except Problem as problem:
            yield Seat(character, None, problem.sentence)


def _ask(real: dict[str, Seat], fresh: bool) -> None:
    """Ask the accounts whose answer is due, those first that were asked longest ago."""
    due = [key for key in real if key not in _known or _known[key].is_due(fresh)]
    due.sort(key=lambda key: _known[key].at if key in _known else 0.0)
    calls = {key: partial(_ask_one, real[key]) for key in due[:AT_ONCE]}
    answered = _crew.run(calls, SECONDS)
    for key in calls.keys() - answered.keys():
        _known[key] = _said(error=f"No answer within {SECONDS:g} s.")


def _ask_one(seat: Seat) -> bool:
    """Note the account's answer, also one that comes when nobody waits any more."""
    _known[seat.key] = _answer_of(seat)
    return True


def _answer_of(seat: Seat) -> Answer:
    assert seat.account is not None
    try:
        found = accounts.publisher(seat.character, seat.account).account()
    except Problem as problem:
        return _said(error=problem.sentence)
    return _said(username=found.username)


def _said(**facts: str) -> Answer:
    return Answer(**facts, at=time.monotonic(), moment=timezone.now())


def _entry(seat: Seat) -> dict[str, Any]:
    """One account in the details; `state` is ok, down, unchecked, sandbox or none."""
    entry = {"characterId": seat.character.pk, "character": seat.character.name}
    if seat.account is None:
        return {**entry, "state": "down", "message": seat.fault}
    entry["handle"] = seat.account.handle
    if seat.kind != "real":
        return {**entry, "state": seat.kind, "message": seat.account.note}
    answer = _known.get(seat.key)
    if answer is None:
        return {**entry, "state": "unchecked", "message": "Credentials are set; not asked yet."}
    state = "down" if answer.error else "ok"
    said = {"message": answer.error, "username": answer.username, "checkedAt": iso(answer.moment)}
    return {**entry, "state": state, **said}


def _without_accounts(platform: Platform, seats: Sequence[Seat]) -> Finding:
    """Only practice, or nothing at all. Raises `Unavailable` when the sandbox should run and does not."""
    name, details = accounts.NAMES[platform], {"accounts": [_entry(seat) for seat in seats]}
    if not endpoints.sandbox_allowed():
        message = f"No character has {name} credentials, and the sandbox is off. Add them to a character."
        return Finding(State.UNCONFIGURED, message, details)
    endpoints.stand_in(name)
    message = f"The sandbox stands in. Add {name} credentials to a character to post for real."
    return Finding(State.SANDBOX, message, details)


def _finding(platform: Platform, entries: Sequence[dict[str, Any]]) -> Finding:
    broken = [entry for entry in entries if entry["state"] == "down"]
    well = [entry for entry in entries if entry["state"] in {"ok", "unchecked"}]
    details: dict[str, Any] = {"accounts": list(entries)}
    if platform is Platform.INSTAGRAM:
        details["publicAddress"] = _public_address()
    if broken:
        others = f" {len(broken) - 1} more have a problem." if len(broken) > 1 else ""
        message = f"{broken[0]['character']}: {broken[0]['message']}{others}"
        return Finding(State.DEGRADED if well else State.DOWN, message, details)
    if fault := details.get("publicAddress"):
        return Finding(State.DEGRADED, fault, details)
    asked = sum(entry["state"] == "ok" for entry in well)
    return Finding(State.OK, f"{asked} of {len(well)} accounts answered.", details)


def _public_address() -> str:
    """What is wrong with the address Instagram fetches pictures from, empty when nothing is."""
    config = settings.INFLUENCER
    return media_host.fault(config.public_base_url, graph_url=config.instagram_graph_url)
