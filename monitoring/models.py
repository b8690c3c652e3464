"""The log of events: what happened, so that it can be told later what went wrong and when."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Kind(models.TextChoices):
    JOB = "job", "jobs"
    POST = "post", "posts"
    ACCOUNT = "account", "accounts"
    SERVICE = "service", "services"
    BACKUP = "backup", "backups"
    SETTINGS = "settings", "settings"


class Level(models.TextChoices):
    OK = "ok", "fine"
    NOTE = "note", "a note"
    WARN = "warn", "a warning"
    BAD = "bad", "an error"


class Event(models.Model):
    """One line of the log. `subject` is the job's id, the check's name or the account; never a secret."""

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=12, choices=Kind)
    level = models.CharField(max_length=6, choices=Level, default=Level.OK)
    text = models.TextField()
    service = models.CharField(max_length=80, blank=True, default="")
    subject = models.CharField(max_length=80, blank=True, default="")
    # How long it took, or lasted.
    seconds = models.FloatField(null=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="event_newest"),
            models.Index(fields=["kind", "-at", "-id"], name="event_kind_newest"),
            models.Index(fields=["level", "-at", "-id"], name="event_level_newest"),
            models.Index(fields=["subject", "-id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def names_a_job(self) -> bool:
        """Whether there is more to see than the line: its job with every step."""
        return self.kind not in (Kind.SERVICE, Kind.ACCOUNT) and bool(self.subject)
