"""A training: the pictures it learns from, how far it is, the LoRA it left."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from characters.images import storage
from influencer import paths
from influencer.clients.comfyui import Family
from influencer.jobs.models import iso, public_error

MOST_LINES = 100


def new_training_id() -> str:
    return f"train_{int(time.time() * 1000)}_{secrets.token_hex(5)}"


class TrainingState(models.TextChoices):
    DRAFT = "draft"
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    SAVING = "saving"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (TrainingState.SUCCEEDED, TrainingState.FAILED, TrainingState.CANCELLED)
OPEN = (
    TrainingState.QUEUED,
    TrainingState.PREPARING,
    TrainingState.RUNNING,
    TrainingState.SAVING,
    TrainingState.VERIFYING,
)


class Training(models.Model):
    """One training of one character; a succeeded one is a version of its LoRA.

    A draft holds pictures that were examined and nothing that was asked for yet.
    """

    id = models.CharField(primary_key=True, max_length=60, default=new_training_id, editable=False)
    character_id = models.CharField(max_length=120, db_index=True)
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, choices=TrainingState, default=TrainingState.DRAFT)

    images = models.JSONField(default=list, help_text="What was found out about each picture.")
    images_count = models.PositiveIntegerField(default=0)
    rights_confirmed = models.BooleanField(default=False)
    base_model = models.CharField(max_length=300, blank=True)
    family = models.CharField(max_length=40, blank=True)
    trigger_word = models.CharField(max_length=120, blank=True)
    resolution = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    rank = models.PositiveIntegerField(default=0)
    learning_rate = models.FloatField(default=0)
    seed = models.BigIntegerField(default=0)

    step = models.PositiveIntegerField(default=0)
    seconds_left = models.PositiveIntegerField(null=True, blank=True)
    loss = models.JSONField(default=list, help_text="(step, loss), thinned out as it grows.")
    log = models.JSONField(default=list, help_text="(time, what happened).")
    server = models.CharField(max_length=300, blank=True, help_text="Its address without credentials.")
    sandbox = models.BooleanField(default=False)
    prompt_id = models.CharField(max_length=60, blank=True)
    job_id = models.CharField(max_length=60, blank=True, db_index=True)

    lora = models.CharField(max_length=300, blank=True, help_text="As the server lists it.")
    version = models.PositiveIntegerField(null=True, blank=True)
    image_with = models.CharField(max_length=60, blank=True)
    image_without = models.CharField(max_length=60, blank=True)
    error = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["character_id", "-created_at"], name="training_of_character")
        ]

    def __str__(self) -> str:
        return f"{self.name or self.character_id} v{self.version}" if self.version else self.pk

    @property
    def folder(self) -> Path:
        """Where its pictures lie, each with its caption and thumbnail."""
        return paths.media() / storage.folder_name(self.character_id) / "training" / self.pk

    @property
    def is_final(self) -> bool:
        return self.state in ENDED

    @property
    def family_label(self) -> str:
        return Family(self.family).label if self.family else ""

    def picture(self, number: int) -> dict[str, Any] | None:
        """What is known of one picture; None when there is none of that number."""
        return next((one for one in self.images if one["n"] == number), None)

    def note(self, sentence: str, at: datetime | None = None) -> None:
        """Add a line to the log; the caller saves."""
        self.log = [*self.log, [iso(at or timezone.now()), sentence]][-MOST_LINES:]

    def as_json(self, *, attached: bool = False) -> dict[str, Any]:
        """The API's shape."""
        return {
            "trainingId": self.pk,
            "jobId": self.job_id,
            "characterId": self.character_id,
            "name": self.name,
            "status": str(self.state),
            "step": self.step,
            "steps": self.steps,
            "secondsLeft": self.seconds_left,
            "loss": self.loss,
            "lora": self.lora,
            "version": self.version,
            "attached": attached,
            "testImages": {"with": self.image_with, "without": self.image_without},
            "baseModel": self.base_model,
            "family": self.family_label,
            "triggerWord": self.trigger_word,
            "resolution": self.resolution,
            "rank": self.rank,
            "learningRate": self.learning_rate,
            "seed": self.seed,
            "images": self.images_count,
            "server": self.server,
            "sandbox": self.sandbox,
            "error": public_error(self.error),
            "createdAt": iso(self.created_at),
            "startedAt": iso(self.started_at),
            "finishedAt": iso(self.finished_at),
        }
