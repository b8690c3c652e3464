"""What a person or a program may say about a character, cleaned once for HTML and JSON alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from characters.models import (
    INSTAGRAM_CREDENTIALS,
    SECRETS,
    X_CREDENTIALS,
    Character,
    Narrative,
    zone_named,
)
from influencer.clients import credentials
from influencer.errors import Invalid
from influencer.jsondb import KEEP
from influencer.jsondb.forms import RecordForm, text_fields
from influencer.web.filters import Filter

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
INSTAGRAM = INSTAGRAM_CREDENTIALS
X = ("twitter_account_id", *X_CREDENTIALS)
ACCOUNTS = (*INSTAGRAM, *X, "ai_label", "ai_label_reason", "practise_in_sandbox")
SECTIONS = {"persona": PERSONA, "look": LOOK, "accounts": ACCOUNTS}
LABEL = frozenset({"ai_label", "ai_label_reason"})
NO_REASON = "Say why the posts are not labelled as AI-generated."
DIALOG = (*PERSONA, *LOOK, *ACCOUNTS, "is_active")

LONG_TEXTS = {"personality": 2, "backstory": 4, "voice": 2, "base_prompt": 3, "negative_prompt": 2}
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
VISIBLE = "LNSP"
PRINTABLE = re.compile("[!-~]+")


class CharacterForm(RecordForm):
    """All fields of a character. A secret left empty keeps the stored one."""

    class Meta:
        model = Character
        fields = (*DIALOG, "avatar_image_id")
        field_classes = text_fields(Character)
        widgets: ClassVar = {name: forms.Textarea(attrs={"rows": rows}) for name, rows in LONG_TEXTS.items()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            if name in self.fields and getattr(self.instance, name, None):
                self.fields[remove_name(name)] = forms.BooleanField(required=False, label="Remove")

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

    @property
    def said(self) -> list[str]:
        """A ticked Remove box speaks for its secret."""
        changed = set(self.changed_data)
        return [name for name in self._meta.fields or () if {name, remove_name(name)} & changed]

    def _secrets(self, names: tuple[str, ...]) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """Each secret among `names` with its Remove box, when one is stored."""
        secrets = [name for name in names if name in SECRETS and name in self.fields]
        boxes = [remove_name(name) for name in secrets]
        return [
            (self[name], self[box] if box in self.fields else None)
            for name, box in zip(secrets, boxes, strict=True)
        ]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if BIDI_CONTROLS.search(name):
            raise ValidationError("A name can't hold signs that turn the direction of text.")
        if not any(unicodedata.category(sign)[0] in VISIBLE for sign in name):
            raise ValidationError("A name needs at least one visible character.")
        return name

    def clean_timezone(self) -> str:
        zone = str(self.cleaned_data["timezone"])
        if zone and zone_named(zone) is None:
            raise ValidationError(f"“{zone}” is no time zone; try Europe/Madrid.")
        return zone

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in SECRETS:
            if cleaned.pop(remove_name(name), False) and cleaned.get(name) is KEEP:
                cleaned[name] = ""
        for name in (*INSTAGRAM_CREDENTIALS, *X):
            if fault := _credential_fault(str(cleaned.get(name) or "")):
                self.add_error(name, fault)
        if LABEL.isdisjoint(self.data):  # nothing of it was sent, so it is not switched off
            cleaned["ai_label"] = self.instance.ai_label
        elif self._leaves_label_unexplained(cleaned):
            self.add_error(None, ValidationError({"ai_label_reason": NO_REASON}))
        return cleaned

    def _leaves_label_unexplained(self, cleaned: dict[str, Any]) -> bool:
        """Whether this form switches the label off without a reason, or takes the reason away."""
        if LABEL.isdisjoint(self.said):
            return False
        label = cleaned.get("ai_label", self.instance.ai_label)
        return not label and not cleaned.get("ai_label_reason")

    def add_error(self, field: str | None, error: Any) -> None:
        """Of credentials that are missing, only those are told of that belong to one given here."""
        if field is None and hasattr(error, "error_dict"):
            told = {name: found for name, found in error.error_dict.items() if self._is_about(name)}
            absent = {name: told.pop(name) for name in list(told) if name not in self.fields}
            self.errors.update({name: self.error_class(found) for name, found in absent.items()})
            error = ValidationError(told)
        super().add_error(field, error)

    def _is_about(self, name: str) -> bool:
        group = next((group for group in (INSTAGRAM_CREDENTIALS, X_CREDENTIALS) if name in group), None)
        return group is None or not set(group).isdisjoint(self.said)


class NarrativeForm(RecordForm):
    """One chapter of the story."""

    class Meta:
        model = Narrative
        fields = ("title", "description", "start_date", "end_date")
        field_classes = text_fields(Narrative)
        widgets: ClassVar = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "start_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "end_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }


class CharacterFilter(Filter):
    """Search, filters and sort of the Characters tab."""

    SHOW = (("", "All"), ("active", "Active"), ("paused", "Paused"))
    SORT = (("name", "Name"), ("-created_at", "Newest"), ("-updated_at", "Last changed"))

    q = forms.CharField(required=False, max_length=200)
    show = forms.ChoiceField(required=False, choices=SHOW)
    model = forms.CharField(required=False, max_length=300)
    sort = forms.ChoiceField(required=False, choices=SORT)


def remove_name(secret: str) -> str:
    return f"{secret}_remove"


def _credential_fault(value: str) -> str:
    """Why this can't be a key nor the name of a variable; it is never repeated."""
    try:
        credentials.check(value)
    except Invalid as problem:
        return problem.message
    return "" if not value or PRINTABLE.fullmatch(value) else "This holds a sign no key has. Copy it again."


def dialog_form() -> type[CharacterForm]:
    """The form of the Edit dialog. The portrait is not in it: it is chosen in the gallery."""
    return partial_form(DIALOG)


def section_form(section: str) -> type[CharacterForm]:
    """The form for one section of the character page. Raises KeyError for an unknown section."""
    return partial_form(SECTIONS[section])


def partial_form(names: Iterable[str]) -> type[CharacterForm]:
    """A form that reads and changes only `names`."""
    form: type[CharacterForm] = forms.modelform_factory(Character, form=CharacterForm, fields=list(names))  # type: ignore[assignment]
    return form
