"""The ledger: one row for each intention to post, every attempt at it, and the links to its picture."""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from characters.publishing.standing_models import AccountStanding, OtherToken  # noqa: F401  Django looks here
from influencer.jobs.models import iso


def new_post_id() -> str:
    return f"post_{int(time.time() * 1000)}_{secrets.token_hex(5)}"


class PostState(models.TextChoices):
    """Each is committed before the next remote call, so that a crash loses nothing.

    `publishing` means: the decisive call may have gone out. From there on nothing is repeated
    before the platform was asked. Whose the post is says its job: see `ledger.py`.
    """

    RESERVED = "reserved", "waiting"
    PREPARED = "prepared", "uploading"
    PUBLISHING = "publishing", "publishing"
    PUBLISHED = "published", "published"
    FAILED = "failed", "failed"
    UNKNOWN = "unknown", "unknown"


# The one step of every platform after which a post is public.
DECISIVE_STEP = "publish"
FINAL = (PostState.PUBLISHED, PostState.FAILED, PostState.UNKNOWN)
LIVE = (PostState.RESERVED, PostState.PREPARED, PostState.PUBLISHING, PostState.PUBLISHED, PostState.UNKNOWN)


class Post(models.Model):
    """One intention: this content, on this account, at this time. `key` makes it unique."""

    id = models.CharField(primary_key=True, max_length=60, default=new_post_id, editable=False)
    key = models.CharField(max_length=64, unique=True, editable=False)
    character_id = models.CharField(max_length=120, db_index=True)
    platform = models.CharField(max_length=20, choices=[("instagram", "Instagram"), ("x", "X")])
    account = models.CharField(
        max_length=160, help_text="Whose account, on which platform, or the sandbox's."
    )
    sandbox = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=PostState, default=PostState.RESERVED)

    caption = models.TextField(blank=True)
    alt_text = models.TextField(blank=True)
    ai_label = models.BooleanField("labelled as AI-generated", default=True)
    ai_label_reason = models.CharField("why it is not labelled", max_length=200, blank=True)
    image_id = models.CharField(max_length=60, blank=True)
    image_hash = models.CharField(max_length=64, blank=True, db_index=True)
    caption_hash = models.CharField(max_length=64, blank=True)
    revision = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)

    # What the platform has given so far: container or media id, then the post's own.
    remote_ids = models.JSONField(default=dict, blank=True)
    remote_id = models.CharField(max_length=80, blank=True)
    permalink = models.URLField(max_length=300, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.JSONField(null=True, blank=True)
    job_id = models.CharField(max_length=60, blank=True, db_index=True)
    user_id = models.BigIntegerField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    publishing_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["character_id", "-created_at"], name="post_of_character"),
            models.Index(fields=["account", "-created_at"], name="post_of_account"),
            models.Index(fields=["state", "-created_at"], name="post_by_state"),
            models.Index(fields=["-due_at"], name="post_by_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()}: {self.caption[:60] or self.id}"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_unsure(self) -> bool:
        """Whether the decisive call may have gone out without an answer that says what became of it."""
        return self.state in (PostState.PUBLISHING, PostState.UNKNOWN) and not self.remote_id

    def as_json(self) -> dict[str, Any]:
        """The API's shape."""
        return {
            "id": self.id,
            "characterId": self.character_id,
            "platform": self.platform,
            "status": str(self.state),
            "sandbox": self.sandbox,
            "caption": self.caption,
            "altText": self.alt_text,
            "aiLabel": self.ai_label,
            "aiLabelReason": self.ai_label_reason,
            "imageIds": [self.image_id] if self.image_id else [],
            "remoteId": self.remote_id,
            "permalink": self.permalink,
            "error": self.error,
            "jobId": self.job_id,
            "dueAt": iso(self.due_at),
            "createdAt": iso(self.created_at),
            "publishedAt": iso(self.published_at),
            "attempts": [attempt.as_json() for attempt in self.log.all()],
        }


STEP_LABELS = {
    "check": "Check before it goes out",
    "container": "Hand over the image",
    "processing": "Process the image",
    "upload": "Upload the image",
    "alt_text": "Alt text",
    "look_up": "Ask whether it exists",
    "link": "Read the link",
}


class Attempt(models.Model):
    """One remote call made for a post, written before it goes out and closed with its answer."""

    post = models.ForeignKey(Post, related_name="log", on_delete=models.CASCADE)
    step = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    http_status = models.PositiveIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step} {self.code or 'ok'}"

    @property
    def label(self) -> str:
        return STEP_LABELS.get(self.step, self.step.capitalize())

    @property
    def open(self) -> bool:
        """Whether its answer never came: the process died, or it is still under way."""
        return self.milliseconds is None

    @property
    def tone(self) -> str:
        """How it went: ok, bad, warn (nobody knows), live (under way)."""
        if self.open:
            return "warn" if self.post.is_final else "live"
        if self.code in {"outcome_unknown", "not_found"}:
            return "warn"
        return "bad" if self.code else "ok"

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "at": iso(self.at),
            "httpStatus": self.http_status,
            "code": self.code,
            "message": self.message,
        }


class MediaLink(models.Model):
    """A public address of one JPEG, for the platform to fetch it. Only the token's hash is kept."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    post = models.ForeignKey(Post, related_name="links", on_delete=models.CASCADE)
    host = models.CharField(max_length=10, default="own", help_text="own: served here; s3: in the bucket.")
    file = models.CharField(max_length=300, help_text="Below data/media, or the object's key.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.file
