"""What is typed about a task at a command line, as the body of a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from influencer.errors import Invalid

NULL = "null"


def body_of(fields: Mapping[str, str | None], pairs: Iterable[str] = ()) -> dict[str, Any]:
    """A body from keys with their texts (None: not given) and `key=value` pairs of the config.

    `null` clears a key; numbers, true and false are taken as such in the config. Raises `Invalid`.
    """
    body: dict[str, Any] = {key: _field(key, text) for key, text in fields.items() if text is not None}
    config = dict(map(_pair, pairs))
    return {**body, **({"config": config} if config else {})}


def _field(key: str, text: str) -> Any:
    if text == NULL:
        return None
    return int(text) if key == "lateHours" and text.isdecimal() else text


def _pair(pair: str) -> tuple[str, Any]:
    key, is_pair, text = pair.partition("=")
    if not is_pair or not key.strip():
        raise Invalid(f"“{pair}” is not of the form key=value.")
    return key.strip(), _value(text)


def _value(text: str) -> Any:
    """JSON where it is no text: numbers, true, false, null, lists and objects."""
    try:
        return json.loads(text)
    except ValueError:
        return text
