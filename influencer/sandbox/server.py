"""The one application: every stand-in under its own path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from influencer.sandbox import comfyui, control, gemini, instagram, x
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults
from influencer.sandbox.log import Handler, RequestLog
from influencer.sandbox.posts_control import control_routes

Build = Callable[[SandboxSettings, Faults], web.Application]
SERVICES: dict[str, Build] = {
    "comfyui": comfyui.build,
    "instagram": instagram.build,
    "x": x.build,
    "gemini": gemini.build,
}
# ComfyUI's own limit for one request, uploads included.
LARGEST_BODY = 104857600
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def build_app(settings: SandboxSettings) -> web.Application:
    """All services at `/<name>/…` and the control endpoint at `/control/…`."""
    faults, log = Faults(), RequestLog()
    app = web.Application(middlewares=[log.middleware, only_loopback], client_max_size=LARGEST_BODY)
    services: dict[str, web.Application] = {}
    for name, build in SERVICES.items():
        services[name] = build(settings, faults)
        app.add_subapp(f"/{name}/", services[name])
    panel = control.build(settings, faults, log=log, services=services)
    panel.add_routes(control_routes(settings))
    app.add_subapp("/control/", panel)
    return app


@web.middleware
async def only_loopback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a Host that is not this machine's: a web page elsewhere must not reach the sandbox."""
    host = request.headers.get("Host", "")
    if host not in {f"{name}:{_own_port(request)}" for name in LOOPBACK}:
        return web.Response(status=403, text="The sandbox answers only under its own loopback address.")
    return await handler(request)


def _own_port(request: web.Request) -> Any:
    transport = request.transport
    sockname = transport.get_extra_info("sockname") if transport else None
    return sockname[1] if sockname else None
