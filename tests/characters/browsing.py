"""The Characters tab as htmx asks for it, and what an answer says."""

from __future__ import annotations

import json
import re
from typing import Any

LIST = "/characters/"


def htmx(target: str = "dialog", page: str = LIST) -> dict[str, str]:
    return {
        "HX-Request": "true",
        "HX-Target": target,
        "HX-Current-URL": f"http://testserver{page}",
    }


def names(answer: Any) -> list[str]:
    return [card.character.name for card in answer.context["cards"]]


def text(answer: Any) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def toast(answer: Any) -> str:
    return str(json.loads(answer["HX-Trigger"])["toast"]["message"])
