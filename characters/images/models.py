"""An image: the file under `data/media/`, and the recipe it was made by."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any, ClassVar

from django.db import models
from django.urls import reverse

from influencer import paths


def new_image_id() -> str:
    return f"img_{int(time.time() * 1000)}_{secrets.token_hex(5)}"


class Source(models.TextChoices):
    GENERATED = "generated", "generated"
    UPLOAD = "upload", "uploaded"


class Image(models.Model):
    """One picture of a character. The files are the truth; this row can be rebuilt from the sidecar."""

    id = models.CharField(primary_key=True, max_length=60, default=new_image_id, editable=False)
    character_id = models.CharField(max_length=120, db_index=True)
    source = models.CharField(max_length=20, choices=Source, default=Source.GENERATED)
    file = models.CharField(max_length=300, help_text="Below data/media.")
    mime_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sandbox = models.BooleanField(default=False)
    pixel_hash = models.CharField(max_length=64, db_index=True)
    prompt = models.TextField(blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    model = models.CharField(max_length=300, blank=True)
    lora = models.CharField(max_length=300, blank=True)
    recipe = models.JSONField(default=dict, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    job_id = models.CharField(max_length=60, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["character_id", "-created_at"], name="image_of_character"),
            models.Index(fields=["-created_at"], name="image_newest"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def path(self) -> Path:
        return paths.media() / self.file

    @property
    def thumbnail_path(self) -> Path:
        return self.path.with_suffix(".thumb.webp")

    @property
    def sidecar_path(self) -> Path:
        return self.path.with_suffix(".json")

    @property
    def url(self) -> str:
        return reverse("images:file", args=[self.id])

    @property
    def thumbnail_url(self) -> str:
        return reverse("images:thumbnail", args=[self.id])

    def as_json(self) -> dict[str, Any]:
        """The API's shape, without the picture itself."""
        return {
            "id": self.id,
            "url": self.url,
            "width": self.width,
            "height": self.height,
            "seed": self.seed,
            "mimeType": self.mime_type,
        }


class SandboxPixels(models.Model):
    """The pixels of every sandbox image ever made here, kept when the image is deleted.

    A sandbox image must not reach a real account, also when it comes back as an upload.
    """

    pixel_hash = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        return self.pixel_hash
