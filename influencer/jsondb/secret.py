"""Secrets in records: masked wherever they are printed, sealed wherever they are stored."""

from __future__ import annotations

import re
from typing import Any

from influencer import vault

from .declared import KeyPath
from .keys import Row, pick, put
from .text import pure

MASK = "********"
_VARIABLE = re.compile(r"(?:env:)?((?:INSTAGRAM|TWITTER)_[A-Z0-9_]+)")
_ENVIRONMENT = "env:"


class Secret:
    """A credential as it lies in the file. Prints as a mask; only `reveal` gives it away."""

    __slots__ = ("stored",)

    def __init__(self, stored: str = "") -> None:
        self.stored = stored

    def reveal(self) -> str:
        """The plain value, for the call that needs it. Raises `Unavailable` (`wrong_key`)."""
        return vault.unseal(self.stored)

    @property
    def variable(self) -> str:
        """The environment variable this names instead of holding a secret, else empty."""
        return named_variable(self.stored)

    def __bool__(self) -> bool:
        return bool(self.stored)

    def __str__(self) -> str:
        return MASK if self.stored else ""

    def __repr__(self) -> str:
        return f"<Secret {'set' if self.stored else 'not set'}>"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.stored == other.stored

    def __hash__(self) -> int:
        return hash(self.stored)


def named_variable(value: str) -> str:
    """`INSTAGRAM_…` or `TWITTER_…` when a value, bare or as `env:…`, names such a variable."""
    match = _VARIABLE.fullmatch(value)
    return match[1] if match else ""


def is_plain(value: Any) -> bool:
    """Whether a value in a file is a secret anyone can read.

    The name of an environment variable is none, and neither is a refused `env:`: there is nothing to hide.
    """
    return (
        isinstance(value, str)
        and value != ""
        and not vault.is_sealed(value)
        and not value.startswith(_ENVIRONMENT)
        and not named_variable(value)
    )


def sealed(value: str) -> str:
    """What may be written to a file."""
    return vault.seal(value) if is_plain(value) else value


def plain_paths(row: Any, paths: set[KeyPath]) -> list[KeyPath]:
    """Which of these keys hold a plain secret. Asked of every row of a file that was read anew."""
    if not isinstance(row, dict):
        return []
    return [
        path
        for path in paths
        if (value := row.get(path[0]) if len(path) == 1 else pick(row, path)) and is_plain(value)
    ]


def seal_row(row: Row, paths: set[KeyPath]) -> Row:
    """The row with every secret sealed: the same object when there is nothing to do."""
    found = plain_paths(row, paths)
    if not found:
        return row
    row = pure(row)
    for path in found:
        put(row, path, vault.seal(pick(row, path)))
    return row
