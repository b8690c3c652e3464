"""The prompt library: what an image could show, and what could be said with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from influencer import jsondb
from influencer.clients.platform import Platform


class Source(models.TextChoices):
    """Who wrote a text. What stands in a file without this was written by hand."""

    HAND = "hand", "by hand"
    AI = "ai", "by AI"
    TEMPLATES = "templates", "without AI"


class Prompt(jsondb.Record):
    """One record of `data/prompts.json`.

    `used_by` names the job that has claimed or used it; `used` says that it has been.
    """

    character_id = models.CharField("character", max_length=120, blank=True)
    character_name = models.CharField(max_length=120, blank=True)
    prompt = models.TextField(max_length=20_000)
    caption = models.TextField(max_length=10_000, blank=True)
    used = models.BooleanField(default=False)
    alt_text = models.TextField(max_length=5_000, blank=True)
    instagram_caption = models.TextField("caption for Instagram alone", max_length=10_000, blank=True)
    x_caption = models.TextField("caption for X alone", max_length=10_000, blank=True)
    narrative_id = models.CharField("narrative", max_length=120, blank=True)
    source = models.CharField("written", max_length=20, blank=True, choices=Source)
    caption_source = models.CharField("caption written", max_length=20, blank=True, choices=Source)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.CharField(max_length=60, blank=True)
    image_ids: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)

    class Store:
        file = "prompts.json"
        prefix = "prompt"
        keys: ClassVar = {"instagram_caption": "captions.instagram", "x_caption": "captions.x"}
        # As `prompts.json` is documented; what came later stands behind.
        order = ("id", "characterId", "characterName", "prompt", "caption", "createdAt", "used")

    class Meta(jsondb.Record.Meta):
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.prompt[:80]

    @property
    def is_free(self) -> bool:
        """Whether a run may still take it."""
        return not self.used and not self.used_by

    @property
    def images(self) -> list[str]:
        """The ids of images made from it; a hand-edited file may hold anything."""
        held = self.image_ids if isinstance(self.image_ids, list) else []
        return [one for one in held if isinstance(one, str)]

    def caption_for(self, platform: Platform | str) -> str:
        """The platform's own caption, else the common one."""
        own = {Platform.INSTAGRAM: self.instagram_caption, Platform.X: self.x_caption}
        return own[Platform(platform)] or self.caption

    def mark_used(self, *, by: str, at: datetime) -> None:
        self.used, self.used_by, self.used_at = True, by, at

    def mark_unused(self) -> None:
        self.used, self.used_by, self.used_at = False, "", None
