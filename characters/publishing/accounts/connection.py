"""Check a connection: whose account is it, how much may it post, how long will its token do?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, standing, tokens, waiting
from characters.publishing.standing_models import AccountStanding
from influencer import effective
from influencer.clients import avatar, network
from influencer.clients.instagram_tokens import APP_REFUSED, Login, Tokens, login_of
from influencer.clients.platform import Account as Found
from influencer.clients.platform import Action, Platform, PlatformError, Quota
from influencer.clients.x_errors import UNPAID

SECONDS = 10.0
MAY_PUBLISH = {"instagram_content_publish", "instagram_business_content_publish"}
ANOTHER_TOKEN = "Make a new token, enter it, then check again."  # noqa: S105 - a sentence


# Failures that lie between here and the account: the address, the network, the app's own secret.
ON_THE_WAY = {network.MISDIRECTED.code, network.FORBIDDEN.code, APP_REFUSED.code}


@dataclass(frozen=True)
class Checked:
    """How a check went: a sentence, and what to do when it is not well. `level` is ok, warn or bad."""

    level: str
    message: str
    fix: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.message} {self.fix}".strip()


def check(character: Character, platform: Platform) -> Checked:
    """Ask the platform whose account it is, and keep what it says. Raises `Conflict`, `Unavailable`."""
    target = accounts.require(character, platform)
    known = tokens.note(character, target) if target.kind == "real" else standing.of(target.key)
    publisher = accounts.publisher(character, target, seconds=SECONDS)
    try:
        found, quota = publisher.account(), publisher.quota()
        life = _life(character, target, known)
    except PlatformError as error:
        return _refused(target, known, error)
    _keep(target, known.token_mark, found, quota, life)
    if known.app:
        waiting.paid(known.app)
    if life.get("problem"):
        return Checked("bad", life["problem"]["message"], life["problem"]["fix"])
    return _stranger(character, target, found) or Checked("ok", _welcome(target, found))


def _welcome(target: Account, found: Found) -> str:
    who = f"@{found.username}" if found.username else f"account {found.id}"
    return f"{target.name} answers: {who}{', in the sandbox' if target.sandbox else ''}."


def _stranger(character: Character, target: Account, found: Found) -> Checked | None:
    """A token of Instagram Login tells whose it is; the id on the character may be another's."""
    entered = target.key.partition(":")[2]
    if target.kind != "real" or target.platform is not Platform.INSTAGRAM or entered in {found.id, "me"}:
        return None
    message = f"The token is that of @{found.username}, whose account id is {found.id}, not {entered}."
    return Checked("warn", message, f"Enter {found.id} as the Instagram account id.")


def _life(character: Character, target: Account, known: AccountStanding) -> dict[str, Any]:
    """What becomes known of the token beside that it works. Raises `PlatformError`."""
    if target.kind != "real" or target.platform is not Platform.INSTAGRAM:
        return {}
    token, app = accounts.token(character, target.platform), tokens.app()
    if login_of(token) is Login.FACEBOOK and app is not None:
        config = effective.config()
        asked = Tokens(token, base_url=config.instagram_graph_url, api_version=config.instagram_api_version)
        examined = asked.examine(app)
        return {
            "expires_at": examined.expires_at,
            "expiry_known": True,
            "scopes": list(examined.scopes),
            "problem": _lacking(examined.valid, examined.scopes),
        }
    if lacking := _lacking(True, tuple(known.scopes)):
        return {"problem": lacking}
    outlived = known.expires_at is not None and known.expires_at <= timezone.now()
    return {"expires_at": None, "expiry_known": False} if outlived else {}


def _lacking(valid: bool, scopes: tuple[str, ...]) -> dict[str, str] | None:
    if not valid:
        return {"code": "token_invalid", "message": "The token is no longer valid.", "fix": ANOTHER_TOKEN}
    if scopes and MAY_PUBLISH.isdisjoint(scopes):
        business = "_business" if any("_business_" in scope for scope in scopes) else ""
        message = f"The token may not publish: it lacks instagram{business}_content_publish."
        return {"code": "scope_missing", "message": message, "fix": "Grant it, then enter the new token."}
    return None


def _keep(target: Account, mark: str, found: Found, quota: Quota | None, life: dict[str, Any]) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        "username": found.username[:120],
        "name": found.name[:200],
        "picture_url": found.picture_url,
        "picture": avatar.data_url(found.picture_url, base_url=accounts.address_of(target)),
        "problem": None,
        "unasked": None,
        "checked_at": now,
        "last_ok_at": now,
    }
    if quota:
        values |= {"quota_used": quota.used, "quota_limit": quota.limit, "quota_until": quota.until}
    standing.learn(target.key, mark, **{**values, **life})


def _refused(target: Account, known: AccountStanding, error: PlatformError) -> Checked:
    """A refusal of the account is kept; trouble of the platform, or on the way to it, says nothing of it.

    An app without credits is not answered at all, so nothing goes out by it either.
    """
    values: dict[str, Any] = {"checked_at": timezone.now(), "unasked": standing.problem_of(error)}
    for_good = error.action in {Action.REAUTHORISE, Action.GIVE_UP}
    if for_good and error.code not in ON_THE_WAY:
        values |= {"problem": values["unasked"], **standing.ended(error)}
    standing.learn(target.key, known.token_mark, **values)
    if str(error.code) in UNPAID:
        waiting.hold_account(target.key, known.app, error)
    return Checked("bad" if for_good else "warn", error.message, error.fix)
