"""How an account stands, in the words of its Accounts section."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from characters.publishing.accounts import Account, renewing
from characters.publishing.accounts.tokens import RENEW_BEFORE
from characters.publishing.standing_models import URGENT_DAYS, AccountStanding
from influencer.clients import x_errors
from influencer.clients.platform import Platform

ICONS = {"bad": "circle-alert", "warn": "triangle-alert"}
RESUME = "Nothing goes out on it before you resume it."
# What a person can do about a hold; others only pass.
FIXES = {rule.code: rule.fix for rule in x_errors.RULES if rule.code in x_errors.UNPAID}
PRACTICE = "Sandbox. Posts appear in the feed on this computer until you add credentials."


@dataclass(frozen=True)
class Trouble:
    """Something about an account a person should know. `moment` comes after the word of `when`."""

    level: str
    message: str
    fix: str = ""
    when: str = ""
    moment: datetime | None = None

    @property
    def icon(self) -> tuple[str, str]:
        """Its name and its class."""
        return ICONS[self.level], f"icon {self.level}"


@dataclass(frozen=True)
class Connection:
    """One account as the Accounts section shows it."""

    account: Account
    facts: list[str]
    troubles: list[Trouble]

    @property
    def can_renew(self) -> bool:
        known, here = self.account.standing, self.account
        if not known or known.is_broken or known.days_left is None:
            return False
        ends = known.days_left <= RENEW_BEFORE.days
        return ends and here.kind == "real" and here.platform is Platform.INSTAGRAM

    @cached_property
    def is_renewing(self) -> bool:
        return self.can_renew and renewing.is_running(self.account.key)

    @property
    def guide(self) -> str:
        """Which guide fits: the way the platform is mostly connected."""
        return str(self.account.platform)


def connections(accounts: list[Account]) -> list[Connection]:
    return [Connection(account, facts(account), troubles(account)) for account in accounts]


def is_busy(connections: list[Connection]) -> bool:
    """Whether one of them will look otherwise in a moment."""
    return any(connection.is_renewing for connection in connections)


def facts(account: Account) -> list[str]:
    """What is known and well, in short sentences."""
    if account.kind == "none":
        return [account.note]
    known = account.standing or AccountStanding(key=account.key)
    start = [account.note or PRACTICE] if account.sandbox else []
    if account.kind == "real" and known.checked_at is None:
        start = ["Credentials are set; not checked yet."]
    lifetime = [_lifetime(account, known)] if account.kind == "real" else []
    return [*start, *_quota(known), *filter(None, lifetime)]


def _quota(known: AccountStanding) -> list[str]:
    if known.posts_left is None:
        return []
    return [f"{known.quota_used} of {known.quota_limit} posts used in 24 h."]


def _lifetime(account: Account, known: AccountStanding) -> str:
    if account.platform is not Platform.INSTAGRAM or known.token_since is None:
        return ""
    if known.days_left is None:
        return (
            "The token does not expire by time."
            if known.expiry_known
            else "When the token ends is not known."
        )
    if known.expires_soon or known.has_expired:
        return ""
    return f"The token expires in {known.days_left} d{known.guess}."


def troubles(account: Account) -> list[Trouble]:
    """What stands in the way or soon will, worst first."""
    known = account.standing
    if known is None:
        return []
    found: list[Trouble] = []
    if known.is_paused:
        when = "Better not before" if known.rests else ""
        found.append(Trouble("bad", f"Paused: {known.pause_reason}", RESUME, when, known.resume_after))
    if account.kind == "real":
        found += _problem(known) + _ending(known)
    if known.held():
        reason = f"Waiting: {known.hold_reason.rstrip('.')}."
        fix = FIXES.get(known.hold_code, "")
        found.append(Trouble("warn", reason, fix, "It goes on", known.held_until))
    return found


def _problem(known: AccountStanding) -> list[Trouble]:
    if not known.problem or known.problem.get("message") in known.pause_reason:
        return []
    return [Trouble("bad", known.problem["message"], known.problem.get("fix", ""))]


def _ending(known: AccountStanding) -> list[Trouble]:
    """An ending token, and why it has not been renewed."""
    days = known.days_left
    if days is None or days > RENEW_BEFORE.days:
        return []
    failed = known.refresh_problem or {}
    why = f"{failed.get('message', '')} {failed.get('fix', '')}".strip()
    if known.has_expired:  # a refusal says it already
        return (
            []
            if known.problem
            else [Trouble("bad", "The token has expired.", "Make a new one and enter it.")]
        )
    if not known.expires_soon:
        return [Trouble("warn", "The token was not renewed.", why)] if why else []
    return [Trouble("bad" if days <= URGENT_DAYS else "warn", f"{ending(known)}.", why)]


def ending(known: AccountStanding) -> str:
    """That the token ends soon, with the days that are left; empty while that is more than 7 days off."""
    days = known.days_left
    if days is None or not known.expires_soon:
        return ""
    if days < 1:
        return "The token has expired" if known.expiry_known else "The token may have expired"
    return f"The token expires in {days} d{known.guess}"


def warning(known: AccountStanding) -> str:
    """One sentence for the status when the token is about to end; empty when there is nothing to say."""
    return f"{ending(known)}." if ending(known) else ""
