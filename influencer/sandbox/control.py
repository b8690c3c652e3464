"""The control endpoint: order faults, restart a service, read the request log."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults, UnknownFault
from influencer.sandbox.log import Handler, RequestLog

# What a service may offer the control endpoint, set on its application.
RESTART: web.AppKey[Callable[[], Awaitable[None]]] = web.AppKey("restart")
SET_SPEED: web.AppKey[Callable[[float], None]] = web.AppKey("set_speed")


class Control:
    """Handlers of `/control/…`; every one needs the header `X-Sandbox-Key`."""

    def __init__(self, faults: Faults, log: RequestLog, services: Mapping[str, web.Application]) -> None:
        self.faults = faults
        self.log = log
        self.services = services

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "services": list(self.services)})

    async def list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self.faults.waiting(), "known": self.faults.known()})

    async def order_fault(self, request: web.Request) -> web.Response:
        """Body `{"service", "name", "times": 1, …args}`."""
        wish = await _body(request)
        service, name, times = wish.pop("service", ""), wish.pop("name", ""), wish.pop("times", 1)
        if service not in self.services:
            return _refusal(f"There is no service '{service}'; there are {', '.join(self.services)}.")
        if not isinstance(name, str) or not name:
            return _refusal("'name' is missing.")
        if not isinstance(times, int) or times < 0:
            return _refusal("'times' must be a whole number; 0 means until cleared.")
        try:
            self.faults.order(service, name, times, **wish)
        except UnknownFault as error:
            return _refusal(str(error))
        return web.json_response({"faults": self.faults.waiting()}, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self.faults.clear(request.query.get("service", ""))
        return web.json_response({"faults": self.faults.waiting()})

    async def restart(self, request: web.Request) -> web.Response:
        """Make a service forget what a restarted process forgets."""
        service = self.services.get(request.match_info["service"])
        if service is None or RESTART not in service:
            return _refusal(f"'{request.match_info['service']}' can't be restarted.", status=404)
        await service[RESTART]()
        return web.json_response({"restarted": request.match_info["service"]})

    async def set_speed(self, request: web.Request) -> web.Response:
        """Body `{"speed": 20}`."""
        speed = (await _body(request)).get("speed")
        if not isinstance(speed, int | float) or not 0 < speed <= 10_000:
            return _refusal("'speed' must be a number above 0.")
        for service in self.services.values():
            if SET_SPEED in service:
                service[SET_SPEED](float(speed))
        return web.json_response({"speed": speed})

    async def read_log(self, request: web.Request) -> web.Response:
        return web.json_response({"requests": self.log.entries(request.query.get("service", ""))})

    async def clear_log(self, _request: web.Request) -> web.Response:
        self.log.clear()
        return web.json_response({"requests": []})


def build(
    settings: SandboxSettings, faults: Faults, *, log: RequestLog, services: Mapping[str, web.Application]
) -> web.Application:
    control = Control(faults, log, services)
    app = web.Application(middlewares=[_key_needed(settings.key)])
    app.add_routes(
        [
            web.get("/", control.health),
            web.get("/faults", control.list_faults),
            web.post("/faults", control.order_fault),
            web.delete("/faults", control.clear_faults),
            web.post("/restart/{service}", control.restart),
            web.post("/speed", control.set_speed),
            web.get("/log", control.read_log),
            web.delete("/log", control.clear_log),
        ]
    )
    return app


def _key_needed(key: str) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Sandbox-Key", "")
        if not key or not secrets.compare_digest(given.encode(), key.encode()):
            return _refusal("The header X-Sandbox-Key is missing or wrong.", status=403)
        return await handler(request)

    return check


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(
            text='{"error": "The body must be a JSON object."}', content_type="application/json"
        )
    return body


def _refusal(message: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": message}, status=status)
