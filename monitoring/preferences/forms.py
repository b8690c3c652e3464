"""One section of the Settings page as a form. Secrets go in and never come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from influencer import effective
from influencer.clients import addresses
from influencer.config import SANDBOX, SDKS, SETTABLE, Config, ConfigError
from influencer.errors import Problem
from influencer.jsondb import KEEP, SecretFormField
from influencer.jsondb.keys import Row
from influencer.web import zone
from monitoring.preferences.sections import Section

LABELS = {
    "comfyui_urls": "Address",
    "comfyui_headers": "Extra headers",
    "gemini_api_key": "Key",
    "gemini_model": "Model",
    "gemini_api_url": "Address",
    "gemini_sdk": "Library",
    "public_base_url": "Address",
    "instagram_graph_url": "Graph address",
    "instagram_api_version": "API version",
    "x_api_url": "Address",
    "sandbox": "Stand-ins",
    "time_zone": "Time zone",
    "backups_kept": "Backups to keep",
}
HELP = {
    "comfyui_urls": "One address a line. Empty: the sandbox draws.",
    "comfyui_headers": 'A JSON object, sent with every request: {"Authorization": "Bearer …"}',
    "gemini_api_key": "Made at aistudio.google.com/apikey.",
    "gemini_sdk": "google-generativeai has had no support since 2025, and has to be installed first.",
    "public_base_url": "Without one only the sandbox can be posted to on Instagram.",
    "instagram_graph_url": "Empty: Meta’s own, by the kind of token.",
    "sandbox": "“For all”: nothing real is asked, whatever is configured.",
    "time_zone": "In which times are shown. Tasks and characters may have their own.",
    "backups_kept": "Older ones are deleted after a new one was checked.",
}
PLACEHOLDERS = {"comfyui_urls": "http://192.168.1.20:8188", "public_base_url": "https://media.example.org"}
STAND_INS = {"auto": "Where needed", "on": "For all", "off": "Off"}
SET_BY_HAND = "Set. Leave empty to keep it."


class SectionForm(forms.Form):
    """The fields of one section over what is stored in `document` (`settings.json`)."""

    def __init__(self, section: Section, document: Row, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"id_{section.name}_%s", prefix=None)
        self.section = section
        self.document = document
        self.faults = effective.look().faults
        for name in section.all_fields:
            self.fields[name] = self._field(name)
            self.fields[name].label = LABELS[name]
            if self._is_set_secret(name):
                self.fields[remove_name(name)] = forms.BooleanField(required=False, label="Remove")

    # What goes out

    def _field(self, name: str) -> forms.Field:
        if effective.locked(name):
            return _locked_field(name)
        if SETTABLE[name].secret:
            return _secret_field(name, self._help_of_secret(name))
        initial = self._initial(name)
        return _field(name, initial, HELP.get(name, ""))

    def _initial(self, name: str) -> str:
        """What is stored, also when it can't be used; else what counts, where there is always a choice."""
        stored = self.document.get(effective.KEYS[name])
        if name in CHOICES:
            return str(getattr(effective.config(), name))
        try:
            return _shown(name, effective.text_of(name, stored))
        except ConfigError:
            return "" if SETTABLE[name].address else json.dumps(stored)
        except Problem:  # sealed with another key
            return ""

    def _is_set_secret(self, name: str) -> bool:
        stored = self.document.get(effective.KEYS[name])
        return SETTABLE[name].secret and not effective.locked(name) and bool(stored)

    def _help_of_secret(self, name: str) -> str:
        if not self._is_set_secret(name):
            return HELP[name]
        day = _moment(self.document.get(effective.SET_AT), effective.KEYS[name])
        return f"Set on {_day(day)}. Leave empty to keep it." if day else SET_BY_HAND

    # What comes in

    def clean(self) -> dict[str, Any]:
        for name in self.section.all_fields:
            value = self.cleaned_data.get(name)
            if name in self.errors or effective.locked(name) or value in (None, "", KEEP):
                continue
            try:
                self.cleaned_data[name] = stored = self._stored(name, str(value))
                effective.value_of(name, stored, label=LABELS[name])
            except ConfigError as error:
                self.add_error(name, str(error))
        return self.cleaned_data

    def _stored(self, name: str, text: str) -> Any:
        """What was typed as it goes into the file."""
        if name == "comfyui_urls":
            return [self._address(line) for line in text.splitlines()]
        if SETTABLE[name].address and (fault := addresses.shape_fault(text)):
            raise ConfigError(fault)
        return int(text) if SETTABLE[name].takes is int and text.isdecimal() else text

    def _address(self, line: str) -> str:
        """A typed address; a masked one stands for the stored one it was made of, and for no other."""
        if addresses.MASK in line:
            known = {addresses.masked(url): url for url in effective.config().comfyui_urls}
            if line not in known:
                raise ConfigError(f"The password of {line} is not known. Type user and password again.")
            return known[line]
        if fault := addresses.shape_fault(line, login=True):
            raise ConfigError(fault)
        return line.rstrip("/")

    def changes(self) -> dict[str, Any]:
        """What a valid form says that is new: field → what to store, None to unset it."""
        given = {name: self.cleaned_data.get(name) for name in self.section.all_fields if self._says(name)}
        return {name: None if value in ("", KEEP) else value for name, value in given.items()}

    def _says(self, name: str) -> bool:
        if effective.locked(name):
            return False
        if SETTABLE[name].secret:
            return name in self.changed_data or bool(self.cleaned_data.get(remove_name(name)))
        # What can't be used is put right by the first good value; nothing typed leaves it as it is.
        mends = effective.KEYS[name] in self.faults and bool(self.cleaned_data.get(name))
        return name in self.changed_data or mends

    def config(self) -> Config:
        """The configuration as it would be with what a valid form says."""
        values = {}
        for name, stored in self.changes().items():
            value = effective.value_of(name, stored)
            values[name] = getattr(settings.INFLUENCER, name) if value is None else value
        return replace(effective.config(), **values)

    # For the template

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [self._row(name) for name in self.section.fields]

    @property
    def more_rows(self) -> list[dict[str, Any]]:
        return [self._row(name) for name in self.section.more]

    @property
    def is_open(self) -> bool:
        """Whether the environment leaves anything to set here."""
        return any(not effective.locked(name) for name in self.section.all_fields)

    @property
    def opens_more(self) -> bool:
        stored = (self.document.get(effective.KEYS[name]) for name in self.section.more)
        return any(stored) or any(name in self.errors for name in self.section.more)

    def _row(self, name: str) -> dict[str, Any]:
        remove = remove_name(name)
        box = self[remove] if remove in self.fields else None
        return {"name": name, "field": self[name], "locked": effective.locked(name), "remove": box}


def remove_name(secret: str) -> str:
    return f"{secret}_remove"


class LinesField(forms.CharField):
    """Text in lines, without empty ones; a comma begins a line too, as in the variable."""

    def to_python(self, value: Any) -> str:
        lines = (line.strip() for line in str(super().to_python(value)).replace(",", "\n").splitlines())
        return "\n".join(filter(None, lines))


class WriteOnly(forms.PasswordInput):
    """Readable while it is typed, and never sent out."""

    input_type = "text"


def _zones() -> list[tuple[str, str]]:
    here = zone.current().key
    known = zone.names() if here in zone.names() else [here, *zone.names()]
    return [(name, name.replace("_", " ")) for name in known]


CHOICES = {
    "sandbox": lambda: [(name, STAND_INS[name]) for name in SANDBOX],
    "gemini_sdk": lambda: [(name, name) for name in SDKS],
    "time_zone": _zones,
}


def _field(name: str, initial: str, help_text: str) -> forms.Field:
    facts: dict[str, Any] = {"initial": initial, "help_text": help_text, "required": name in CHOICES}
    if name in CHOICES:
        widget = forms.RadioSelect() if name == "sandbox" else forms.Select()
        return forms.ChoiceField(choices=CHOICES[name](), widget=widget, **facts)
    hint = PLACEHOLDERS.get(name) or str(getattr(settings.INFLUENCER, name))
    attributes = {"placeholder": hint, "autocomplete": "off", "spellcheck": "false"}
    if name == "comfyui_urls":
        lines = forms.Textarea(attrs={**attributes, "rows": 1})
        return LinesField(widget=lines, max_length=5000, **facts)
    return forms.CharField(widget=forms.TextInput(attrs=attributes), max_length=500, **facts)


def _secret_field(name: str, help_text: str) -> forms.Field:
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    widget = (
        WriteOnly(attrs=attributes)
        if name == "comfyui_headers"
        else forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    return SecretFormField(widget=widget, help_text=help_text, max_length=5000, required=False)


def _locked_field(name: str) -> forms.Field:
    value = getattr(settings.INFLUENCER, name)
    if SETTABLE[name].secret:
        hidden = forms.TextInput(attrs={"placeholder": "••••••••"})
        return forms.CharField(disabled=True, required=False, widget=hidden)
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    widget = forms.Textarea(attrs={"rows": 1}) if name == "comfyui_urls" else forms.TextInput()
    return forms.CharField(disabled=True, required=False, initial=_shown(name, text), widget=widget)


def _shown(name: str, text: str) -> str:
    """A value as the page may show it."""
    if not SETTABLE[name].address:
        return text
    return "\n".join(addresses.masked(url.strip()) for url in text.split(",") if url.strip())


def _moment(kept: Any, key: str) -> datetime | None:
    try:
        return datetime.fromisoformat(kept[key])
    except (TypeError, KeyError, ValueError):
        return None


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    year = "" if local.year == timezone.now().year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"
