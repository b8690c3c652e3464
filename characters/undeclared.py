"""Keys no field accounts for, but whose name says that they hold a credential: older files have such."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

from influencer.jsondb import MASK

SECRET = re.compile(
    r"(token|password|api_?key|(app|api|client|consumer|access|token)_?secret"
    r"|(app|access|consumer|private|secret)_?key)$",
    re.IGNORECASE,
)


def masked(value: Any) -> Any:
    """The same with the mask in place of each credential, at every depth."""
    if isinstance(value, list):
        return [masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: MASK if _is_secret(key, item) else masked(item) for key, item in value.items()}


def without(value: Any) -> Any:
    """The same without any credential."""
    if isinstance(value, list):
        return [without(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without(item) for key, item in value.items() if not _is_secret(key, item)}


def unmasked(given: Any, stored: Any) -> Any:
    """What was sent, each mask in it replaced by what it stood for; gone where it stood for nothing."""
    if isinstance(given, list):
        rows = [*stored] if isinstance(stored, list) else []
        return [unmasked(item, row) for item, row in zip_longest(given, rows[: len(given)])]
    if not isinstance(given, dict):
        return given
    before, found = stored if isinstance(stored, dict) else {}, {}
    for key, item in given.items():
        if item != MASK or not _is_secret(key, item):
            found[key] = unmasked(item, before.get(key))
        elif key in before:
            found[key] = before[key]
    return found


def _is_secret(key: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and SECRET.search(key) is not None
