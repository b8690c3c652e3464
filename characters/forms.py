"""What a person or a program may say about a character, cleaned once for HTML and JSON alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from characters.models import SECRETS, Character, Narrative

PERSONA = (
    "name",
    "instagram_handle",
    "twitter_handle",
    "personality",
    "backstory",
    "voice",
    "language",
    "timezone",
)
LOOK = (
    "preferred_model",
    "lora",
    "lora_strength",
    "trigger_word",
    "base_prompt",
    "negative_prompt",
    "style",
    "mood",
    "width",
    "height",
    "steps",
    "cfg",
    "sampler",
    "scheduler",
)
INSTAGRAM = ("instagram_account_id", "instagram_api_key")
X = (
    "twitter_account_id",
    "twitter_app_key",
    "twitter_app_secret",
    "twitter_access_token",
    "twitter_access_secret",
)
ACCOUNTS = (*INSTAGRAM, *X, "ai_label", "practise_in_sandbox")
SECTIONS = {"persona": PERSONA, "look": LOOK, "accounts": ACCOUNTS}

BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
LONG_TEXTS = {"personality": 2, "backstory": 4, "voice": 2, "base_prompt": 3, "negative_prompt": 2}


class CharacterForm(forms.ModelForm):
    """All fields of a character. A secret left empty keeps the stored one."""

    class Meta:
        model = Character
        fields = (*PERSONA, *LOOK, *ACCOUNTS, "is_active", "avatar_image_id")
        widgets: ClassVar = {name: forms.Textarea(attrs={"rows": rows}) for name, rows in LONG_TEXTS.items()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            if name in self.fields and getattr(self.instance, name, ""):
                self.fields[remove_name(name)] = forms.BooleanField(required=False, label="Remove")
        self.digest = getattr(self.instance, "digest", "")

    @property
    def instagram_secrets(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        return self._secrets(INSTAGRAM)

    @property
    def x_secrets(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        return self._secrets(X)

    @property
    def opens_look(self) -> bool:
        return any(name in self.errors for name in LOOK)

    @property
    def opens_accounts(self) -> bool:
        return any(name in self.errors for name in ACCOUNTS)

    def _secrets(self, names: tuple[str, ...]) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """Each secret among `names` with its Remove box, when one is stored."""
        secrets = [name for name in names if name in SECRETS and name in self.fields]
        boxes = [remove_name(name) for name in secrets]
        return [
            (self[name], self[box] if box in self.fields else None)
            for name, box in zip(secrets, boxes, strict=True)
        ]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if any(unicodedata.category(sign) == "Cc" for sign in name) or BIDI_CONTROLS.search(name):
            raise ValidationError("A name can't hold control characters.")
        if not any(unicodedata.category(sign)[0] in "LNSP" for sign in name):
            raise ValidationError("A name needs at least one visible character.")
        return name

    def clean_timezone(self) -> str:
        zone = str(self.cleaned_data["timezone"])
        if zone and zone not in available_timezones():
            raise ValidationError(f"“{zone}” is no time zone; try Europe/Madrid.")
        return zone

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in SECRETS:
            if cleaned.pop(remove_name(name), False):
                cleaned[name] = ""
        return cleaned


class NarrativeForm(forms.ModelForm):
    """One chapter of the story."""

    class Meta:
        model = Narrative
        fields = ("title", "description", "start_date", "end_date")
        widgets: ClassVar = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "start_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "end_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }


class CharacterFilter(forms.Form):
    """Search, filters, sort and page of the Characters tab; what can't be used is ignored."""

    SHOW = (("", "All"), ("active", "Active"), ("paused", "Paused"))
    SORT = (("name", "Name"), ("-created_at", "Newest"), ("-updated_at", "Last changed"))

    q = forms.CharField(required=False, max_length=200)
    show = forms.ChoiceField(required=False, choices=SHOW)
    model = forms.CharField(required=False, max_length=300)
    sort = forms.ChoiceField(required=False, choices=SORT)

    def values(self) -> dict[str, str]:
        self.is_valid()
        return {name: str(self.cleaned_data.get(name, "") or "") for name in self.fields}


def remove_name(secret: str) -> str:
    return f"{secret}_remove"


def section_form(section: str) -> type[CharacterForm]:
    """The form for one section of the character page. Raises KeyError for an unknown section."""
    return partial_form(SECTIONS[section])


def partial_form(names: tuple[str, ...] | list[str]) -> type[CharacterForm]:
    """A form that reads and changes only `names`."""
    return forms.modelform_factory(Character, form=CharacterForm, fields=names)
