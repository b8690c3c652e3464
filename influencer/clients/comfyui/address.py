"""Where a ComfyUI server is, and what every request to it carries."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

# A server on loopback answers 403 when Origin and Host differ, so no caller may set these.
NEVER_SENT = frozenset({"origin", "host", "sec-fetch-site", "content-length", "content-type"})


@dataclass(frozen=True)
class Address:
    """A server's base URL, with credentials and query taken out of it.

    `base` can be shown and logged; `headers` and `params` can't.
    """

    base: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str, headers: Mapping[str, str] | None = None) -> Address:
        """Read `http(s)://[user:password@]host[:port][/prefix][?token=…]`.

        User and password become a Basic `Authorization` header unless one is given.
        Raises `ValueError` when `url` is not such an address or a header can't be sent.
        """
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("A ComfyUI address starts with http:// or https:// and names a host.")
        prefix = parts.path.rstrip("/").removesuffix("/api")
        base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{prefix}"
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in NEVER_SENT}
        if parts.username is not None and not any(name.lower() == "authorization" for name in sent):
            sent["Authorization"] = _basic(parts.username, parts.password or "")
        for line in (part for pair in sent.items() for part in pair):
            _check_sendable(line)
        return cls(base, tuple(parse_qsl(parts.query)), sent)

    def http(self, path: str) -> str:
        """ComfyUI has every address twice, with and without `/api`; only its internal ones have one form."""
        return f"{self.base}{path}" if path.startswith("/internal/") else f"{self.base}/api{path}"

    def websocket(self, client_id: str) -> str:
        query = urlencode([("clientId", client_id), *self.params])
        return f"ws{self.base.removeprefix('http')}/ws?{query}"


def _check_sendable(text: str) -> None:
    text.encode("latin-1")
    if not text.isprintable():
        raise ValueError("A header holds a control character.")


def _basic(user: str, password: str) -> str:
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return "Basic " + base64.b64encode(pair).decode()
