"""Guessing made slow: attempts are counted per key in a window of time."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from influencer.errors import TooMany


@dataclass(frozen=True)
class Throttle:
    """`limit` attempts a key in `seconds`; the window opens with the first one."""

    name: str
    limit: int
    seconds: int = 300

    def check(self, *parts: str) -> None:
        """Raise `TooMany` when this key has no attempt left."""
        used, until = cache.get(self._key(parts), 0), cache.get(self._until(parts), 0.0)
        if used >= self.limit:
            self._refuse(until)

    def attempt(self, *parts: str) -> None:
        """Count one attempt, before it is known whether it is right, so that parallel guesses count too."""
        cache.add(self._until(parts), time.time() + self.seconds, self.seconds)
        if cache.add(self._key(parts), 1, self.seconds):
            return
        try:
            used = cache.incr(self._key(parts))
        except ValueError:  # the window closed in between
            cache.set(self._key(parts), 1, self.seconds)
            return
        if used > self.limit:
            self._refuse(cache.get(self._until(parts), 0.0))

    def forgive(self, *parts: str) -> None:
        """Forget the attempts of this key: one was right."""
        cache.delete_many([self._key(parts), self._until(parts)])

    def undo(self, *parts: str) -> None:
        """Take one attempt back: it was right, but the others of this key still count."""
        with suppress(ValueError):
            cache.decr(self._key(parts))

    def _key(self, parts: tuple[str, ...]) -> str:
        return f"throttle:{self.name}:{hashlib.sha256(repr(parts).encode()).hexdigest()}"

    def _until(self, parts: tuple[str, ...]) -> str:
        return self._key(parts) + ":until"

    def _refuse(self, until: float) -> None:
        wait = max(int(until - time.time()), 1)
        words = f"{wait} s" if wait < 60 else f"{-(-wait // 60)} min"
        raise TooMany(
            f"Too many attempts failed. Wait {words}, then try again.", details={"retryAfter": wait}
        )


def client_address(request: HttpRequest) -> str:
    """Where the request comes from; all addresses of one IPv6 network count as one.

    A forwarded header counts only when it was set by the trusted proxy.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if address and address == settings.INFLUENCER.trusted_proxy:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).rpartition(",")[2].strip()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return str(parsed)
