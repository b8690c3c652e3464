"""What the models say about each file: id prefixes, lists within records, which keys are secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KeyPath = tuple[str, ...]
# A document with every secret in it sealed: the very same object when there is nothing to do.
Sealer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Declaration:
    """Filled while the models are imported, read by the store."""

    prefix: str = "rec"
    holds_records: bool = False
    lists: dict[str, str] = field(default_factory=dict)
    secrets: set[KeyPath] = field(default_factory=set)
    models: list[type] = field(default_factory=list)
    sealer: Sealer | None = None


_declarations: dict[str, Declaration] = {}


def declaration(file: str) -> Declaration:
    """The one for a file's name; an empty one while no model has claimed it."""
    return _declarations.setdefault(file, Declaration())


def declare_secret(file: str, dotted: str) -> None:
    """Have the string under a key (`"gemini.apiKey"`) sealed at rest, in a record or a document."""
    declaration(file).secrets.add(tuple(dotted.split(".")))


def declared_files() -> list[str]:
    return sorted(_declarations)
