"""The Monitoring tab as a test asks for it: whole, or a part as htmx would."""

from __future__ import annotations

import re

from django.test import Client
from django.urls import reverse


def whole(client: Client, **query: str) -> str:
    answer = client.get(reverse("monitoring:page"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def part(client: Client, name: str, **query: str) -> str:
    """The part as it stands; nothing when the page is told that it has that already (204)."""
    headers = {"HX-Request": "true", "HX-Target": name}
    answer = client.get(reverse("monitoring:page"), query, headers=headers)
    assert answer.status_code in {200, 204}
    return answer.content.decode()


def shown_jobs(html: str) -> list[str]:
    return re.findall(r'id="row-(job_\w+)"', html)


def words(html: str) -> str:
    """What can be read there."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
