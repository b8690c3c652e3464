"""What the tests of the status share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from monitoring.checks import accounts, gemini


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    for known in (accounts._known, gemini._known):
        known.clear()
    yield
    for known in (accounts._known, gemini._known):
        known.clear()


@pytest.fixture
def owner(client: Client) -> Client:
    """Someone who is signed in."""
    client.force_login(User.objects.create_superuser("owner"))
    return client
