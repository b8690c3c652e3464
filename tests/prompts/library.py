"""A library with prompts in it."""

from __future__ import annotations

from typing import Any

import orjson

from influencer import paths
from prompts.models import Prompt


def prompt(text: str = "luna_character in a magical forest", **fields: Any) -> Prompt:
    made: Prompt = Prompt.objects.create(prompt=text, **fields)
    return made


def rows() -> list[dict[str, Any]]:
    """What lies in the file."""
    found: list[dict[str, Any]] = orjson.loads((paths.data_dir() / "prompts.json").read_bytes())
    return found


def write(*records: dict[str, Any]) -> None:
    """Put records into the file as a person with an editor would."""
    (paths.data_dir() / "prompts.json").write_bytes(orjson.dumps(list(records), option=orjson.OPT_INDENT_2))
