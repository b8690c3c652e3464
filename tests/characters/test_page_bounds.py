"""The pages of the tab touch as little with a thousand characters as with a few."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from characters.images.models import Image
from characters.publishing.models import Post
from tests.benchmarks.bench_pages import PAGES, SOME, counting_reads, furnish, touched

pytestmark = pytest.mark.django_db
# Two for the session and its user, and two for what waits for a person, in the tabs of every page.
QUERIES = {
    "tab page": 12,
    "tab page, searched and sorted": 12,
    "character page": 19,
    "edit dialog": 4,
    "API, page of 50": 2,
    "API, all": 2,
}


def forget() -> None:
    for model in (Image, Post, Session, User):
        model.objects.all().delete()


@pytest.fixture
def counted() -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """For each page queries and file reads, with 60 and with 1,000 characters."""
    found: dict[str, Any] = {}
    for number in (60, 1000):
        forget()
        client = furnish(number, images=2, posts=1)
        for page, address in PAGES.items():
            address = address.replace("000000500", "000000050").replace("&page=3", "")
            client.get(address)
            found.setdefault(page, []).append(touched(client, address)[:2])
    return found


def test_queries_and_file_reads_do_not_grow_with_the_characters(counted: Any) -> None:
    for page, (few, many) in counted.items():
        assert few == many, page


def test_queries_and_file_reads_are_few(counted: Any) -> None:
    for page, (_, (queries, reads)) in counted.items():
        assert queries <= QUERIES[page], page
        assert reads <= 2, page


def test_the_file_of_characters_is_read_once_while_it_is_the_same() -> None:
    client = furnish(3)
    address = f"/characters/{SOME.replace('500', '001')}/"
    client.get(address)
    with counting_reads() as opened:
        for page in ("/characters/", address, "/api/characters"):
            client.get(page)
    assert not [name for name in opened if name.endswith("characters.json")]
