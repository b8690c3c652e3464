"""The ComfyUI stand-in: the HTTP and websocket interface of version 0.28."""

from __future__ import annotations

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults


def build(settings: SandboxSettings, faults: Faults) -> web.Application:
    """The stand-in as an application; outputs go to `settings.data/comfyui/output`."""
    return web.Application()
