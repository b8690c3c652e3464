"""The prompt library: what an image could show, and what could be said with it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from influencer import jsondb


class Prompt(jsondb.Record):
    """One record of `data/prompts.json`."""

    character_id = models.CharField(max_length=120, blank=True)
    character_name = models.CharField(max_length=120, blank=True)
    prompt = models.TextField(max_length=100_000)
    caption = models.TextField(max_length=10_000, blank=True)
    used = models.BooleanField(default=False)

    class Store:
        file = "prompts.json"
        prefix = "prompt"

    class Meta(jsondb.Record.Meta):
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.prompt[:80]
