"""Access: API tokens, idempotency keys, the set-up link. Only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


def digest(secret: str) -> str:
    """Enough for secrets of 256 random bits: nobody guesses what such a hash came from."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiToken(models.Model):
    """Lets a program act as a user. The token itself is shown once and not stored."""

    name = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(revoked_at=None), name="one_live_token_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def is_good(self, now: datetime) -> bool:
        """Neither revoked nor expired, and its user may sign in."""
        expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not expired and self.user.is_active


class IdempotencyKey(models.Model):
    """A key some program sent with a POST, and what came of it.

    `subject` is the id of the job or record the request made; empty while it is still being made.
    """

    KEPT = timedelta(hours=24)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=200)
    key_hash = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    subject = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "path", "key_hash"], name="one_row_a_key"),
        ]


class SetupLink(models.Model):
    """The one-time link that makes the owner's account."""

    LASTS = timedelta(hours=1)

    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    @classmethod
    def make(cls) -> str:
        """A new link's token: 256 bits, not stored. Older links stop working."""
        token = secrets.token_urlsafe(32)
        cls.objects.all().delete()
        cls.objects.create(token_hash=digest(token), expires_at=timezone.now() + cls.LASTS)
        return token

    @classmethod
    def alive(cls, token: str) -> models.QuerySet[SetupLink]:
        """The unused, unexpired link of this token, if there is one."""
        return cls.objects.filter(token_hash=digest(token), used_at=None, expires_at__gt=timezone.now())
