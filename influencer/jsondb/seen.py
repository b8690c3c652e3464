"""What a person saw of a record: to notice, when they save, that someone else has saved meanwhile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

SIZE = 6
LINE_BREAK = re.compile(r"\r\n?")


def mark(value: Any) -> str:
    """A short hash of a field's value: the same for what looks the same in a form."""
    text = "" if value is None else as_shown(str(value))
    return hashlib.blake2b(text.encode(), digest_size=SIZE).hexdigest()


def marks(values: Iterable[Any]) -> str:
    """The marks of several fields as one text, for a hidden input."""
    return ".".join(map(mark, values))


def as_shown(text: str) -> str:
    """A text without what gets lost on its way through a browser: outer space, kinds of line breaks."""
    return LINE_BREAK.sub("\n", text).strip()
