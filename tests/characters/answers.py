"""Answers as a person reads them."""

from __future__ import annotations

import re
from typing import Any


def said(answer: Any) -> str:
    """The page in one line."""
    return re.sub(r"\s+", " ", answer.content.decode())
