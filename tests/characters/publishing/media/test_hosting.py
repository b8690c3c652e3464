"""Media links while no web server runs: only those, and only for as long as they are needed."""

from __future__ import annotations

import dataclasses
import logging
import socket
from typing import Any

import pytest
import requests

from characters.publishing.media import hosting, links
from characters.publishing.models import Post
from influencer.errors import Unavailable
from tests.characters.people import someone
from tests.running import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def base(settings: Any) -> str:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, port=free_port())
    return str(settings.INFLUENCER.own_url)


def status(url: str) -> int:
    return requests.get(url, timeout=10).status_code


def test_an_open_link_answers_with_the_picture_and_nothing_else_is_served(base: str) -> None:
    post = Post.objects.create(key="k", character_id=someone().pk, platform="instagram", account="a")
    link = links.create(post, b"the picture")
    with hosting.media_links():
        assert requests.get(link, timeout=10).content == b"the picture"
        links.revoke(post)
        assert status(link) == 404
        assert [status(f"{base}{path}") for path in ("/", "/login/", "/admin/", "/api/characters")] == [
            404
        ] * 4
    with pytest.raises(requests.ConnectionError):
        status(link)


def test_where_the_product_answers_already_nothing_is_opened(base: str, caplog: Any) -> None:
    with hosting.media_links(), hosting.media_links():
        assert status(f"{base}/m/none.jpg") == 404
    assert base not in caplog.text


def test_links_are_in_no_log(base: str, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with hosting.media_links():
        status(f"{base}/m/secret-token.jpg")
    written = "".join(record.getMessage() for record in caplog.records if record.name.startswith("django"))
    assert "GET /m/secret-token" not in written + "".join(capfd.readouterr())


def test_a_port_that_can_not_be_opened_is_one_sentence(settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and silent: nobody answers there
        port = taken.getsockname()[1]
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, port=port)
        with pytest.raises(Unavailable, match="INFLUENCER_PORT"), hosting.media_links():
            pytest.fail("the block was entered")
