"""How the ledger's accounts stand: what publishing asks before a post, and tells after each answer.

For delivery: `require_open(key)` before anything goes out; `held_until(key)` says how long to
wait; `hold(…)` when the platform says wait; `refused(key, error)` for every `PlatformError` it
raises; `worked(key)` when a step has succeeded. All are short database writes, none asks anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from characters.publishing.standing_models import AccountStanding
from influencer.clients import instagram_errors, x_errors
from influencer.clients.platform import Action, PlatformError, Quota
from influencer.errors import Conflict, Problem

REFUSALS = 3
RESTRICTED_FOR = timedelta(hours=24)
RESTRICTIONS = instagram_errors.RESTRICTIONS | x_errors.RESTRICTIONS
REST = "It should rest for 24 h; posting sooner may get it restricted for longer."
NO_HOLD = {"held_until": None, "hold_code": "", "hold_reason": ""}
NO_PAUSE = {
    "paused_at": None,
    "pause_code": "",
    "pause_reason": "",
    "resume_after": None,
    "refusals": 0,
}


def of(key: str) -> AccountStanding:
    """How the account stands; a fresh, unsaved row when nothing is known of it."""
    return AccountStanding.objects.filter(pk=key).first() or AccountStanding(key=key)


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
    if standing.held_until is None or standing.held_until < until:
        _write(key, held_until=until, hold_reason=reason, hold_code=code)


def release(key: str) -> None:
    """End the hold."""
    _write(key, **NO_HOLD)


@transaction.atomic
def pause(key: str, code: str, reason: str, *, at_least: timedelta | None = None) -> None:
    """Post nothing more until somebody resumes it, wisely not before `at_least` is over."""
    now = timezone.now()
    if not _row(key).is_paused:
        after = now + at_least if at_least else None
        _write(key, paused_at=now, pause_code=code, pause_reason=reason, resume_after=after)


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
    _write(key, **NO_PAUSE)
    return of(key)


@transaction.atomic
def refused(key: str, error: PlatformError) -> None:
    """Count a refusal of the token and pause at the third; a restriction pauses at once."""
    reason = str(error.details.get("reason") or error.code)
    if reason in RESTRICTIONS:
        pause(key, reason, error.sentence, at_least=RESTRICTED_FOR)
    elif error.action is Action.REAUTHORISE:
        _row(key)
        _write(key, problem=problem_of(error))
        count_refusal(key, reason, error.sentence)


@transaction.atomic
def count_refusal(key: str, code: str, reason: str) -> None:
    """One more post that the account's token kept back; the third pauses the account."""
    _row(key)
    _write(key, refusals=F("refusals") + 1)
    if of(key).refusals >= REFUSALS:
        pause(key, code, reason)


def worked(key: str) -> None:
    """The platform took the token: refusals count from 0 again, and nothing is waited for."""
    calm = Q(refusals=0, held_until=None, problem__isnull=True)
    AccountStanding.objects.filter(~calm, pk=key).update(refusals=0, problem=None, **NO_HOLD)


def posted(key: str, told: Quota | None) -> None:
    """One more post is out: what is left by the platform's own word, else by counting on."""
    rows = AccountStanding.objects.filter(pk=key)
    if told is not None:
        rows.update(quota_used=told.used, quota_limit=told.limit, quota_until=told.until)
    else:
        rows.filter(quota_used__isnull=False).update(quota_used=F("quota_used") + 1)


def problem_of(problem: Problem) -> dict[str, str]:
    """A failure as it is kept: code, sentence and fix."""
    return {"code": str(problem.code), "message": problem.message, "fix": getattr(problem, "fix", "")}


def _row(key: str) -> AccountStanding:
    """The stored row, locked where the database can."""
    AccountStanding.objects.get_or_create(key=key)
    return AccountStanding.objects.select_for_update().get(key=key)


def _write(key: str, **values: object) -> None:
    AccountStanding.objects.filter(pk=key).update(**values)
