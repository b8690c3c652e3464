"""The sandbox, a dashboard that serves media links to it, and a character with an image."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import posting
from characters.publishing.models import Post
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.jobs import services as jobs
from influencer.web import tokens
from tests.characters.opening import open_product
from tests.characters.people import someone
from tests.characters.publishing.realm import pretend
from tests.characters.stage import Stage, drawn, sandbox_at, see_through

__all__ = ["open_product"]

PLATFORMS = ["instagram", "x"]


@pytest.fixture
def stage(data_dir: Path, settings: Any, live_server: Any) -> Iterator[Stage]:
    """The sandbox beside a dashboard that really answers."""
    port = urlsplit(live_server.url).port
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, host="localhost", port=port)
    with sandbox_at(data_dir, live_server.url) as stage:
        yield stage


@pytest.fixture
def pretended(data_dir: Path, settings: Any) -> Iterator[Stage]:
    """The sandbox, taken for the real platforms; no dashboard serves it pictures."""
    with sandbox_at(data_dir) as stage:
        pretend(settings, stage)
        yield stage


@pytest.fixture
def client() -> Iterator[Client]:
    """Somebody who has signed in; whoever waits for a job runs it."""
    client = Client()
    client.force_login(User.objects.create_user("owner", password="x" * 12))
    with jobs.working_here():
        yield client


@pytest.fixture
def luna() -> Character:
    return someone(instagram_handle="@luna_mystic", twitter_handle="@luna_x", width=64, height=64, steps=2)


@pytest.fixture
def image(luna: Character) -> Image:
    """An own picture, which may go anywhere."""
    return images.add(luna.pk, drawn(400, 500))


@pytest.fixture
def start(luna: Character, image: Image) -> Any:
    """Start to post that picture; the words may be given."""

    def start(platform: str = "instagram", caption: str = "Good morning", **more: Any) -> Post:
        wanted = {"image_id": image.pk, **more}
        return posting.start(luna, Intention(platform=Platform(platform), caption=caption, **wanted))

    return start


@pytest.fixture
def unknown(stage: Stage, start: Any) -> Post:
    """A post without words nobody knows the outcome of: X would not refuse a second one."""
    stage.order("x", "error_before")
    post = start("x", "")
    see_through(post.job_id)
    post.refresh_from_db()
    return post


@pytest.fixture
def hurried(settings: Any) -> None:
    """Nothing is waited for between tries, and an unknown outcome is asked about once, at once."""
    settings.PUBLISHING = {"gap": 0, "backoff": [0], "looks": [0]}


@pytest.fixture
def call() -> Any:
    """Ask the API as its owner: method, path, body, headers with `_` for `-`."""
    User.objects.create_superuser("owner", password="x" * 12)
    token = tokens.make("test", username="owner")

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token}"
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(path, headers=sent, **content)

    return call
