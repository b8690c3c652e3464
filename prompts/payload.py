"""Prompts as JSON: from a request's body to form data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.forms import Form, ModelForm

from characters.payload import camel, refused
from influencer.errors import Invalid
from influencer.jsondb.values import read_moment
from prompts.forms import PromptForm, partial_form
from prompts.models import Prompt

CAPTIONS = {"instagram": "instagram_caption", "x": "x_caption"}
NAMES = {camel(name): name for name in PromptForm.Meta.fields if name not in CAPTIONS.values()}
KEYS = {name: key for key, name in NAMES.items()} | {
    name: f"captions.{key}" for key, name in CAPTIONS.items()
}
# Kept by the product itself, whatever a body says.
OWN = {"id", "createdAt", "updatedAt", "characterName", "captionSource", "usedAt", "usedBy", "imageIds"}

Faults = dict[str, list[str]]


@dataclass(frozen=True)
class Payload:
    """A body taken apart: form data by field name, and keys no field accounts for."""

    data: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)
    seen_at: datetime | None = None

    def form(self, instance: Prompt | None = None) -> PromptForm:
        """The bound form of just the fields that were given; required ones too for a new record."""
        names = [name for name in PromptForm.Meta.fields if name in self.data]
        if instance is None:
            names = list(dict.fromkeys(["character_id", "prompt", *names]))
        return partial_form(names)(self.data, instance=instance)

    def is_current(self, prompt: Prompt) -> bool:
        """Whether the record is still the one whose `updatedAt` the body names, if it names one."""
        return self.seen_at is None or self.seen_at == prompt.updated_at


def read(body: Any) -> Payload:
    """Sort the keys of a prompt. Raises `Invalid` with `fields` for values of the wrong type."""
    if not isinstance(body, dict):
        raise Invalid("Send the prompt as an object: prompt.", fields={"prompt": ["This must be an object."]})
    captions, faults = body.get("captions"), Faults()
    if captions is not None and not isinstance(captions, dict):
        faults["captions"] = ["This must be an object."]
    captions = captions if isinstance(captions, dict) else {}
    data: dict[str, Any] = {}
    for names, given in ((NAMES, body), (CAPTIONS, captions)):
        for key in filter(given.__contains__, names):
            _take(names[key], given[key], data, faults)
    seen_at = _moment(body.get("updatedAt"), faults)
    if faults:
        raise refused(faults)
    extra = {key: value for key, value in body.items() if key not in {*NAMES, *OWN, "captions"}}
    if unknown := {key: value for key, value in captions.items() if key not in CAPTIONS}:
        extra["captions"] = unknown
    return Payload(data, extra, seen_at)


def form_problem(form: Form | ModelForm[Any]) -> Invalid:
    """A refused form as the API words it, under the keys of the request."""
    return refused(
        {KEYS.get(name, camel(name)): [str(one) for one in faults] for name, faults in form.errors.items()}
    )


def _take(name: str, value: Any, data: dict[str, Any], faults: Faults) -> None:
    kind, words = (bool, "true or false") if name == "used" else (str, "text")
    if value is not None and not isinstance(value, kind):
        faults[KEYS[name]] = [f"This must be {words}."]
        return
    data[name] = "" if value is None else value


def _moment(value: Any, faults: Faults) -> datetime | None:
    try:
        return read_moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        faults["updatedAt"] = ["This must be a time as the API gives it."]
        return None
