"""The frame's tests run on a small product of their own (`addresses.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from influencer.web import tabs
from tests.influencer.web import addresses


@pytest.fixture(autouse=True)
def small_product(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tabs, "_tabs", {})
    tabs.register(tabs.Tab(10, "Pages", "page", "users"))
    settings.ROOT_URLCONF = "tests.influencer.web.addresses"
    addresses.made.clear()
    addresses.failures.clear()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def owner(db: None) -> Any:
    return addresses.make_user()


@pytest.fixture
def signed_in(owner: Any) -> Client:
    client = Client()
    client.force_login(owner)
    return client
