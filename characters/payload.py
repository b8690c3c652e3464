"""Characters as JSON: from a request's body to form data, and the story with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import models
from django.forms import Form, ModelForm

from characters import undeclared
from characters.forms import CharacterForm, NarrativeForm, partial_form, remove_name
from characters.models import SECRETS, Character, Narrative
from characters.services import Beside
from influencer.errors import Invalid
from influencer.jsondb.keys import camel_case as camel
from influencer.jsondb.values import read_moment

PROMPT_SETTINGS = {
    "basePrompt": "base_prompt",
    "negativePrompt": "negative_prompt",
    "style": "style",
    "mood": "mood",
}
NOT_GIVEN = {"id", "createdAt", "updatedAt"}
APART = {"promptSettings", "narratives"}
CHAPTER_KEYS = {
    "title": "title",
    "description": "description",
    "startDate": "start_date",
    "endDate": "end_date",
}
CHAPTER_NAMES = {name: key for key, name in CHAPTER_KEYS.items()}
NAMES = {camel(name): name for name in CharacterForm.Meta.fields if name not in PROMPT_SETTINGS.values()}
KEYS = {name: key for key, name in NAMES.items()} | {
    name: f"promptSettings.{key}" for key, name in PROMPT_SETTINGS.items()
}

Faults = dict[str, list[str]]


@dataclass(frozen=True)
class Payload:
    """A body taken apart: form data by field name, the story when given, keys no field accounts for."""

    data: dict[str, Any]
    chapters: list[dict[str, Any]] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    seen_at: datetime | None = None

    def form(self, instance: Character | None = None) -> CharacterForm:
        """The bound form of just the fields that were given; required ones too for a new record."""
        names = [name for name in CharacterForm.Meta.fields if name in self.data]
        if instance is None:
            names = list(dict.fromkeys(["name", "personality", *names]))
        return partial_form(names)(self.data, instance=instance)

    @property
    def beside(self) -> Beside:
        """What belongs to the record and to no form. Its story raises `Invalid` when it is made."""
        return Beside(self.extra, None if self.chapters is None else partial(_story, self.chapters))

    def is_current(self, character: Character) -> bool:
        """Whether the record is still the one whose `updatedAt` the body names, if it names one."""
        return self.seen_at is None or self.seen_at == character.updated_at


def read(body: dict[str, Any]) -> Payload:
    """Sort a body's keys. Raises `Invalid` with `fields` for values of the wrong type."""
    settings, chapters = body.get("promptSettings"), body.get("narratives")
    faults = _shape_faults(settings, chapters)
    settings = settings if isinstance(settings, dict) else {}
    data: dict[str, Any] = {}
    for names, given in ((NAMES, body), (PROMPT_SETTINGS, settings)):
        for key in filter(given.__contains__, names):
            _take(names[key], given[key], data, faults)
    extra = {key: value for key, value in body.items() if key not in {*NAMES, *NOT_GIVEN, *APART}}
    if unknown := {key: value for key, value in settings.items() if key not in PROMPT_SETTINGS}:
        extra["promptSettings"] = unknown
    seen_at = _moment(body.get("updatedAt"), faults)
    if faults:
        raise refused(faults)
    return Payload(data, chapters, extra, seen_at)


def form_problem(form: Form | ModelForm[Any]) -> Invalid:
    """A refused form as the API words it, under the keys of the request."""
    return refused(_faults(form, KEYS))


def refused(faults: Faults) -> Invalid:
    """One sentence that names the first field, and all of them in `fields`."""
    name, messages = next(iter(faults.items()))
    sentence = messages[0] if name == "__all__" else f"{name}: {messages[0]}"
    return Invalid(sentence, fields=faults)


def _faults(form: Form | ModelForm[Any], keys: dict[str, str], prefix: str = "") -> Faults:
    return {
        f"{prefix}{keys.get(name, name)}": [str(message) for message in messages]
        for name, messages in form.errors.items()
    }


def _shape_faults(settings: Any, chapters: Any) -> Faults:
    faults: Faults = {}
    if settings is not None and not isinstance(settings, dict):
        faults["promptSettings"] = ["This must be an object."]
    if chapters is not None and not _is_list_of_objects(chapters):
        faults["narratives"] = ["This must be a list of objects."]
    return faults


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _moment(value: Any, faults: Faults) -> datetime | None:
    try:
        return read_moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        faults["updatedAt"] = ["This must be a time as the API gives it."]
        return None


def _take(name: str, value: Any, data: dict[str, Any], faults: Faults) -> None:
    """Put a value where the form looks for it; `null` takes a secret away."""
    if message := _type_fault(Character._meta.get_field(name), value):
        faults[KEYS[name]] = [message]
        return
    data[name] = "" if value is None else value
    if value is None and name in SECRETS:
        data[remove_name(name)] = True


def _type_fault(model_field: Any, value: Any) -> str:
    if isinstance(model_field, models.BooleanField):
        return "" if isinstance(value, bool) else "This must be true or false."
    if value is None:
        return ""
    if isinstance(model_field, models.IntegerField | models.FloatField):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if numeric else "This must be a number."
    return "" if isinstance(value, str) else "This must be text."


def _story(items: list[dict[str, Any]], character: Character) -> list[Narrative]:
    """The narratives of a body in its order; their ids are kept, and what else the stored ones hold."""
    stored = {chapter.pk: chapter for chapter in character.narratives.all()}
    forms = [_chapter_form(item, character, stored) for item in items]
    faults: Faults = {}
    taken: set[str] = set()
    for place, (item, form) in enumerate(zip(items, forms, strict=True)):
        prefix = f"narratives.{place}."
        faults |= _faults(form, CHAPTER_NAMES, prefix)
        wrong = [key for key in CHAPTER_KEYS if not isinstance(item.get(key, ""), str | None)]
        faults |= {f"{prefix}{key}": ["This must be text."] for key in wrong}
        if form.instance.pk in taken:
            faults[f"{prefix}id"] = ["Another chapter in this list has this id."]
        taken.add(form.instance.pk)
    if faults:
        raise refused(faults)
    return [form.save(commit=False) for form in forms]


def _chapter_form(item: dict[str, Any], character: Character, stored: dict[str, Narrative]) -> NarrativeForm:
    data = {name: "" if item.get(key) is None else item[key] for key, name in CHAPTER_KEYS.items()}
    for name in ("start_date", "end_date"):
        data[name] = str(data[name])[:10]  # a date may come with a time of day
    record = Narrative(character=character)
    if isinstance(item.get("id"), str | int) and item["id"]:
        record.id = str(item["id"])
    before = stored[record.pk].extra if record.pk in stored else {}
    given = {key: value for key, value in item.items() if key not in {*CHAPTER_KEYS, "id"}}
    record.extra = {**before, **undeclared.unmasked(given, before)}
    return NarrativeForm(data, instance=record)
