"""The ComfyUI stand-in: the HTTP and websocket interface of version 0.28."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from influencer.sandbox.comfyui.file_routes import FileRoutes
from influencer.sandbox.comfyui.job_routes import JobRoutes
from influencer.sandbox.comfyui.routes import Routes
from influencer.sandbox.comfyui.server import Comfy
from influencer.sandbox.comfyui.wire import faults_of, same_origin
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.control import RESTART, SET_SPEED
from influencer.sandbox.faults import Faults


def build(settings: SandboxSettings, faults: Faults) -> web.Application:
    """The stand-in as an application; its files lie in `settings.data/comfyui`."""
    comfy = Comfy(settings, faults)
    app = web.Application(middlewares=[same_origin, faults_of(comfy)])
    app[RESTART] = comfy.restart
    app[SET_SPEED] = comfy.set_speed
    for method, path, handler in Routes(comfy).table() + FileRoutes(comfy).table():
        app.router.add_route(method, path, handler)
        if not path.startswith("/internal/"):
            app.router.add_route(method, f"/api{path}", handler)
    for method, path, handler in JobRoutes(comfy).table():
        app.router.add_route(method, f"/api{path}", handler)

    async def life(_app: web.Application) -> AsyncIterator[None]:
        await comfy.start()
        yield
        await comfy.stop()

    async def hang_up(_app: web.Application) -> None:
        comfy.hub.drop()

    app.cleanup_ctx.append(life)
    app.on_shutdown.append(hang_up)
    return app
