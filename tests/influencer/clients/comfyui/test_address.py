"""Where a server is: prefixes, credentials, queries, and what is never sent."""

from __future__ import annotations

import base64

import pytest

from influencer.clients.comfyui.address import Address


@pytest.mark.parametrize(
    ("url", "http", "websocket"),
    [
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188/api/queue", "ws://127.0.0.1:8188/ws?clientId=a"),
        ("http://127.0.0.1:9000/comfyui/", "http://127.0.0.1:9000/comfyui/api/queue", None),
        ("https://gpu.example/x/api", "https://gpu.example/x/api/queue", "wss://gpu.example/x/ws?clientId=a"),
        ("http://[::1]:8188", "http://[::1]:8188/api/queue", "ws://[::1]:8188/ws?clientId=a"),
        (" http://box:8188/#flow ", "http://box:8188/api/queue", "ws://box:8188/ws?clientId=a"),
    ],
)
def test_calls_and_websocket_go_below_the_address(url: str, http: str, websocket: str | None) -> None:
    address = Address.parse(url)

    assert address.http("/queue") == http
    assert address.websocket("a") == (websocket or "ws://127.0.0.1:9000/comfyui/ws?clientId=a")


def test_user_and_password_become_a_header_and_are_never_shown() -> None:
    address = Address.parse("http://nina:p%40ss@box:8188/x")

    assert address.base == "http://box:8188/x"
    assert address.headers["Authorization"] == "Basic " + base64.b64encode(b"nina:p@ss").decode()
    assert "p%40ss" not in repr(address) and "Basic" not in repr(address)


def test_a_given_authorization_wins_over_the_one_in_the_address() -> None:
    address = Address.parse("http://nina:pass@box", {"authorization": "Bearer abc"})

    assert address.headers == {"authorization": "Bearer abc"}


def test_a_query_goes_along_with_every_request() -> None:
    address = Address.parse("https://pod.example/?token=a%20b")

    assert address.base == "https://pod.example"
    assert address.params == (("token", "a b"),)
    assert address.websocket("c") == "wss://pod.example/ws?clientId=c&token=a+b"


def test_headers_that_make_comfyui_refuse_are_dropped() -> None:
    address = Address.parse("http://box", {"Origin": "http://x", "HOST": "x", "X-API-Key": "k"})

    assert address.headers == {"X-API-Key": "k"}


@pytest.mark.parametrize("url", ["", "box:8188", "ftp://box", "http://", "http://box:99999", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(url)


@pytest.mark.parametrize("value", ["line\nbreak", "日本"])
def test_headers_that_can_t_be_sent_are_refused(value: str) -> None:
    with pytest.raises(ValueError):
        Address.parse("http://box", {"X-Key": value})
