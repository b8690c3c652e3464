"""Whether the address of the media links opens from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from influencer.clients import media_host
from influencer.clients.media_host import Reach
from tests.influencer.clients.scripted_server import ScriptedServer


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example.org",
        "http://media.example.org:8443/studio",
        "https://93.184.216.34",
        "https://[2606:2800:220:1:248:1893:25c8:1946]",
    ],
)
def test_an_address_of_the_internet_is_fine(url: str) -> None:
    assert media_host.fault(url) == ""


def test_without_one_the_fix_is_said() -> None:
    assert "Set PUBLIC_BASE_URL" in media_host.fault("")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://192.168.1.5",
        "https://10.0.0.5",
        "https://169.254.1.1",
        "https://100.64.0.1",
        "http://studio",
        "https://studio.local",
        "https://studio.lan.",
    ],
)
def test_one_of_this_network_only_is_named(url: str) -> None:
    assert "this network only" in media_host.fault(url)


@pytest.mark.parametrize(
    "url",
    [
        "media.example.org",
        "ftp://media.example.org",
        "https://",
        "https://media.example.org:port",
        "https://media.example.org:0",
        "https://media.example.org?key=1",
        "https://media.example.org#top",
        "https://media example.org",
        "https://mädia.example.org",
        "https://[::1",
    ],
)
def test_what_is_no_address_says_how_one_looks(url: str) -> None:
    assert "It must look like" in media_host.fault(url)


def test_a_password_in_it_is_refused_and_not_repeated() -> None:
    said = media_host.fault("https://user:hunter2@media.example.org")
    assert "It must look like" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000", "nonsense"])
def test_a_stand_in_on_this_machine_takes_any(url: str) -> None:
    assert media_host.fault(url, graph_url="http://127.0.0.1:9000/instagram") == ""
    assert media_host.fault(url, graph_url="https://graph.example.org") != ""


def test_a_bucket_of_this_network_only_is_named_by_its_own_setting() -> None:
    said = media_host.fault("http://192.168.1.9:9000", name="MEDIA_S3_URL")
    assert said.startswith("MEDIA_S3_URL (192.168.1.9) opens in this network only.")


# --- fetching as Instagram would -------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def test_a_jpeg_is_what_should_come(server: ScriptedServer) -> None:
    server.answer(b"a jpeg", Content_Type="image/jpeg")
    assert media_host.fetch(f"{server.url}/m/x.jpg", inner=True) == Reach()


@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (200, {"Content_Type": "text/html; charset=utf-8"}, "text/html in place of the image"),
        (302, {"Location": "https://login.example.org/"}, "leads on to another address"),
        (401, {}, "asks for a sign-in"),
        (403, {}, "asks for a sign-in or a browser check"),
        (404, {}, "answers 404 where the image should be"),
    ],
)
def test_anything_else_is_said_for_certain(
    server: ScriptedServer, status: int, headers: dict[str, str], sentence: str
) -> None:
    server.answer(b"<html>", status=status, **headers)
    found = media_host.fetch(f"{server.url}/m/secret.jpg", inner=True)
    assert sentence in found.fault
    assert found.certain
    assert "secret" not in found.fault


def test_trouble_on_the_way_is_not_certain(server: ScriptedServer) -> None:
    server.answer(b"", status=502)
    server.reset()
    server.stay_silent()
    for _ in range(3):
        found = media_host.fetch(f"{server.url}/m/x.jpg", inner=True, seconds=0.3)
        assert found.fault and not found.certain


def test_a_name_that_leads_into_this_network_may_lead_elsewhere_from_outside(server: ScriptedServer) -> None:
    server.answer(b"a jpeg", Content_Type="image/jpeg")
    found = media_host.fetch(f"{server.url}/m/x.jpg")
    assert "is 127.0.0.1 in this network" in found.fault
    assert not found.certain
