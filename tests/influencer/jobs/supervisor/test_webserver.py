"""How the web server is set up, and what is said about where it answers."""

from __future__ import annotations

import dataclasses
import socket
import threading
from typing import Any

import pytest

from influencer.jobs.supervisor import webserver
from influencer.jobs.supervisor.announcing import answers
from influencer.jobs.supervisor.screen import addresses


def test_without_a_proxy_forwarded_headers_are_thrown_away(settings: Any) -> None:
    found = webserver._adjustments()
    assert found["clear_untrusted_proxy_headers"] is True
    assert "trusted_proxy" not in found
    assert found["threads"] >= 12
    assert found["ident"] is None


def test_a_trusted_proxys_headers_count(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, trusted_proxy="10.0.0.1")
    found = webserver._adjustments()
    assert found["trusted_proxy"] == "10.0.0.1"
    assert "x-forwarded-proto" in found["trusted_proxy_headers"]


def test_only_a_server_for_the_whole_network_has_further_addresses() -> None:
    assert addresses("127.0.0.1", 8000) == []
    assert all(address.endswith(":8000") for address in addresses("0.0.0.0", 8000))


@pytest.mark.parametrize(
    ("said", "up"), [(b"HTTP/1.1 503 No\r\n\r\n", True), (b"SSH-2.0\r\n", False), (b"", False)]
)
def test_any_http_answer_counts_as_up(said: bytes, up: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        assert answers("127.0.0.1", server.getsockname()[1]) is up
        thread.join()


def test_nothing_there_is_not_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert answers("127.0.0.1", port) is False
