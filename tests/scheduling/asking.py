"""What a browser sends of the task form, and what a page says."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from scheduling.editor import EditorForm

HTMX = {"HX-Request": "true"}


def sent(form: EditorForm, **said: Any) -> dict[str, Any]:
    """What a browser would send of the form as it is shown, and what was typed over it (None: nothing)."""
    shown = {bound.name: bound.value() for bound in form}
    filled = {name: value for name, value in shown.items() if value not in (None, False, "", [])}
    texts = {name: "on" if value is True else value for name, value in filled.items()}
    given = {"digest": form.digest, **texts, **said}
    return {name: value for name, value in given.items() if value is not None}


def words(markup: bytes) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup.decode())).split())


def toast(answer: Any) -> str:
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["message"])


def events(answer: Any) -> set[str]:
    """What an answer tells the page, beside its toast."""
    return set(json.loads(answer.headers["HX-Trigger"])) - {"toast"}
