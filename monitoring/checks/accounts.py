"""Instagram and X: where each character posts, and whether the real accounts answer.

X charges for every account it is asked about (docs.x.com, pay-per-use) and both count calls, so
an answer is remembered, and at most `AT_ONCE` accounts are asked in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import Count
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, wording
from characters.publishing.models import Post, PostState
from characters.publishing.standing_models import AccountStanding
from influencer import effective, endpoints
from influencer.clients import media_host
from influencer.clients.platform import Platform, Publisher
from influencer.errors import Problem
from influencer.jobs.models import iso
from monitoring.answers import Answer
from monitoring.crew import Crew
from monitoring.report import Finding, State

SECONDS = 2.2
AT_ONCE = 16
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)


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
        """Changes with the credentials and the address, so that new ones are asked about at once."""
        if self.account is None:
            return ""
        fields = (getattr(self.character, name) for name in accounts.FIELDS[self.account.platform])
        config = effective.config()
        address = config.x_api_url if self.account.platform is Platform.X else config.instagram_graph_url
        stored = (getattr(field, "stored", "") for field in fields)
        return f"{self.account.key}|{hash((address, *stored))}"


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
    practice = not real and not any(seat.fault for seat in seats)
    if not practice:
        _ask(real, fresh)
    entries = [_entry(seat) | more for seat, more in zip(seats, _ledger(platform, seats), strict=True)]
    details = {"accounts": entries, "lastError": _last_error(platform)}
    if practice:
        return _without_accounts(platform, details)
    return _warned(_finding(platform, details), _warnings(seats))


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
        _known[key] = Answer(error=f"No answer within {SECONDS:g} s.")


def _ask_one(seat: Seat) -> bool:
    """Note the account's answer, also one that comes when nobody waits any more."""
    _known[seat.key] = _answer_of(seat)
    return True


def _answer_of(seat: Seat) -> Answer:
    assert seat.account is not None
    try:
        client = accounts.publisher(seat.character, seat.account)
        return Answer({"username": client.account().username, **_quota(client)})
    except Problem as problem:
        return Answer(error=problem.sentence)


def _quota(client: Publisher) -> dict[str, Any]:
    """What Instagram allows; X tells only whoever has just posted. Missing, it is no fault of the account."""
    if client.platform is not Platform.INSTAGRAM:
        return {}
    with suppress(Problem):
        if (quota := client.quota()) and quota.limit:
            return {"quota": {"used": quota.used, "limit": quota.limit}}
    return {}


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
    return {**entry, "state": state, "message": answer.error, **answer.facts, "checkedAt": iso(answer.moment)}


def _ledger(platform: Platform, seats: Sequence[Seat]) -> Iterator[dict[str, Any]]:
    """What the ledger knows of each account without asking anybody; a paused one counts as down."""
    posted = _posted_today(platform)
    for key, stands in _standings(seats):
        paused = f"Paused: {stands.pause_reason.rstrip('.')}. Resume it in the Accounts section."
        yield {
            "postedToday": posted.get(key, 0),
            "tokenExpiresAt": iso(stands.expires_at),
            "tokenExpiryKnown": stands.expiry_known,
            "tokenExpiresSoon": stands.expires_soon,
            "heldUntil": iso(stands.held_until) if stands.held() else None,
            **_kept_quota(platform, stands),
            **({"state": "down", "message": paused} if stands.is_paused else {}),
        }


def _standings(seats: Sequence[Seat]) -> Iterator[tuple[str, AccountStanding]]:
    """Each account's key and how it stands, by its character's own token."""
    known = iter(accounts.with_standing([(seat.character, seat.account) for seat in seats if seat.account]))
    for seat in seats:
        place = next(known) if seat.account else None
        key = place.key if place else ""
        yield key, (place.standing if place else None) or AccountStanding(key=key)


def _kept_quota(platform: Platform, stands: AccountStanding) -> dict[str, Any]:
    """X tells its limits with the answer to a post only; they are kept."""
    if platform is not Platform.X or stands.posts_left is None:
        return {}
    return {"quota": {"used": stands.quota_used, "limit": stands.quota_limit}}


def _posted_today(platform: Platform) -> dict[str, int]:
    """How many posts each account got in the last 24 hours."""
    since = timezone.now() - A_DAY
    posts = Post.objects.filter(state=PostState.PUBLISHED, created_at__gte=since, platform=str(platform))
    return dict(posts.order_by().values_list("account").annotate(Count("pk")))


def _last_error(platform: Platform) -> dict[str, Any] | None:
    """Of the newest post of this week that failed."""
    failed = Post.objects.filter(state=PostState.FAILED, created_at__gte=timezone.now() - A_WEEK)
    post = failed.filter(platform=str(platform)).order_by("-created_at").first()
    if post is None or not post.error:
        return None
    said = {name: post.error.get(name, "") for name in ("code", "message")}
    return {"postId": post.pk, "at": iso(post.updated_at), **said}


def _without_accounts(platform: Platform, details: dict[str, Any]) -> Finding:
    """Only practice, or nothing at all. Raises `Unavailable` when the sandbox should run and does not."""
    name = accounts.NAMES[platform]
    if not endpoints.sandbox_allowed():
        message = f"No character has {name} credentials, and the sandbox is off. Add them to a character."
        return Finding(State.UNCONFIGURED, message, details)
    endpoints.stand_in(name)
    message = f"The sandbox stands in. Add {name} credentials to a character to post for real."
    return Finding(State.SANDBOX, message, details)


def _finding(platform: Platform, details: dict[str, Any]) -> Finding:
    entries: Sequence[dict[str, Any]] = details["accounts"]
    broken = [entry for entry in entries if entry["state"] == "down"]
    well = [entry for entry in entries if entry["state"] in {"ok", "unchecked"}]
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


def _warnings(seats: Sequence[Seat]) -> list[str]:
    """What is about to go wrong with a real account, or keeps it from posting: a sentence each."""
    standings = zip(seats, _standings(seats), strict=True)
    said = [
        (seat.character.name, wording.warning(row)) for seat, (_, row) in standings if seat.kind == "real"
    ]
    return [f"{name}: {sentence}" for name, sentence in said if sentence]


def _warned(finding: Finding, warnings: list[str]) -> Finding:
    """The finding with the warnings; they are its sentence where nothing worse is known."""
    if not warnings:
        return finding
    more = f" {len(warnings) - 1} more have a warning." if len(warnings) > 1 else ""
    details = {**finding.details, "warnings": warnings}
    if finding.state is not State.OK:
        return replace(finding, details=details)
    return Finding(State.DEGRADED, f"{warnings[0]}{more}", details)


def _public_address() -> str:
    """What is wrong with the address Instagram fetches pictures from, empty when nothing is."""
    config = effective.config()
    return media_host.fault(config.public_base_url, graph_url=config.instagram_graph_url)
