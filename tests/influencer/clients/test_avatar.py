"""An account's image: fetched small, or left away."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image

from influencer.clients import avatar
from tests.influencer.clients.scripted_server import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def picture(width: int = 640, height: int = 320) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "JPEG")
    return file.getvalue()


def test_an_image_becomes_a_small_square_in_a_few_kilobytes(server: ScriptedServer) -> None:
    server.answer(picture())
    found = avatar.data_url(f"{server.url}/a.jpg", base_url=server.url)
    kind, _, content = found.partition(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (96, 96)
    assert len(found) < 5000


def test_nothing_is_fetched_over_http_from_elsewhere(server: ScriptedServer) -> None:
    assert avatar.data_url(f"{server.url}/a.jpg", base_url="http://127.0.0.1:1/instagram") == ""
    assert avatar.data_url("") == ""
    assert not server.asked


@pytest.mark.parametrize("body", [b"no image", b"\xff" * (avatar.MOST_BYTES + 1)])
def test_what_is_no_image_or_too_large_is_left_away(server: ScriptedServer, body: bytes) -> None:
    server.answer(body)
    assert avatar.data_url(f"{server.url}/a.jpg", base_url=server.url) == ""


def test_an_image_that_is_gone_is_left_away(server: ScriptedServer) -> None:
    server.answer(b"", status=404)
    assert avatar.data_url(f"{server.url}/a.jpg", base_url=server.url) == ""


def test_a_server_that_is_not_there_brings_no_image() -> None:
    assert avatar.data_url("http://127.0.0.1:9/a.jpg", base_url="http://127.0.0.1:9") == ""


def test_an_address_where_credentials_are_kept_is_never_asked() -> None:
    assert avatar.data_url("https://169.254.169.254/a.jpg", base_url="https://169.254.169.254") == ""
