"""How long an account's token lives, and what stands against renewing it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts, standing
from characters.publishing.accounts import Account
from characters.publishing.standing import NO_PAUSE
from characters.publishing.standing_models import AccountStanding
from influencer import vault
from influencer.clients.instagram_graph import FACEBOOK
from influencer.clients.instagram_tokens import LIFE, App, Login, login_of
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Problem

RENEW_BEFORE = timedelta(days=10)
YOUNGEST = timedelta(hours=24)
TRY_AGAIN = timedelta(hours=6)
UNASKED: dict[str, Any] = {
    "problem": None,
    "scopes": [],
    "checked_at": None,
    "last_ok_at": None,
    "refusals": 0,
    "refreshed_at": None,
    "refresh_tried_at": None,
    "refresh_problem": None,
}


def app() -> App | None:
    """The Meta app's own credentials, None when they are not configured."""
    given = settings.INFLUENCER.credentials
    id, secret = (given.get(name, "").strip() for name in ("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"))
    return App(id, secret) if id and secret else None


def note(character: Character, target: Account) -> AccountStanding:
    """Have the standing know the token that is stored now; of another one nothing is known yet.

    A pause for a token that was refused is over with that token; one for a restriction is not.
    Raises `Conflict`, `Unavailable` when the token can't be read.
    """
    token = accounts.token(character, target.platform)
    mark = _mark(token)
    known = standing.of(target.key)
    if known.token_mark == mark:
        return known
    fresh = {**UNASKED, **lifetime(target.platform, token, timezone.now()), "token_mark": mark}
    if known.is_paused and known.resume_after is None:
        fresh |= NO_PAUSE
    AccountStanding.objects.update_or_create(key=target.key, defaults=fresh)
    return standing.of(target.key)


def lifetime(platform: Platform, token: str, since: datetime) -> dict[str, Any]:
    """The times of a token stored at `since`, as long as nobody has said how long it lives.

    One of Instagram Login ends 60 days after it was made, so by then at the latest. Of one of Facebook
    Login nobody but its app can tell: a Page's does not end at all.
    """
    estimated = platform is Platform.INSTAGRAM and not token.startswith(FACEBOOK)
    ends = since + LIFE if estimated else None
    return {"token_since": since, "expires_at": ends, "expiry_known": False}


def replaced(key: str, token: str, values: dict[str, Any]) -> None:
    """Note a token that took the place of the account's earlier one by itself."""
    now = timezone.now()
    AccountStanding.objects.filter(pk=key).update(
        **{**values, "token_mark": _mark(token), "token_since": now, "refreshed_at": now},
        refresh_problem=None,
        problem=None,
        refusals=0,
    )


def is_due(known: AccountStanding, now: datetime) -> bool:
    """Whether the token should be renewed now: fewer than 10 days left, and not tried a moment ago."""
    if known.expires_at is None or known.token_since is None:
        return False
    tried = known.refresh_tried_at
    return (
        known.expires_at - now < RENEW_BEFORE
        and now - known.token_since >= YOUNGEST
        and (tried is None or now - tried >= TRY_AGAIN)
    )


def why_not(character: Character, target: Account, known: AccountStanding) -> Problem | None:
    """What stands against renewing the token without its owner; None when nothing does."""
    if target.platform is not Platform.INSTAGRAM or target.kind != "real":
        return _refusal("no_expiry", f"The keys of this {target.name} account do not expire.")
    login = login_of(accounts.token(character, target.platform))
    if variable := character.instagram_api_key.variable:
        return _refusal(
            "token_in_environment",
            f"The token comes from {variable}, where it can't be replaced from here.",
            f"Put a new one into {variable} before it ends, then restart.",
        )
    if login is Login.FACEBOOK and app() is None:
        return _refusal(
            "no_app",
            "A token of Facebook Login is renewed by its app, whose id and secret are not configured.",
            "Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or enter a Page token, which does not expire.",
        )
    return _too_late(known) or _too_early(known, login)


def _too_late(known: AccountStanding) -> Problem | None:
    if not known.has_expired:
        return None
    return _refusal("expired", "An expired token can't be renewed.", "Make a new one and enter it.")


def _too_early(known: AccountStanding, login: Login) -> Problem | None:
    age = timezone.now() - (known.token_since or timezone.now())
    if login is Login.FACEBOOK or age >= YOUNGEST:
        return None
    return _refusal("too_young", "Instagram renews a token only once it is 24 h old.", "Try again tomorrow.")


def _refusal(code: str, message: str, fix: str = "") -> Problem:
    return Conflict(f"{message} {fix}".strip(), code=code)


def _mark(token: str) -> str:
    """Tells tokens apart and gives none away: keyed, so that nobody can try guesses against it."""
    key = vault.derive(settings.INFLUENCER.master_key, "marks of tokens")
    return hashlib.blake2b(token.encode(), key=key, digest_size=16).hexdigest()
