"""The recent requests, for the log file and for tests; never a query or a body."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

logger = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEPT = 2000


class RequestLog:
    """The last requests of every service, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def add(self, request: web.Request, status: int, seconds: float) -> None:
        """`status` 0 means the connection ended without an answer."""
        service, _, rest = request.path.lstrip("/").partition("/")
        entry = {"service": service, "method": request.method, "path": f"/{rest}", "status": status}
        self._entries.append({**entry, "at": time.time()})
        logger.info(
            "%s %s /%s %s %d ms", service, request.method, rest, status or "no answer", seconds * 1000
        )

    def entries(self, service: str = "") -> list[dict[str, Any]]:
        return [entry for entry in self._entries if not service or entry["service"] == service]

    def clear(self) -> None:
        self._entries.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log every request but those of the control endpoint."""
        started = time.monotonic()
        status = 0
        try:
            response = await handler(request)
            status = _status(request, response)
            return response
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        except Exception:
            status = 500
            raise
        finally:
            if not request.path.startswith("/control/"):
                self.add(request, status, time.monotonic() - started)


def _status(request: web.Request, response: web.StreamResponse) -> int:
    cut = request.transport is None or request.transport.is_closing()
    return 0 if cut and not isinstance(response, web.WebSocketResponse) else response.status
