"""Whether the address of the media links can be reached by those who fetch from it."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

SET_IT = (
    "Set PUBLIC_BASE_URL, or the public address in the settings, to an address of this computer that "
    "opens from outside."
)
# Names that lead nowhere outside the network they are used in (RFC 6761, RFC 6762, RFC 8375).
INNER_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa", ".test", ".invalid", ".example")


def fault(base_url: str, *, graph_url: str = "") -> str:
    """Why Instagram at `graph_url` (empty: the real one) can't fetch from `base_url`; empty when it can.

    Judged by the address alone: nothing is asked.
    """
    if graph_url and _is_inner(urlsplit(graph_url).hostname or ""):
        return ""
    if not base_url:
        return f"Instagram can't fetch images from here. {SET_IT}"
    parts = _split(base_url)
    if parts is None:
        return "PUBLIC_BASE_URL is no address. It must look like https://media.example.org."
    if _is_inner(parts.hostname or ""):
        return f"PUBLIC_BASE_URL ({parts.hostname}) opens in this network only. {SET_IT}"
    return ""


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
