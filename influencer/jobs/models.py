"""The job, its steps, and the signs of life of what runs them."""

from __future__ import annotations

import secrets
import string
import time
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string

from influencer.errors import NotFound
from influencer.jobs import kinds

ALPHABET = string.digits + string.ascii_lowercase


def new_id() -> str:
    tail = "".join(secrets.choice(ALPHABET) for _ in range(9))
    return f"job_{time.time_ns() // 1_000_000}_{tail}"


class JobState(models.TextChoices):
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (JobState.QUEUED, JobState.WAITING, JobState.RUNNING)
FINAL = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class StepState(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Job(models.Model):
    """Something slow: ids and plain values only, never a secret."""

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    character_id = models.CharField(max_length=80, blank=True, default="")
    user_id = models.BigIntegerField(null=True)
    cluster = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.QUEUED)

    progress = models.FloatField(default=0)
    seconds_left = models.PositiveIntegerField(null=True)
    step = models.CharField(max_length=60, blank=True, default="")
    message = models.TextField(blank=True, default="")
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=20, blank=True, default="")

    request = models.JSONField(default=dict)
    memo = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)

    not_before = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=120, blank=True, default="")
    heartbeat_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    # The queue's row that carries this job, and since when.
    delivery = models.BigIntegerField(null=True)
    delivered_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("state", "not_before"), name="jobs_state"),
            models.Index(fields=("-created_at", "-id"), name="jobs_newest"),
            models.Index(fields=("state", "-created_at", "-id"), name="jobs_state_newest"),
            models.Index(fields=("character_id", "-created_at"), name="jobs_character"),
            models.Index(fields=("kind", "-created_at", "-id"), name="jobs_kind_newest"),
            models.Index(fields=("finished_at",), name="jobs_finished"),
        )

    def __str__(self) -> str:
        return f"{self.spec.label} {self.id}"

    @property
    def spec(self) -> kinds.Kind:
        return kinds.find(self.kind)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_late(self) -> bool:
        """Whether it has got so far that it can't be cancelled any more."""
        return self.step in self.spec.late_steps

    @property
    def is_following(self) -> bool:
        """Whether work for it may go on elsewhere while no worker looks after it."""
        return self.reason in {"following", "server down"}

    def as_json(self) -> dict[str, Any]:
        """The job as the API shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "characterId": self.character_id,
            "state": str(self.state),
            "progress": round(self.progress, 4),
            "step": self.step,
            "message": self.message,
            "until": iso(self.until),
            "reason": self.reason if self.state == JobState.WAITING else "",
            "cancelRequested": self.cancel_requested_at is not None,
            "steps": [step.as_json() for step in self.steps.all()],
            "error": public_error(self.error),
            "result": self._answer(),
            "createdAt": iso(self.created_at),
            "startedAt": iso(self.started_at),
            "finishedAt": iso(self.finished_at),
        }

    def _answer(self) -> dict[str, Any] | None:
        """The result as whoever had waited would have got it; bare once what it made is deleted."""
        if self.state != JobState.SUCCEEDED or self.result is None or not self.spec.answer:
            return self.result
        try:
            return {**self.result, **import_string(self.spec.answer)(self)}
        except NotFound:
            return self.result


class JobStep(models.Model):
    job = models.ForeignKey(Job, related_name="steps", on_delete=models.CASCADE)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=12, choices=StepState, default=StepState.PENDING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.JSONField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("job", "name"), name="jobs_step_name"),)

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def seconds(self) -> float | None:
        if not self.started_at or not self.finished_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": str(self.state),
            "startedAt": iso(self.started_at),
            "finishedAt": iso(self.finished_at),
            "error": public_error(self.error),
        }


class Beat(models.Model):
    """The last sign of life of the clock or a cluster, and since when a new one is awaited."""

    name = models.CharField(primary_key=True, max_length=40)
    seen_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    canary = models.BigIntegerField(null=True)  # the queue's row that asks

    def __str__(self) -> str:
        return self.name


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as everywhere in the API."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def public_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """What others may see of an error: all but the HTTP status kept for `failures.problem_of`."""
    if error is None:
        return None
    return {name: value for name, value in error.items() if name != "status"}
