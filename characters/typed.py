"""What is typed at a command line, as the body of a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from django.db import models

from characters import payload
from characters.models import Character
from influencer.errors import Invalid

YES = {"true", "yes", "on", "1"}
NO = {"false", "no", "off", "0"}
NULL = "null"


def body_of(fields: Mapping[str, str | None], pairs: Iterable[str] = ()) -> dict[str, Any]:
    """A body from field names with their texts (None: not given) and `key=value` pairs, which win.

    A key is the file's (`triggerWord`, `promptSettings.style`) or the field's (`trigger_word`); the
    value `null` clears it. Raises `Invalid`.
    """
    given = {name: text for name, text in fields.items() if text is not None}
    for pair in pairs:
        key, is_pair, text = pair.partition("=")
        if not is_pair:
            raise Invalid(f"“{pair}” is not of the form key=value.")
        given[_field(key.strip())] = text
    body: dict[str, Any] = {}
    for name, text in given.items():
        _put(body, payload.KEYS[name], _value(name, text))
    return body


def read_object(source: str, stdin: TextIO) -> dict[str, Any]:
    """The JSON object in a file, or on standard input for `-`. Raises `Invalid`."""
    try:
        content = json.loads(stdin.read() if source == "-" else Path(source).read_text())
    except OSError as error:
        raise Invalid(f"{source} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise Invalid(f"{source} is not valid JSON: {error}.") from error
    if not isinstance(content, dict):
        raise Invalid(f"{source} must hold one JSON object.")
    return content


def _field(key: str) -> str:
    by_key = {written: name for name, written in payload.KEYS.items()} | payload.PROMPT_SETTINGS
    name = by_key.get(key, key)
    if name not in payload.KEYS:
        raise Invalid(f"A character has no field “{key}”. The fields are {', '.join(payload.KEYS.values())}.")
    return name


def _value(name: str, text: str) -> Any:
    """The text as the field's type; what does not fit stays text and is refused by the form."""
    field = Character._meta.get_field(name)
    if text == NULL:
        return None
    if isinstance(field, models.BooleanField):
        return True if text.lower() in YES else False if text.lower() in NO else text
    if isinstance(field, models.IntegerField | models.FloatField):
        return _number(text)
    return text


def _number(text: str) -> float | str | None:
    if not text:
        return None
    try:
        return float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError:
        return text


def _put(body: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value
