"""Whether something answers at an address, and the right thing: for the Test buttons. No key is sent."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests

from influencer.clients import network
from influencer.clients.platform import Call, PlatformError

log = logging.getLogger(__name__)

GRAPH_URL = "https://graph.instagram.com"
BYTES = 4096


@dataclass(frozen=True)
class Page:
    """What came back: the status, the beginning of the body, where a redirect leads."""

    status: int
    text: str
    location: str = ""


def graph(base_url: str, version: str, *, seconds: float) -> str:
    """The address at which Meta's Graph answered. Raises `PlatformError`.

    Without a token it refuses, in words that nothing else says.
    """
    root = base_url or GRAPH_URL
    call = Call("Instagram", "reach", seconds=seconds)
    body = _refusal(f"{root}/{version}/me", call)
    if not isinstance(body.get("error"), dict):
        raise PlatformError(network.MISDIRECTED, call)
    return root


def x(base_url: str, *, seconds: float) -> str:
    """The address at which X's API answered. Raises `PlatformError`."""
    call = Call("X", "reach", seconds=seconds)
    body = _refusal(f"{base_url}/2/users/me", call)
    if not {"title", "errors"} & body.keys():
        raise PlatformError(network.MISDIRECTED, call)
    return base_url


def page(url: str, *, service: str, seconds: float) -> Page:
    """What is at an address; a redirect is told, not followed. Raises `PlatformError`."""
    call = Call(service, "reach", seconds=seconds)
    response = _get(url, call)
    location = response.headers.get("Location", "") if response.is_redirect else ""
    return Page(response.status_code, response.text[:BYTES], urljoin(url, location) if location else "")


def _refusal(url: str, call: Call) -> dict[str, Any]:
    response = _get(url, call)
    body = network.json_object(response)
    if body is None:
        raise network.unreadable(response.status_code, call)
    return body


def _get(url: str, call: Call) -> requests.Response:
    network.refuse_forbidden(url, call)
    started, outcome = time.monotonic(), "no answer"
    try:
        with requests.Session() as session:
            session.trust_env = False
            limits = (call.seconds, call.seconds)
            response = session.get(url, timeout=limits, allow_redirects=False, stream=True)
            response._content = response.raw.read(BYTES, decode_content=True)
        outcome = f"ok {response.status_code}"
        return response
    except requests.RequestException as error:
        raise network.failed(error, call) from error
    finally:
        network.log_call(log, call, started, outcome)
