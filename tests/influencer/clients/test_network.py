"""What a failed connection means, and what may be repeated of a platform's words."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, ProtocolError, ReadTimeoutError

from influencer.clients import network
from influencer.clients.platform import Call
from tests.influencer.clients.scripted_server import ScriptedServer

PUBLISH = Call("X", "publish", decisive=True, seconds=30)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(pem, pkcs8, plain))
    return paths


def test_a_certificate_nobody_trusts_stops_a_call_before_it_is_sent(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with ScriptedServer(context).running() as server, pytest.raises(requests.RequestException) as caught:
        requests.post(server.url, timeout=5)
    assert server.asked == []
    error = network.failed(caught.value, PUBLISH)
    assert (error.details["reason"], error.outcome_unknown) == ("unreachable", False)


@pytest.mark.parametrize(
    ("error", "reason", "unknown"),
    [
        (requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError())), "unreachable", False),
        (requests.exceptions.InvalidURL("no host"), "unreachable", False),
        (requests.ReadTimeout(ReadTimeoutError(None, "/", "late")), "timeout", True),
        (requests.ConnectionError(ReadTimeoutError(None, "/", "late")), "timeout", True),
        (requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())), "connection_lost", True),
        (requests.exceptions.SSLError(ssl.SSLEOFError()), "connection_lost", True),
        (requests.exceptions.ChunkedEncodingError("half"), "connection_lost", True),
        (requests.RequestException("new kind"), "connection_lost", True),
    ],
)
def test_a_call_is_harmless_only_when_it_surely_was_not_sent(
    error: requests.RequestException, reason: str, unknown: bool
) -> None:
    failure = network.failed(error, PUBLISH)
    assert (failure.details["reason"], failure.outcome_unknown) == (reason, unknown)


def test_the_sentence_names_the_seconds_waited() -> None:
    error = network.failed(requests.ReadTimeout(), PUBLISH)
    assert error.message == "X did not answer in 30 s; the post may exist."


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("The token topsecret1 is bad", "The token ******** is bad"),
        (
            "from this URI: https://img.example.org:8443/m/abc?sig=1#x now",
            "from this URI: img.example.org:8443 now",
        ),
        ("https://user:pw@example.org/a", "example.org"),
        ("http:///odd and http://[::1", "and [::1"),
        ("a\n\n b", "a b"),
        (None, ""),
        (5, "5"),
        ("x" * 1000, "x" * 300),
        ("no short key is masked", "no short key is masked"),
    ],
)
def test_a_platforms_words_lose_secrets_and_addresses(words: object, kept: str) -> None:
    assert network.harmless(words, "topsecret1", "key") == kept
