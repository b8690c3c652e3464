"""Where the JPEG of a post lies while its platform fetches it, and whether it can be fetched there."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

import requests

SET_IT = "Set {name} to an address of this computer that opens from outside, or MEDIA_S3_URL to a bucket."
# Names that lead nowhere outside the network they are used in (RFC 6761, RFC 6762, RFC 8375).
INNER_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa", ".test", ".invalid", ".example")
FETCH_SECONDS = 4.0


class MediaHost(Protocol):
    """Keeps a JPEG where a platform can fetch it, and only for as long as it is needed."""

    def put(self, name: str, jpeg: bytes, *, seconds: int) -> str:
        """Keep the JPEG under that name; its public address, good for so many seconds."""
        ...

    def remove(self, name: str) -> None:
        """Take it away for good; a name that is not there is no error."""
        ...


@dataclass(frozen=True)
class Reach:
    """What came of fetching an address as Instagram would. No `fault`: a JPEG came.

    Not `certain`: this computer could not tell; from outside it may be different.
    """

    fault: str = ""
    certain: bool = True


def fault(base_url: str, *, graph_url: str = "", name: str = "PUBLIC_BASE_URL") -> str:
    """Why Instagram at `graph_url` (empty: the real one) can't fetch from `base_url`; empty when it can.

    Judged by the address alone: nothing is asked. `name` is the setting that holds it.
    """
    if is_on_this_side(graph_url):
        return ""
    set_it = SET_IT.format(name=name)
    if not base_url:
        return f"Instagram can't fetch images from here. {set_it}"
    parts = _split(base_url)
    if parts is None:
        return f"{name} is no address. It must look like https://media.example.org."
    if _is_inner(parts.hostname or ""):
        return f"{name} ({parts.hostname}) opens in this network only. {set_it}"
    return ""


def is_on_this_side(graph_url: str) -> bool:
    """Whether that Graph address is a stand-in in this network, which can fetch from here."""
    return bool(graph_url) and _is_inner(urlsplit(graph_url).hostname or "")


def fetch(url: str, *, inner: bool = False, seconds: float = FETCH_SECONDS) -> Reach:
    """Fetch the address as Instagram would: no sign-in, no redirect, an image/jpeg.

    `inner`: who fetches is in this network as well. The address itself is in no answer.
    """
    host = urlsplit(url).hostname or ""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=(seconds, seconds), allow_redirects=False, stream=True) as answer:
                answered = _judged(answer, host)
    except requests.RequestException:
        return Reach(f"{host} does not answer this computer.", certain=False)
    if not answered.fault and not inner and (where := _inner_address(host)):
        return Reach(f"{host} is {where} in this network; from outside it must lead here too.", certain=False)
    return answered


def _judged(answer: requests.Response, host: str) -> Reach:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip() or "nothing"
    if answer.is_redirect:
        return Reach(f"{host} leads on to another address, and Instagram does not follow.")
    if answer.status_code in {401, 403}:
        return Reach(f"{host} asks for a sign-in or a browser check before it gives the image.")
    if answer.status_code >= 500:
        return Reach(f"{host} answers {answer.status_code}.", certain=False)
    if answer.status_code != 200:
        return Reach(f"{host} answers {answer.status_code} where the image should be.")
    if kind != "image/jpeg":
        return Reach(f"{host} answers with {kind} in place of the image, as tunnels with a notice page do.")
    return Reach()


def _inner_address(host: str) -> str:
    """The address of this network a public name leads to here; empty when it leads outside."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, None)]
    except OSError:
        return ""
    return next((address for address in found if _is_inner(address)), "")


def _split(url: str) -> SplitResult | None:
    """The parts of an address a path can be put behind; None when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    written = url.isascii() and not any(sign.isspace() for sign in url)
    known = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return parts if known and plain and written else None


def _is_inner(host: str) -> bool:
    """Whether a host is this machine or its own network."""
    host = host.lower().rstrip(".")
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(INNER_NAMES)
