"""Scheduled tasks, when each is due next, and what became of every due time."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from influencer import jsondb
from influencer.errors import Invalid
from scheduling import cron

LATE_HOURS = 6
MOST_LATE_HOURS = 720


class TaskType(models.TextChoices):
    GENERATE_AND_POST = "generate_and_post", "generate and post to Instagram"
    GENERATE_AND_POST_TO_X = "generate_and_post_to_twitter", "generate and post to X"
    GENERATE_ONLY = "generate_only", "generate"
    POST_APPROVED = "post_approved", "post an approved image"
    WRITE_PROMPTS = "write_prompts", "write prompts"
    TRAIN_LORA = "train_lora", "train a LoRA"
    BACKUP = "backup", "back up"


class MissedPolicy(models.TextChoices):
    LATE = "late", "run it late"
    SKIP = "skip", "skip it"
    ASK = "ask", "ask me"


class Approval(models.TextChoices):
    AUTO = "auto", "straight out"
    REVIEW = "review", "wait for review"


class Task(jsondb.Record):
    """One record of `data/scheduler.json`."""

    character_id = models.CharField("character", max_length=120, blank=True)
    character_name = models.CharField(max_length=120, blank=True)
    type = models.CharField(max_length=60, choices=TaskType)
    schedule = models.CharField(
        max_length=120, blank=True, help_text="Five cron fields, or an interval like 6h."
    )
    run_at = models.DateTimeField(
        "once at", null=True, blank=True, help_text="Runs once, instead of a schedule."
    )
    timezone = models.CharField(
        "time zone", max_length=60, blank=True, help_text="Empty: the character's own."
    )
    active = models.BooleanField(default=True)
    missed_policy = models.CharField(
        "if a run is missed", max_length=20, choices=MissedPolicy, default=MissedPolicy.LATE
    )
    late_hours = models.PositiveIntegerField(
        "at most late by (hours)",
        default=LATE_HOURS,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_LATE_HOURS)],
    )
    approval = models.CharField(max_length=20, choices=Approval, default=Approval.AUTO)
    config: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Store:
        file = "scheduler.json"
        prefix = "task"
        # As `scheduler.json` is documented; what came later stands behind.
        order = ("id", "characterId", "type", "schedule", "active", "config")

    class Meta(jsondb.Record.Meta):
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.get_type_display()} ({self.schedule or 'once'})"

    def clean(self) -> None:
        """Refuse what could never run."""
        if bool(self.schedule) == bool(self.run_at):
            raise ValidationError({"schedule": "Give a schedule, or a time for one run."})
        for name, text, check in (
            ("schedule", self.schedule, cron.parse),
            ("timezone", self.timezone, cron.zone_of),
        ):
            try:
                if text:
                    check(text)
            except Invalid as problem:
                raise ValidationError({name: problem.message}) from None

    @property
    def options(self) -> dict[str, Any]:
        """Its config; none when someone wrote something else into the file."""
        return self.config if isinstance(self.config, dict) else {}


class NextDue(models.Model):
    """When an active task is due next, as the clock has planned it.

    `digest` is that of the timetable it was planned by; another one means: plan anew.
    `problem` says why it can't be planned at all.
    """

    task_id = models.CharField(primary_key=True, max_length=120)
    digest = models.CharField(max_length=40)
    due = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.task_id} {self.due or self.problem or 'never again'}"


class FiredState(models.TextChoices):
    FIRED = "fired", "started"
    SKIPPED = "skipped", "left out"
    MISSED = "missed", "missed, waits for a decision"


class FiredKind(models.TextChoices):
    SCHEDULED = "scheduled", "on schedule"
    LATE = "late", "late"
    RUN_NOW = "run_now", "by hand"


class Fired(models.Model):
    """The run history: what became of one due time of one task. There is never a second row for it."""

    task_id = models.CharField(max_length=120)
    due = models.DateTimeField()
    state = models.CharField(max_length=12, choices=FiredState)
    kind = models.CharField(max_length=12, choices=FiredKind, default=FiredKind.SCHEDULED)
    job_id = models.CharField(max_length=40, blank=True, default="")
    why = models.TextField(blank=True, default="")
    character_id = models.CharField(max_length=120, blank=True, default="")
    # What one Run Now has started together, so that its answer can be given again.
    batch = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "run"
        ordering: ClassVar = ["-due", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task_id", "due"], name="fired_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-due"], name="fired_newest"),
            models.Index(fields=["state", "-due"], name="fired_state"),
            models.Index(fields=["job_id"], name="fired_job"),
            models.Index(fields=["batch"], name="fired_batch", condition=~models.Q(batch="")),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.due:%Y-%m-%d %H:%M} {self.state}"
