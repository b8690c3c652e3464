"""A character: who they are, how they look, what happens to them, where they post."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from characters import undeclared
from influencer import jsondb

INSTAGRAM_CREDENTIALS = ("instagram_account_id", "instagram_api_key")
X_CREDENTIALS = (
    "twitter_app_key",
    "twitter_app_secret",
    "twitter_access_token",
    "twitter_access_secret",
)
SECRETS = ("instagram_api_key", *X_CREDENTIALS)


class Character(jsondb.Record):
    """One record of `data/characters.json`."""

    name = models.CharField(max_length=120, help_text="As their followers know them.")
    personality = models.TextField(max_length=2000, help_text="A few words: warm, quick, curious.")
    backstory = models.TextField(max_length=20000, blank=True)
    voice = models.TextField("voice for captions", max_length=2000, blank=True)
    language = models.CharField(max_length=60, blank=True, help_text="Captions are written in it.")
    timezone = models.CharField("time zone", max_length=60, blank=True)
    is_active = models.BooleanField("active", default=True)
    instagram_handle = models.CharField(max_length=60, blank=True)
    twitter_handle = models.CharField("X handle", max_length=60, blank=True)
    avatar_image_id = models.CharField("portrait", max_length=60, blank=True)

    preferred_model = models.CharField("model", max_length=300, blank=True)
    trigger_word = models.CharField(max_length=120, blank=True, help_text="Stands in every prompt, once.")
    base_prompt = models.TextField(max_length=10000, blank=True)
    negative_prompt = models.TextField(max_length=10000, blank=True)
    style = models.CharField(max_length=300, blank=True)
    mood = models.CharField(max_length=300, blank=True)
    lora = models.CharField("LoRA", max_length=300, blank=True)
    lora_strength = models.FloatField(
        "LoRA weight", null=True, blank=True, validators=[MinValueValidator(-2), MaxValueValidator(2)]
    )
    width = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(64), MaxValueValidator(2048)]
    )
    height = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(64), MaxValueValidator(2048)]
    )
    steps = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(150)]
    )
    cfg = models.FloatField(
        "CFG scale", null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(30)]
    )
    sampler = models.CharField(max_length=60, blank=True)
    scheduler = models.CharField(max_length=60, blank=True)

    ai_label = models.BooleanField(
        "label as AI-generated", default=True, help_text="Shown by Instagram and X next to each post."
    )
    ai_label_reason = models.CharField(
        "why posts are not labelled", max_length=200, blank=True, help_text="Kept with each such post."
    )
    practise_in_sandbox = models.BooleanField(
        default=False, help_text="Post to the sandbox although other characters post for real."
    )
    instagram_account_id = models.CharField("Instagram account id", max_length=60, blank=True)
    instagram_api_key = jsondb.SecretField("Instagram access token", blank=True)
    twitter_account_id = models.CharField("X account id", max_length=60, blank=True)
    twitter_app_key = jsondb.SecretField("X API key", blank=True)
    twitter_app_secret = jsondb.SecretField("X API key secret", blank=True)
    twitter_access_token = jsondb.SecretField("X access token", blank=True)
    twitter_access_secret = jsondb.SecretField("X access token secret", blank=True)

    class Store:
        file = "characters.json"
        prefix = "char"
        keys: ClassVar = {
            name: f"promptSettings.{key}"
            for name, key in {
                "base_prompt": "basePrompt",
                "negative_prompt": "negativePrompt",
                "style": "style",
                "mood": "mood",
            }.items()
        }
        # As `characters.json` is documented; what came later stands behind.
        order = (
            "id",
            "name",
            "personality",
            "backstory",
            "instagramHandle",
            "isActive",
            "createdAt",
            "updatedAt",
            "preferredModel",
            "triggerWord",
            "promptSettings",
            "narratives",
            "instagramAccountId",
            "instagramApiKey",
            "twitterAccountId",
            "twitterAppKey",
            "twitterAppSecret",
            "twitterAccessToken",
            "twitterAccessSecret",
        )

    class Meta(jsondb.Record.Meta):
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse credentials that are half filled in, naming what is missing."""
        missing = _missing(self, INSTAGRAM_CREDENTIALS) | _missing(self, X_CREDENTIALS)
        if missing:
            raise ValidationError(missing)

    def as_json(self) -> dict[str, Any]:
        """The record under its file's keys, without a credential under whatever name."""
        shown: dict[str, Any] = undeclared.masked(super().as_json())
        return shown

    @property
    def zone(self) -> tzinfo:
        """The character's time zone; the dashboard's when none is set, or one nobody knows."""
        return zone_named(self.timezone) or timezone.get_current_timezone()

    @property
    def today(self) -> date:
        """The date where the character lives."""
        return timezone.now().astimezone(self.zone).date()

    def current_narrative(self, today: date) -> Narrative | None:
        """The story chapter that holds `today`, the latest begun one when they overlap."""
        running = [chapter for chapter in self.narratives.all() if chapter.holds(today)]
        return max(running, key=lambda chapter: chapter.start_date or date.min, default=None)


def zone_named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _missing(character: Character, names: tuple[str, ...]) -> dict[str, str]:
    given = {name for name in names if getattr(character, name)}
    if not given:
        return {}
    return {
        name: f"{_label(name)} is missing: fill in all of them, or none."
        for name in names
        if name not in given
    }


def _label(name: str) -> str:
    label = str(getattr(Character._meta.get_field(name), "verbose_name", name))
    return label[:1].upper() + label[1:]


class Narrative(jsondb.Nested):
    """A chapter of a character's story, with the days it covers."""

    character = jsondb.ParentKey(Character, related_name="narratives")
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=20000, blank=True)
    start_date = models.DateField("from", null=True, blank=True)
    end_date = models.DateField("until", null=True, blank=True)

    class Store:
        parent = "character"
        key = "narratives"
        prefix = "narr"

    class Meta(jsondb.Nested.Meta):
        pass

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValidationError({"end_date": "The chapter ends before it begins."})

    def holds(self, day: date) -> bool:
        begun = self.start_date is None or self.start_date <= day
        return begun and (self.end_date is None or day <= self.end_date)
