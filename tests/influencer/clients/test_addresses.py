"""Where nothing is ever sent, in whatever spelling, and how an address with a password is shown."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from influencer.clients import addresses, network
from influencer.clients.comfyui import ComfyUI, Timeouts
from influencer.clients.comfyui.address import Address
from influencer.clients.comfyui.live import Live, SocketGone
from influencer.clients.comfyui.transport import Call as ComfyCall
from influencer.clients.comfyui.transport import Transport
from influencer.clients.credentials import InstagramCredentials, XCredentials
from influencer.clients.errors import ServiceError
from influencer.clients.instagram import Instagram
from influencer.clients.platform import Call, PlatformError
from influencer.clients.writers.gemini import Gemini
from influencer.clients.x import X

METADATA = "http://169.254.169.254"
ALLOWED = [
    "http://127.0.0.1:8188",
    "http://[::1]:8188",
    "http://localhost:8188/comfy",
    "http://192.168.1.20:8188",
    "http://10.0.0.5",
    "http://172.16.4.4",
    "http://[fd12:3456::1]",
    "https://user:password@192.168.1.20/?token=t",
    "https://8.8.8.8",
]
REFUSED = [
    "http://169.254.169.254",
    "http://169.254.169.254:80/latest/meta-data",
    "https://169.254.0.1",
    "http://user:password@169.254.169.254/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[febf::1]:8188/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata/",
    "http://①⑥⑨.254.169.254/",
    "http://169。254。169。254/",
]
ODD = [
    "",
    "192.168.1.20:8188",
    "ftp://192.168.1.20",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "http://:8188",
    "http://host:0",
    "http://host:99999",
    "http://host:port",
    "http://[::1",
    "http://a host",
    "http://host\\@169.254.169.254",
    "http://host\n.example.org",
    "http://host#fragment",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_this_machine_its_network_and_the_world_may_be_asked(url: str) -> None:
    assert addresses.fault(url) == ""
    assert addresses.shape_fault(url, login=True) == ""


@pytest.mark.parametrize("url", REFUSED)
def test_link_local_and_metadata_addresses_are_refused_in_every_spelling(url: str) -> None:
    assert "nothing is sent there" in addresses.fault(url)


@pytest.mark.parametrize("url", ODD)
def test_what_is_no_address_says_how_one_looks(url: str) -> None:
    assert addresses.fault(url) == addresses.shape_fault(url) == addresses.ODD


@pytest.mark.parametrize("answer", ["169.254.169.254", "fe80::5%2", "::ffff:169.254.1.1"])
def test_a_name_that_leads_there_is_refused(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    resolves(monkeypatch, "93.184.216.34", answer)
    assert "nothing is sent there" in addresses.fault("http://harmless.example.org")


def test_a_name_that_leads_nowhere_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert addresses.fault("http://gone.example.org") == ""


def test_a_name_that_resolves_elsewhere_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "192.168.1.20")
    assert addresses.fault("http://studio.lan:8188") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://studio:8188", "http://studio:8188"),
        ("http://ann:pass@studio:8188/comfy", "http://********@studio:8188/comfy"),
        ("https://studio/?token=t-0-k-e-n", "https://studio/?********"),
        ("http://ann:p@ss@studio", "http://********@studio"),
        ("http://ann:pass@[::1", "********"),
    ],
)
def test_passwords_and_tokens_are_masked(url: str, shown: str) -> None:
    assert addresses.masked(url) == shown
    assert addresses.holds_secret(url) is (shown != url)


def test_only_where_it_is_allowed_may_an_address_hold_a_password() -> None:
    assert "no user, password" in addresses.shape_fault("https://ann:pass@graph.example.org")
    assert addresses.shape_fault("https://ann:pass@graph.example.org", login=True) == ""


# At use: each client refuses before anything leaves.


@pytest.fixture
def nothing_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("A connection was opened.")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("nothing_connects")
def test_comfyui_is_not_asked_there() -> None:
    with ComfyUI(METADATA) as client, pytest.raises(ServiceError) as caught:
        client.system_stats()
    assert caught.value.code == "refused_address"
    assert "settings" in caught.value.fix


@pytest.mark.usefixtures("nothing_connects")
def test_neither_a_redirect_to_a_file_store_nor_a_websocket_leads_there() -> None:
    transport = Transport(Address.parse("http://127.0.0.1:8188"), Timeouts())
    with pytest.raises(ServiceError) as caught:
        transport.fetch_elsewhere(f"{METADATA}/image.png", ComfyCall("GET", "/view", {}, 5.0))
    assert caught.value.code == "refused_address"
    with pytest.raises(SocketGone):
        Live.open(Address.parse(METADATA), "client", 5.0)


@pytest.mark.usefixtures("nothing_connects")
def test_instagram_and_x_are_not_asked_there() -> None:
    instagram = Instagram(InstagramCredentials("1784", "IGAA-token"), base_url=METADATA)
    x = X(XCredentials("a", "b", "1-c", "d"), base_url="http://[fe80::1]")
    for client in (instagram, x):
        with pytest.raises(PlatformError) as caught:
            client.account()
        assert caught.value.code == "refused_address"
        assert not caught.value.retryable


@pytest.mark.usefixtures("nothing_connects")
def test_gemini_is_not_asked_there() -> None:
    with pytest.raises(ServiceError) as caught:
        Gemini("AIza-key", base_url=METADATA, seconds=20).models()
    assert caught.value.code == "refused_address"


def test_a_publishing_call_that_was_refused_has_certainly_not_happened() -> None:
    with pytest.raises(PlatformError) as caught:
        network.refuse_forbidden(METADATA, Call("X", "publish", decisive=True))
    assert caught.value.outcome_unknown is False


def resolves(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    def answer(host: str, port: Any, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
