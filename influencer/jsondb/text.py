"""JSON text: read strictly, written readably, never with a value that would come back changed."""

from __future__ import annotations

import gc
import json
import math
from typing import Any

import orjson

from influencer.errors import Invalid

BOM = b"\xef\xbb\xbf"
_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SHAPES: dict[Any, str] = {list: "a list [ … ]", dict: "an object { … }"}


class Unreadable(Exception):
    """Why a file's bytes are no usable JSON, and where (0 when the place is not known)."""

    def __init__(self, reason: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


def parse(content: bytes, shape: type) -> Any:
    """The list or object in a file. A byte order mark is accepted, for Windows editors.

    Raises `Unreadable` for anything that could not be written back unchanged.
    """
    content = content.removeprefix(BOM)
    if not content or content.isspace():
        raise Unreadable("The file is empty.")
    try:
        value = _loads(content)
    except orjson.JSONDecodeError as error:
        raise _located(content, error) from None
    if type(value) is not shape:
        raise Unreadable(f"The file should hold {_SHAPES[shape]} and holds something else.", line=1, column=1)
    refuse_huge_numbers(content)
    return value


def render(value: Any) -> bytes:
    """The bytes of a file: indented, one final newline."""
    return orjson.dumps(value, option=_READABLE)


def pure(value: Any) -> Any:
    """An independent copy that holds nothing but JSON.

    Raises `Invalid` for what JSON can't carry: NaN, integers over 64 bit, broken Unicode.
    """
    try:
        content = orjson.dumps(value)
    except TypeError as error:
        raise Invalid(f"This can't be stored as JSON: {error}.") from error
    if b"null" in content and _holds_nan(value):
        raise Invalid("This can't be stored as JSON: it holds a number that is infinite or not a number.")
    return orjson.loads(content)


def _loads(content: bytes) -> Any:
    """Parse with the garbage collector at rest: it would look through the new objects again and again."""
    active = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(content)
    finally:
        if active:
            gc.enable()


def _holds_nan(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_nan, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_nan, value))


def _located(content: bytes, error: orjson.JSONDecodeError) -> Unreadable:
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start]
        column = wrong.start - before.rfind(b"\n")
        return Unreadable("A character is not valid UTF-8.", line=before.count(b"\n") + 1, column=column)
    reason = error.msg[:1].upper() + error.msg[1:] + "."
    return Unreadable(reason, line=error.lineno, column=error.colno)


def _may_hold_huge_number(content: bytes) -> bool:
    """Whether a run of digits is long enough to overflow 64 bit: about 1 ms for a megabyte."""
    zeros = content.translate(_DIGITS)
    return b"0" * 20 in zeros or b"-" + b"0" * 19 in zeros


def refuse_huge_numbers(content: bytes) -> None:
    """orjson would turn such an integer into a float, silently, and the next write would keep that.

    Raises `Unreadable`.
    """
    if not _may_hold_huge_number(content):
        return

    def checked(digits: str) -> int:
        if not -(2**63) <= int(digits) < 2**64:
            line = content[: content.find(digits.encode())].count(b"\n") + 1
            raise Unreadable(f"The number {digits[:24]} is longer than 64 bit.", line=line)
        return int(digits)

    json.loads(content, parse_int=checked)
