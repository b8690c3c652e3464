"""How an account stands with its platform: held, paused, last checked, its token's time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from influencer.jobs.models import iso

DAY = timedelta(days=1)
# From here on an ending token is warned of; the last day counts as urgent.
WARN_DAYS, URGENT_DAYS = 7, 1


class TokenFacts(models.Model):
    """What is known of one token, which `token_mark` tells from others: a keyed hash, never a piece of it."""

    token_mark = models.CharField(max_length=32, blank=True, editable=False)
    app = models.CharField(
        max_length=60, blank=True, editable=False, help_text="Its X app's own row: one allowance for many."
    )
    token_since = models.DateTimeField(null=True, blank=True, help_text="When it was first seen here.")
    expires_at = models.DateTimeField(null=True, blank=True)
    expiry_known = models.BooleanField(default=False, help_text="Else it is estimated.")
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_tried_at = models.DateTimeField(null=True, blank=True)
    refresh_problem = models.JSONField(null=True, blank=True)

    # What the platform said when it was last asked with it.
    checked_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    problem = models.JSONField(null=True, blank=True)
    unasked = models.JSONField(null=True, blank=True, help_text="Why the last question had no answer.")
    scopes = models.JSONField(default=list, blank=True)
    refusals = models.PositiveIntegerField(default=0, help_text="Refusals of the token in a row.")

    class Meta:
        abstract = True


TOKEN_FACTS = tuple(field.name for field in TokenFacts._meta.local_fields)


class OtherToken(TokenFacts):
    """A further token of an account: two characters may share one, each with a token of its own."""

    account = models.CharField(max_length=160, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("account", "token_mark"), name="token_of_account")
        ]

    def __str__(self) -> str:
        return f"{self.account}, another token"


class AccountStanding(TokenFacts):
    """One row for each account of the ledger (`Account.key`), with the facts of its first token.

    Never a secret. An X app that several accounts share has a row too, which only holds.
    """

    key = models.CharField("account", primary_key=True, max_length=160)

    # Held: by itself until a time (quota, rate limit, credits gone).
    held_until = models.DateTimeField(null=True, blank=True)
    hold_code = models.CharField(max_length=60, blank=True)
    hold_reason = models.TextField(blank=True)

    # Paused: until a person resumes it (refused again and again, restricted, token invalid).
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_code = models.CharField(max_length=60, blank=True)
    pause_reason = models.TextField(blank=True)
    resume_after = models.DateTimeField(null=True, blank=True, help_text="Resuming earlier is unwise.")

    # What the platform said of the account when it was last asked.
    username = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=200, blank=True)
    picture_url = models.TextField(blank=True)
    picture = models.TextField(blank=True, editable=False, help_text="The account's image as a data URL.")
    quota_used = models.PositiveIntegerField(null=True, blank=True)
    quota_limit = models.PositiveIntegerField(null=True, blank=True)
    quota_until = models.DateTimeField(null=True, blank=True, help_text="From then on it is not known.")

    def __str__(self) -> str:
        return self.key

    def show_token(self, token: TokenFacts) -> None:
        """Carry the facts of another token of the account, to be looked at and not to be saved."""
        for name in TOKEN_FACTS:
            setattr(self, name, getattr(token, name))

    def show_hold(self, app: AccountStanding) -> None:
        """Carry the hold of the account's app where that is the longer one, likewise."""
        if app.held_until and (self.held_until is None or self.held_until < app.held_until):
            self.held_until, self.hold_code = app.held_until, app.hold_code
            self.hold_reason = app.hold_reason

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def rests(self) -> bool:
        """Whether resuming it now would be unwise."""
        return self.resume_after is not None and self.resume_after > timezone.now()

    def held(self, now: datetime | None = None) -> bool:
        """Whether it waits for the platform at this moment."""
        return self.held_until is not None and self.held_until > (now or timezone.now())

    @property
    def posts_left(self) -> int | None:
        """How many posts the platform's day still allows; None when it is not known, or no longer."""
        if self.quota_used is None or self.quota_limit is None:
            return None
        if self.quota_until is not None and self.quota_until <= timezone.now():
            return None
        return max(self.quota_limit - self.quota_used, 0)

    def _quota(self) -> dict[str, int | None]:
        known = self.posts_left is not None
        return (
            {"used": self.quota_used, "limit": self.quota_limit} if known else {"used": None, "limit": None}
        )

    @property
    def days_left(self) -> int | None:
        """Whole days the token has left, rounded up; below 1 it has expired. None: it does not expire."""
        if self.expires_at is None:
            return None
        return -((timezone.now() - self.expires_at) // DAY)

    @property
    def guess(self) -> str:
        """Said where nobody has told when the token ends: it is counted from when it was first seen."""
        return "" if self.expiry_known else " (estimated)"

    @property
    def has_expired(self) -> bool:
        """Whether the token's time is known to be over; an estimate may be wrong."""
        return self.expiry_known and self.days_left is not None and self.days_left < 1

    @property
    def is_broken(self) -> bool:
        """Whether a post would be refused: a person has to do something about it."""
        return bool(self.problem) or self.has_expired

    @property
    def expires_soon(self) -> bool:
        return self.days_left is not None and self.days_left <= WARN_DAYS

    def as_json(self) -> dict[str, Any]:
        """The API's shape."""
        return {
            "heldUntil": iso(self.held_until),
            "holdReason": self.hold_reason,
            "pausedAt": iso(self.paused_at),
            "pauseCode": self.pause_code,
            "pauseReason": self.pause_reason,
            "resumeAfter": iso(self.resume_after),
            "checkedAt": iso(self.checked_at),
            "lastOkAt": iso(self.last_ok_at),
            "username": self.username,
            "name": self.name,
            "scopes": self.scopes,
            "quota": self._quota(),
            "error": self.problem,
            "expiresAt": iso(self.expires_at),
            "expiryKnown": self.expiry_known,
            "refreshedAt": iso(self.refreshed_at),
            "refreshError": self.refresh_problem,
        }
