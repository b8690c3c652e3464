"""Ids of records: made like `char_1754528276811_4suaz8mqv`, found or adopted in files."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

import orjson

from .declared import Declaration
from .keys import Row

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAIL = 9


def new_id(prefix: str) -> str:
    tail = "".join(secrets.choice(_DIGITS) for _ in range(_TAIL))
    return f"{prefix}_{time.time_ns() // 1_000_000}_{tail}"


def identity(row: Any) -> str | None:
    """The id of an entry in a list as text; None for what is no record with an id."""
    if not isinstance(row, dict):
        return None
    found = row.get("id")
    if type(found) is str:
        return found or None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return None


def adopt(rows: list[Any], declared: Declaration) -> None:
    """Give entries written by hand without an id one, the same in every process until it is stored."""
    _adopt_list(rows, declared.prefix)
    for key, prefix in declared.lists.items():
        for row in rows:
            inner = row.get(key) if isinstance(row, dict) else None
            if isinstance(inner, list):
                _adopt_list(inner, prefix)


def _adopt_list(rows: list[Any], prefix: str) -> None:
    taken: set[str] = set()
    for position, row in enumerate(rows):
        if identity(row) is None and isinstance(row, dict):
            made = _made_from(row, prefix, taken)
            taken.add(made)
            rows[position] = {"id": made, **{key: value for key, value in row.items() if key != "id"}}


def _made_from(row: Row, prefix: str, taken: set[str]) -> str:
    content = orjson.dumps(row)
    made = ""
    while not made or made in taken:
        content = hashlib.sha256(content).digest()
        number = int.from_bytes(content[:8])
        made = f"{prefix}_0_{_base36(number)[-_TAIL:].rjust(_TAIL, '0')}"
    return made


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
