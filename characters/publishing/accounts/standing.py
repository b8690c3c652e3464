"""How the ledger's accounts stand: what publishing asks before a post, and tells after each answer.

Two characters may share an account, each with a token of its own: `mark` says with which one (see
`tokens.mark_for`), "" with its first. What is known of one token says nothing of the other.

For delivery: `require_open(key)` before anything goes out; `held_until(key)` says how long to
wait; `hold(…)` when the platform says wait; `refused(key, error)` for every `PlatformError` it
raises; `worked(key)` when a step has succeeded. All are short database writes, none asks anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from characters.publishing.accounts import happenings
from characters.publishing.standing_models import TOKEN_FACTS, AccountStanding, OtherToken
from influencer.clients import instagram_errors, x_errors
from influencer.clients.platform import Action, PlatformError, Quota
from influencer.errors import Conflict, Problem

REFUSALS = 3
RESTRICTED_FOR = timedelta(hours=24)
A_WHILE = timedelta(hours=2)
RESTRICTIONS = instagram_errors.RESTRICTIONS | x_errors.RESTRICTIONS
REST = "It should rest for 24 h; posting sooner may get it restricted for longer."
NO_HOLD = {"held_until": None, "hold_code": "", "hold_reason": ""}
NO_PAUSE = {"paused_at": None, "pause_code": "", "pause_reason": "", "resume_after": None}
# Holds of hours or a day: their beginning and end are worth telling, those of minutes are not.
LASTING = frozenset({instagram_errors.QUOTA_REACHED, "quota", *x_errors.OF_THE_APP})
# What Instagram answers for a token whose time is over: from then on its end is known.
EXPIRED = "190/463"


def of(key: str, mark: str = "") -> AccountStanding:
    """How the account stands; a fresh row when nothing is known of it. To be looked at, not saved."""
    return many([(key, lambda: mark)])[0] or AccountStanding(key=key)


def many(asked: Sequence[tuple[str, Callable[[], str]]]) -> list[AccountStanding | None]:
    """Several accounts by their keys; None for one nobody knows anything of.

    Which token is meant is asked only where an account has more than one.
    """
    rows = AccountStanding.objects.in_bulk({key for key, _ in asked if key})
    others: dict[str, list[OtherToken]] = {}
    for token in OtherToken.objects.filter(account__in=rows):
        others.setdefault(token.account, []).append(token)
    seen = [_seen(rows.get(key), others.get(key, ()), mark) for key, mark in asked]
    apps = AccountStanding.objects.in_bulk({row.app for row in seen if row and row.app})
    for row in seen:
        if row and row.app in apps:
            row.show_hold(apps[row.app])
    return seen


def _seen(
    row: AccountStanding | None, others: Iterable[OtherToken], mark: Callable[[], str]
) -> AccountStanding | None:
    """A copy of the row that shows the token which is meant."""
    seen = copy(row)
    if seen and others:
        meant = mark()
        for token in others:
            if token.token_mark == meant:
                seen.show_token(token)
    return seen


def learn(key: str, mark: str = "", **values: Any) -> None:
    """Keep what has become known; facts of a token with that token, and of one that is gone nowhere."""
    facts = {name: value for name, value in values.items() if name in TOKEN_FACTS}
    with transaction.atomic():
        known = of(key, mark)
        if facts and mark and known.token_mark not in {"", mark}:
            values, facts = {name: values[name] for name in values.keys() - facts.keys()}, {}
        if "problem" in facts:
            _tell_of_trouble(key, known, facts)
        if facts and _other(key, mark).update(**facts):
            values = {name: values[name] for name in values.keys() - facts.keys()}
        if values:
            AccountStanding.objects.update_or_create(key=key, defaults=values)


def _tell_of_trouble(key: str, before: AccountStanding, facts: dict[str, Any]) -> None:
    """Where a platform begins to refuse an account, or takes it again.

    While posts are refused, a check that is answered well proves little: keys may read and not write.
    """
    now, known = facts["problem"], before.problem or {}
    if now:
        if now["code"] != known.get("code") and (known or not before.refusals):
            happenings.tell(key, "bad", f"{now['message']} {now.get('fix', '')}".strip(), now["code"])
    elif (known or before.refusals) and facts.get("refusals", before.refusals) == 0:
        happenings.tell(key, "ok", "The account is taken again.")


def require_open(key: str) -> None:
    """Raises `Conflict` (`account_paused`) with the reason: nothing may be posted before a Resume."""
    standing = of(key)
    if standing.is_paused:
        raise Conflict(
            f"The account is paused: {standing.pause_reason.rstrip('.')}. "
            "Resume it in the character's Accounts section, then retry.",
            code="account_paused",
            details={"reason": standing.pause_code},
        )


def held_until(key: str) -> datetime | None:
    """Until when the account waits for its platform; None when it need not."""
    standing = of(key)
    return standing.held_until if standing.held() else None


@transaction.atomic
def hold(key: str, until: datetime, reason: str, code: str) -> None:
    """Let the account's posts wait until then. Of two holds the longer one stays."""
    standing = _row(key)
    if code in LASTING and not _goes_on(standing, code):
        happenings.tell(key, "warn", reason, code)
    if standing.held_until is None or standing.held_until < until:
        _write(key, held_until=until, hold_reason=reason, hold_code=code)


def _goes_on(known: AccountStanding, code: str) -> bool:
    """Whether the account is held for the same as before, with no more than a try in between."""
    lately = timezone.now() - A_WHILE
    return known.hold_code == code and known.held_until is not None and known.held_until > lately


@transaction.atomic
def pause(key: str, code: str, reason: str, *, at_least: timedelta | None = None) -> None:
    """Post nothing more until somebody resumes it, wisely not before `at_least` is over."""
    now = timezone.now()
    if not _row(key).is_paused:
        after = now + at_least if at_least else None
        _write(key, paused_at=now, pause_code=code, pause_reason=reason, resume_after=after)
        happenings.tell(key, "bad", f"Paused until somebody resumes it: {reason}", code)


@transaction.atomic
def resume(key: str, *, sure: bool = False) -> AccountStanding:
    """Post again. Raises `Conflict` (`not_paused`; `too_early` unless `sure`)."""
    standing = _row(key)
    if not standing.is_paused:
        raise Conflict("The account is not paused.", code="not_paused")
    if standing.rests and not sure:
        raise Conflict(
            f"{standing.pause_reason.rstrip('.')}. {REST}",
            code="too_early",
            details={"resumeAfter": standing.as_json()["resumeAfter"]},
        )
    lift(key)
    return of(key)


def lift(key: str) -> None:
    """End the pause, and count the refusals of every token of the account from 0 again."""
    _write(key, **NO_PAUSE)
    for rows in (AccountStanding.objects.filter(pk=key), OtherToken.objects.filter(account=key)):
        rows.update(refusals=0)


@transaction.atomic
def refused(key: str, error: PlatformError, mark: str = "") -> None:
    """Count a refusal of the token and pause at the third; a restriction pauses at once."""
    reason = str(error.details.get("reason") or error.code)
    if reason in RESTRICTIONS:
        pause(key, reason, error.sentence, at_least=RESTRICTED_FOR)
    elif error.action is Action.REAUTHORISE:
        learn(key, mark, problem=problem_of(error), **ended(error))
        count_refusal(key, reason, error.sentence, mark)


@transaction.atomic
def count_refusal(key: str, code: str, reason: str, mark: str = "") -> None:
    """One more post that the account's token kept back; the third pauses the account.

    One that has another token as well only when that is refused too.
    """
    row = _row(key)
    if not _other(key, mark).update(refusals=F("refusals") + 1):
        _write(key, refusals=F("refusals") + 1)
    row.refresh_from_db(fields=["refusals"])
    counts = OtherToken.objects.filter(account=key).values_list("refusals", flat=True)
    if min(row.refusals, *counts, row.refusals) >= REFUSALS:
        pause(key, code, reason)


@transaction.atomic
def worked(key: str, mark: str = "") -> None:
    """The platform took the token: refusals count from 0 again, and nothing is waited for."""
    known = of(key, mark)
    if known.refusals or known.problem:
        learn(key, mark, refusals=0, problem=None)
    free(key)


def free(key: str) -> None:
    """End the hold of an account, or of an app, that works again."""
    held = AccountStanding.objects.filter(~Q(held_until=None), pk=key)
    code = held.values_list("hold_code", flat=True).first()
    if code is not None and held.update(**NO_HOLD) and code in LASTING:
        happenings.tell(key, "ok", "It posts again.", code)


def posted(key: str, told: Quota | None) -> None:
    """One more post is out: what is left by the platform's own word, else by counting on."""
    rows = AccountStanding.objects.filter(pk=key)
    if told is not None:
        counted(key, told)
    else:
        rows.filter(quota_used__isnull=False).update(quota_used=F("quota_used") + 1)


def counted(key: str, told: Quota) -> None:
    """What the platform says of posts used and allowed."""
    _write(key, quota_used=told.used, quota_limit=told.limit, quota_until=told.until)


def problem_of(problem: Problem) -> dict[str, str]:
    """A failure as it is kept: code, sentence and fix."""
    return {"code": str(problem.code), "message": problem.message, "fix": getattr(problem, "fix", "")}


def ended(problem: Problem) -> dict[str, Any]:
    """What a refusal tells of the token's end: nothing, but for one whose time is over."""
    reason = str(getattr(problem, "details", {}).get("reason") or problem.code)
    return {"expires_at": timezone.now(), "expiry_known": True} if reason == EXPIRED else {}


def _other(key: str, mark: str) -> QuerySet[OtherToken]:
    """The row of that token where it is not the account's first."""
    return OtherToken.objects.filter(account=key, token_mark=mark) if mark else OtherToken.objects.none()


def _row(key: str) -> AccountStanding:
    """The stored row, locked where the database can."""
    AccountStanding.objects.get_or_create(key=key)
    return AccountStanding.objects.select_for_update().get(key=key)


def _write(key: str, **values: object) -> None:
    AccountStanding.objects.filter(pk=key).update(**values)
