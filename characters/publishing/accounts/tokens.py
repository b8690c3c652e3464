"""How long an account's token lives, and what stands against renewing it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, marks, standing
from characters.publishing.models import Post
from characters.publishing.standing_models import TOKEN_FACTS, AccountStanding, OtherToken
from influencer.clients.instagram_graph import FACEBOOK
from influencer.clients.instagram_tokens import LIFE, App, Login, Renewed, login_of
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Problem

RENEW_BEFORE = timedelta(days=10)
YOUNGEST = timedelta(hours=24)
TRY_AGAIN = timedelta(hours=6)
UNASKED: dict[str, Any] = {
    "problem": None,
    "unasked": None,
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

    A pause for a token that was refused is over with a new token; one for a restriction is not.
    Raises `Conflict`, `Unavailable` when the token can't be read.
    """
    token = accounts.token(character, target.platform)
    mark, app_key = marks.mark(token), app_of(character, target)
    known = standing.of(target.key, mark)
    if known.token_mark != mark:
        fresh = {**UNASKED, **lifetime(target.platform, token, timezone.now())}
        _begin(target, known, {**fresh, "token_mark": mark, "app": app_key})
    elif known.app != app_key:
        standing.learn(target.key, mark, app=app_key)
    else:
        return known
    return standing.of(target.key, mark)


@transaction.atomic
def _begin(target: Account, known: AccountStanding, fresh: dict[str, Any]) -> None:
    """A token that was never seen takes the first one's place, unless another character still has that."""
    in_use = [accounts.mark_of(one, target.platform) for one in accounts.sharing(target.platform, target.key)]
    OtherToken.objects.filter(account=target.key).exclude(token_mark__in=in_use).delete()
    if known.is_paused and known.resume_after is None:
        standing.lift(target.key)
    if known.token_mark and known.token_mark in in_use:
        mark = fresh["token_mark"]
        OtherToken.objects.update_or_create(account=target.key, token_mark=mark, defaults=fresh)
    else:
        AccountStanding.objects.update_or_create(key=target.key, defaults=fresh)


@transaction.atomic
def tidy(in_use: set[tuple[str, str]]) -> None:
    """Forget further tokens that no character has any more; `in_use` are accounts with their marks."""
    for key in OtherToken.objects.order_by().values_list("account", flat=True).distinct():
        held = {mark for account, mark in in_use if account == key}
        if not held or "" in held:  # one that can't be read may be any
            continue
        others = OtherToken.objects.filter(account=key)
        others.exclude(token_mark__in=held).delete()
        first = standing.of(key).token_mark
        if first not in held and (heir := others.first()):
            facts = {name: getattr(heir, name) for name in TOKEN_FACTS}
            AccountStanding.objects.filter(pk=key).update(**facts)
            heir.delete()


def app_of(character: Character, target: Account) -> str:
    """The key of the row of the X app the account posts by; "" where it shares none."""
    if target.platform is not Platform.X or target.kind != "real":
        return ""
    return f"x-app:{marks.mark(accounts.app_key(character))}"


def known_of(character: Character, target: Account) -> AccountStanding:
    """How the account stands, by the character's own token."""
    return accounts.with_standing([(character, target)])[0].standing or AccountStanding(key=target.key)


def mark_for(post: Post) -> str:
    """Which token of its account a post is sent with; "" where the account has only one."""
    if not OtherToken.objects.filter(account=post.account).exists():
        return ""
    character = Character.objects.filter(pk=post.character_id).first()
    return accounts.mark_of(character, Platform(post.platform)) if character else ""


def lifetime(platform: Platform, token: str, since: datetime) -> dict[str, Any]:
    """The times of a token stored at `since`, as long as nobody has said how long it lives.

    One of Instagram Login ends 60 days after it was made, so by then at the latest. Of one of Facebook
    Login nobody but its app can tell: a Page's does not end at all.
    """
    estimated = platform is Platform.INSTAGRAM and not token.startswith(FACEBOOK)
    ends = since + LIFE if estimated else None
    return {"token_since": since, "expires_at": ends, "expiry_known": False}


def replaced(key: str, old: str, fresh: Renewed) -> None:
    """Note the token that took the place of an earlier one by itself, and when it ends by Instagram's word.

    Where that was not said, one of Instagram Login is thought to live as long as any new one.
    """
    now = timezone.now()
    known = fresh.expires_at is not None or fresh.token.startswith(FACEBOOK)
    values: dict[str, Any] = {
        "token_mark": marks.mark(fresh.token),
        "token_since": now,
        "expires_at": fresh.expires_at if known else now + LIFE,
        "expiry_known": known,
        "refreshed_at": now,
        "refresh_problem": None,
        "problem": None,
        "refusals": 0,
    }
    if fresh.scopes:
        values["scopes"] = list(fresh.scopes)
    standing.learn(key, marks.mark(old), **values)


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
