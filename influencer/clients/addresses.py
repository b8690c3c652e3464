"""Which addresses this product may send anything to, and how one is shown that holds a password.

Refused are those where a cloud keeps its machines' credentials: link-local ones (RFC 3927, RFC 4291)
and the metadata services beside them. The own network is allowed: ComfyUI is usually there.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit, urlunsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MASK = "********"
ODD = "An address starts with http:// or https:// and names a host, like http://192.168.1.20:8188."
REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
        "fd00:ec2::254/128",  # AWS
        "fd20:ce::254/128",  # Google Cloud
    )
)
REFUSED_NAMES = frozenset({"metadata", "metadata.goog", "metadata.google.internal", "instance-data"})
# IPv4 addresses can hide in these: translated (RFC 6052) and "compatible" ones (RFC 4291).
_CARRIERS = tuple(ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "::/96"))
_UNWRITTEN = re.compile(r"[\x00-\x20\x7f\\]")


def fault(url: str) -> str:
    """Why nothing may be sent to this address; empty when it may.

    A name is looked up. One that leads nowhere is no fault: whoever asks there finds out.
    """
    parts = _split(url)
    if parts is None:
        return ODD
    host = (parts.hostname or "").rstrip(".")
    if host in REFUSED_NAMES or any(map(_is_refused, _resolved(host))):
        return f"{host} is a link-local or a cloud's metadata address; nothing is sent there."
    return ""


def shape_fault(url: str, *, login: bool = False) -> str:
    """Why this is no usable address, without asking anyone; `login`: it may hold user, password, query."""
    parts = _split(url)
    if parts is None:
        return ODD
    if not login and masked(url) != url:
        return "This address may hold no user, password or question mark."
    return ""


def holds_secret(url: str) -> bool:
    """Whether there is a password or a token in it, or could be: what can't be taken apart counts."""
    return "@" in url or "?" in url


def masked(url: str) -> str:
    """The address without what may not be shown."""
    parts = _split(url)
    if parts is None:
        return MASK if holds_secret(url) else url
    login, at, place = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{place}" if at else place
    return urlunsplit((parts.scheme, netloc, parts.path, MASK if parts.query else "", ""))


def _split(url: str) -> SplitResult | None:
    """The parts of an address that all clients would understand alike; None when it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable and not parts.fragment and not _UNWRITTEN.search(url) else None


def _resolved(host: str) -> list[IpAddress]:
    """Every address the host stands for, in any spelling (2852039166, 0xa9fea9fe, a name)."""
    with suppress(OSError, ValueError):
        return [ipaddress.IPv4Address(socket.inet_aton(host))]
    with suppress(ValueError):
        return [_without_zone(host)]
    with suppress(OSError, ValueError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [_without_zone(str(place[0])) for *_, place in found]
    return []


def _without_zone(address: str) -> IpAddress:
    return ipaddress.ip_address(address.partition("%")[0])


def _is_refused(address: IpAddress) -> bool:
    return any(one in network for one in _spellings(address) for network in REFUSED)


def _spellings(address: IpAddress) -> list[IpAddress]:
    """The address, and the IPv4 one it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    carried = [address.ipv4_mapped, address.sixtofour]
    if any(address in network for network in _CARRIERS):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in carried if one is not None)]
