"""A data folder with characters in it, and someone who looks at them."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.test import Client

from characters.models import Character, Narrative
from influencer import paths

HERE = Path(__file__).parent
LEGACY = HERE / "legacy_characters.json"
DOCUMENTED = HERE.parent / "documented" / "characters.json"
INSTAGRAM = {"instagram_account_id": "17841400000000001", "instagram_api_key": "IGAA-plain-token"}
X = {
    "twitter_app_key": "app-key",
    "twitter_app_secret": "app-secret",
    "twitter_access_token": "12345-token",
    "twitter_access_secret": "access-secret",
}


def luna(**fields: Any) -> Character:
    return Character.objects.create(**{"name": "Luna", "personality": "Dreamy"} | fields)


def chapter(character: Character, title: str = "The Crystal Quest", **fields: Any) -> Narrative:
    return Narrative.objects.create(character=character, title=title, **fields)


def file() -> Path:
    return paths.data_dir() / "characters.json"


def rows() -> list[dict[str, Any]]:
    """What lies in the file."""
    found: list[dict[str, Any]] = orjson.loads(file().read_bytes())
    return found


def row(pk: str) -> dict[str, Any]:
    return next(row for row in rows() if str(row.get("id")) == pk)


def write(*records: dict[str, Any]) -> None:
    """Put records into the file as a person with an editor would."""
    file().write_bytes(orjson.dumps(list(records), option=orjson.OPT_INDENT_2))


def signed_in(name: str = "owner", **options: Any) -> Client:
    user, _ = User.objects.get_or_create(username=name)
    client = Client(**options)
    client.force_login(user)
    return client


def filled(page: bytes | str, form_id: str = "") -> dict[str, str]:
    """What a browser would send of a form of the page, left as it is."""
    text = page.decode() if isinstance(page, bytes) else page
    if form_id:
        text = re.search(rf'<form[^>]*id="{form_id}".*?</form>', text, re.DOTALL)[0]  # type: ignore[index]
    return {**_inputs(text), **_areas(text)}


def _inputs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", text):
        name, value = _attribute(tag, "name"), _attribute(tag, "value")
        is_box = 'type="checkbox"' in tag
        if name and (not is_box or re.search(r"\bchecked\b", tag)):
            found[name] = value if value or not is_box else "on"
    return found


def _areas(text: str) -> dict[str, str]:
    areas = re.findall(r'<textarea\b[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', text, re.DOTALL)
    return {name: html.unescape(content).replace("\n", "\r\n") for name, content in areas}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""
