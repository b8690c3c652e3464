"""`/api/characters` from a test's side."""

from __future__ import annotations

from typing import Any

from django.test import Client

from characters.models import Character

URL = "/api/characters"
JSON = "application/json"


def post(api: Client, content: Any = None, **headers: str) -> Any:
    given = {"name": "Luna", "personality": "Dreamy"} if content is None else content
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.post(URL, given, content_type=JSON, headers=named)


def put(api: Client, character: Any, /, **fields: Any) -> Any:
    pk = character.pk if isinstance(character, Character) else character
    return api.put(URL, {"id": pk, **fields}, content_type=JSON)


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["success"], found["code"]) == (status, False, code), found
    assert found["error"]
    return found
