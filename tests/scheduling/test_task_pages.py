"""The Scheduling tab: head, list."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from influencer.jobs import health
from influencer.jobs.models import Beat
from tests.characters.factories import luna, signed_in
from tests.scheduling.plans import MINUTE, a_task

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client() -> Client:
    return signed_in()


def words(markup: bytes) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", markup.decode()).split())


def test_the_tab_stands_between_characters_and_prompts(client: Client) -> None:
    page = client.get("/scheduling/").content.decode()
    places = [page.index(f'href="/{name}/"') for name in ("characters", "scheduling", "prompts")]
    assert places == sorted(places)
    assert 'href="/scheduling/" aria-current="page"' in page


def test_the_list_shows_each_task(client: Client) -> None:
    a_task("0 18 * * *", character=luna(), timezone="Europe/Madrid")
    page = words(client.get("/scheduling/").content)
    assert "Luna" in page and "At 18:00 every day" in page


def test_the_head_says_when_the_clock_last_looked_and_who_works(client: Client) -> None:
    health.beat("clock")
    health.beat("default")
    said = words(client.get("/scheduling/pulse/", headers=HTMX).content)
    assert said.startswith("Running last looked just now 2 workers") and re.search(r", \d\d:\d\d$", said)


def test_a_clock_that_is_silent_is_said_loudly(client: Client) -> None:
    assert "never looked yet no worker answers" in words(client.get("/scheduling/pulse/").content)
    Beat.objects.create(name="clock", seen_at=timezone.now() - 3 * MINUTE)
    said = words(client.get("/scheduling/pulse/").content)
    assert "Stopped: no task runs by itself" in said and "last looked 3 min ago" in said
