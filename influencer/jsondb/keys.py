"""Names in Python and keys in the file: snake_case and camelCase, dotted for nested objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .declared import KeyPath

Row = dict[str, Any]
Tree = dict[str, Any]


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


def tree_of(paths: Iterable[KeyPath]) -> Tree:
    """Paths as nested keys, for walking a row once."""
    tree: Tree = {}
    for path in paths:
        branch = tree
        for key in path:
            branch = branch.setdefault(key, {})
    return tree


def without(row: Row, tree: Tree) -> Row:
    """What is left of a row when the tree's leaves are taken out; an object emptied by it goes too."""
    kept: Row = {}
    for key, value in row.items():
        branch = tree.get(key)
        if branch is None or (branch and not isinstance(value, dict)):
            kept[key] = value
        elif branch and (rest := without(value, branch)):
            kept[key] = rest
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
