"""What stands before every route: the origin check and the faults of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from influencer.sandbox.comfyui.routes import abort, server_error
from influencer.sandbox.comfyui.server import Comfy
from influencer.sandbox.faults import Fault

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOGIN_PAGE = "<!doctype html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>"
LATE_SECONDS = 30.0


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A browser page of another origin gets 403, as ComfyUI does on a loopback address."""
    origin = request.headers.get("Origin")
    other = origin not in (None, "null") and urlsplit(origin or "").netloc != request.headers.get("Host")
    if other or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    return await handler(request)


def faults_of(comfy: Comfy) -> Any:
    """Commit the ordered faults: down, late, error500, html. An argument `path` limits them."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix("/comfyui").removeprefix("/api")

        def take(name: str) -> Fault | None:
            return comfy.faults.take("comfyui", name, when=lambda fault: _concerns(fault, path))

        if comfy.down or (down := take("down")):
            return _down(request, None if comfy.down else down)
        if late := take("late"):
            await asyncio.sleep(float(late.args.get("seconds", LATE_SECONDS)))
        if take("error500"):
            raise server_error()
        if take("html"):
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        return await handler(request)

    return middleware


def _concerns(fault: Fault, path: str) -> bool:
    return path.startswith(str(fault.args.get("path", "/")))


def _down(request: web.Request, fault: Fault | None) -> web.Response:
    """`mode` 503: a proxy answers for the dead server; else the connection is reset."""
    if fault is None or fault.args.get("mode") != 503:
        abort(request)
    return web.Response(status=503, text="no available server", content_type="text/plain")
