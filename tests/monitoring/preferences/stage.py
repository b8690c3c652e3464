"""People, forms and the file of the Settings page's tests."""

from __future__ import annotations

import dataclasses
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from influencer import effective
from monitoring.preferences import services
from monitoring.preferences.sections import SECTIONS

HTMX = {"HX-Request": "true"}
KEY = "AIza-key-of-the-tests-0123456789"


def free_of_fixed(settings: Any, **values: Any) -> None:
    """Nothing comes from the environment, but for `values` as a start's defaults."""
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, fixed=frozenset(), **values)


def client_of(username: str, **rights: bool) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(username, **rights))
    return client


def write(data_dir: Path, **content: Any) -> None:
    (data_dir / "settings.json").write_text(json.dumps(content))


def stored(data_dir: Path) -> dict[str, Any]:
    file = data_dir / "settings.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def seen(name: str) -> str:
    """What a form shown now would send along."""
    return services.marks(SECTIONS[name], effective.stored())


def save(client: Client, name: str, **values: Any) -> HttpResponse:
    """Send a section as a page loaded now would."""
    answer: Any = client.post(f"/settings/{name}/", {"seen": seen(name), **values}, headers=HTMX)
    return answer


def try_out(client: Client, name: str, **values: Any) -> str:
    """What the Test button says."""
    answer = client.post(f"/settings/{name}/test/", values, headers=HTMX)
    assert answer.status_code == 200, answer.content
    return words(answer)


def words(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())
