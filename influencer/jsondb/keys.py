"""Names in Python and keys in the file: snake_case and camelCase, dotted for nested objects."""

from __future__ import annotations

from typing import Any

from .declared import KeyPath

Row = dict[str, Any]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


def camel_case(name: str) -> str:
    """`instagram_api_key` → `instagramApiKey`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def pick(row: Row, path: KeyPath) -> Any:
    """The value under a path, `MISSING` when any part of it is not there."""
    value: Any = row
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def put(row: Row, path: KeyPath, value: Any) -> None:
    """Set the value under a path, making the objects on the way; keys beside it stay."""
    *parents, last = path
    for key in parents:
        if not isinstance(row.get(key), dict):
            row[key] = {}
        row = row[key]
    row[last] = value


def without(row: Row, paths: set[KeyPath]) -> Row:
    """What is left of a row when these paths are taken out, as far as it has a value."""
    kept: Row = {}
    for key, value in row.items():
        if (key,) in paths:
            continue
        inner = {path[1:] for path in paths if path[0] == key}
        if inner and isinstance(value, dict):
            value = without(value, inner)
            if not value:
                continue
        kept[key] = value
    return kept


def merge(row: Row, before: Row, after: Row) -> None:
    """Carry the difference between two versions of some keys over into a row."""
    for key in before.keys() - after.keys():
        row.pop(key, None)
    for key, value in after.items():
        old = before.get(key, MISSING)
        if old == value:
            continue
        if isinstance(value, dict) and isinstance(row.get(key), dict):
            merge(row[key], old if isinstance(old, dict) else {}, value)
        else:
            row[key] = value
