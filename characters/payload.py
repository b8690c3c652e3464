"""Characters as JSON: from a request's body to form data, and the story with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.forms import Form, ModelForm

from characters.forms import CharacterForm, NarrativeForm, partial_form, remove_name
from characters.models import SECRETS, Character, Narrative
from influencer.errors import Invalid

PROMPT_SETTINGS = {
    "basePrompt": "base_prompt",
    "negativePrompt": "negative_prompt",
    "style": "style",
    "mood": "mood",
}
NOT_GIVEN = {"id", "createdAt", "updatedAt"}
CHAPTER_KEYS = {
    "title": "title",
    "description": "description",
    "startDate": "start_date",
    "endDate": "end_date",
}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


NAMES = {camel(name): name for name in CharacterForm.Meta.fields if name not in PROMPT_SETTINGS.values()}
KEYS = {name: key for key, name in NAMES.items()} | {
    name: f"promptSettings.{key}" for key, name in PROMPT_SETTINGS.items()
}


@dataclass(frozen=True)
class Payload:
    """A body taken apart: form data by field name, the story when given, keys no field accounts for."""

    data: dict[str, Any]
    chapters: list[dict[str, Any]] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def form(self, instance: Character | None = None) -> ModelForm[Character]:
        """The bound form of just the fields that were given; required ones too for a new record."""
        names = [name for name in CharacterForm.Meta.fields if name in self.data]
        if instance is None:
            names = list(dict.fromkeys(["name", "personality", *names]))
        return partial_form(names)(self.data, instance=instance)

    def story_maker(self) -> Callable[[Character], list[Narrative]] | None:
        """What makes the story anew for a character, None to leave it as it is. Raises `Invalid`."""
        items = self.chapters
        if items is None:
            return None

        def make(character: Character) -> list[Narrative]:
            forms = [chapter_form(item, character) for item in items]
            for place, form in enumerate(forms):
                if not form.is_valid():
                    raise form_problem(form, prefix=f"narratives.{place}.")
            return [form.save(commit=False) for form in forms]

        return make


def read(body: dict[str, Any]) -> Payload:
    """Sort a body's keys. Raises `Invalid` with `fields` for values of the wrong type."""
    data: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    extra: dict[str, Any] = {}
    settings = body.get("promptSettings")
    if settings is not None and not isinstance(settings, dict):
        wrong["promptSettings"] = ["This must be an object."]
    for key, value in body.items():
        if key in NAMES:
            _take(NAMES[key], value, data, wrong)
        elif key not in NOT_GIVEN | {"promptSettings", "narratives"}:
            extra[key] = value
    for key, value in (settings if isinstance(settings, dict) else {}).items():
        if key in PROMPT_SETTINGS:
            _take(PROMPT_SETTINGS[key], value, data, wrong)
        else:
            extra.setdefault("promptSettings", {})[key] = value
    chapters = body.get("narratives")
    if chapters is not None and not _is_list_of_objects(chapters):
        wrong["narratives"] = ["This must be a list of objects."]
    if wrong:
        raise refused(wrong)
    return Payload(data, chapters, extra)


def chapter_form(item: dict[str, Any], character: Character) -> NarrativeForm:
    """The bound form of one narrative; its id is kept, unknown keys too."""
    data = {name: "" if item.get(key) is None else item[key] for key, name in CHAPTER_KEYS.items()}
    for name in ("start_date", "end_date"):
        data[name] = str(data[name])[:10]
    record = Narrative(character=character)
    if isinstance(item.get("id"), str) and item["id"]:
        record.id = item["id"]
    record.extra = {key: value for key, value in item.items() if key not in {*CHAPTER_KEYS, "id"}}
    return NarrativeForm(data, instance=record)


def form_problem(form: Form | ModelForm[Any], prefix: str = "") -> Invalid:
    """A refused form as the API words it, under the keys of the request."""
    fields = {
        f"{prefix}{_key(name, prefix)}": [str(message) for message in messages]
        for name, messages in form.errors.items()
    }
    return refused(fields)


def refused(fields: dict[str, list[str]]) -> Invalid:
    """One sentence that names the first field, and all of them in `fields`."""
    name, messages = next(iter(fields.items()))
    sentence = messages[0] if name == "__all__" else f"{name}: {messages[0]}"
    return Invalid(sentence, fields=fields)


def _key(name: str, prefix: str) -> str:
    if prefix:
        return next((key for key, own in CHAPTER_KEYS.items() if own == name), name)
    return KEYS.get(name, name)


def _take(name: str, value: Any, data: dict[str, Any], wrong: dict[str, list[str]]) -> None:
    model_field = Character._meta.get_field(name)
    if message := _type_fault(model_field, value):
        wrong[KEYS[name]] = [message]
    elif value is None and name in SECRETS:
        data[name] = ""
        data[remove_name(name)] = True
    else:
        data[name] = "" if value is None else value


def _type_fault(model_field: Any, value: Any) -> str:
    if isinstance(model_field, models.BooleanField):
        return "" if isinstance(value, bool) else "This must be true or false."
    if value is None:
        return ""
    if isinstance(model_field, (models.IntegerField, models.FloatField)):
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        return "" if numeric else "This must be a number."
    return "" if isinstance(value, str) else "This must be text."


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
