"""Scheduled tasks: what should happen for which character, and when."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from influencer import jsondb


class TaskType(models.TextChoices):
    GENERATE_AND_POST = "generate_and_post", "generate and post to Instagram"
    GENERATE_AND_POST_TO_X = "generate_and_post_to_twitter", "generate and post to X"
    GENERATE_ONLY = "generate_only", "generate"
    POST_APPROVED = "post_approved", "post an approved image"
    WRITE_PROMPTS = "write_prompts", "write prompts"
    TRAIN_LORA = "train_lora", "train a LoRA"
    BACKUP = "backup", "back up"


class Task(jsondb.Record):
    """One record of `data/scheduler.json`."""

    character_id = models.CharField(max_length=120, blank=True)
    type = models.CharField(max_length=60, choices=TaskType)
    schedule = models.CharField(max_length=120, blank=True, help_text="Five cron fields.")
    active = models.BooleanField(default=True)
    config: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Store:
        file = "scheduler.json"
        prefix = "task"

    class Meta(jsondb.Record.Meta):
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.get_type_display()} ({self.schedule})"
