"""The parts of one stand-in put together, and what a restart makes it forget."""

from __future__ import annotations

import asyncio
import random
import string
import time
from typing import Any

from influencer.sandbox.comfyui import trouble
from influencer.sandbox.comfyui.catalog import Catalog
from influencer.sandbox.comfyui.console import Console
from influencer.sandbox.comfyui.folders import Folders
from influencer.sandbox.comfyui.queue import PromptQueue
from influencer.sandbox.comfyui.run import Bench
from influencer.sandbox.comfyui.sockets import Hub
from influencer.sandbox.comfyui.studio import Studio
from influencer.sandbox.comfyui.trouble import Trouble
from influencer.sandbox.comfyui.worker import Worker
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults


class Comfy:
    """One ComfyUI: its files, its queue, its sockets and its runner."""

    def __init__(self, settings: SandboxSettings, faults: Faults) -> None:
        faults.declare("comfyui", *trouble.ALL)
        self.faults = faults
        self.folders = Folders(settings.data / "comfyui")
        self.catalog = Catalog(self.folders, faults)
        self.queue = PromptQueue()
        self.hub = Hub(self.status)
        self.console = Console(self.hub)
        self.bench = Bench(
            folders=self.folders,
            catalog=self.catalog,
            hub=self.hub,
            studio=Studio(),
            console=self.console,
            speed=settings.speed,
            temp_prefix=_temp_prefix(),
        )
        self.worker = Worker(self.bench, self.queue, trouble=self._trouble)
        self.number = 0
        self._down_until = 0.0
        self._restarting: asyncio.Task[None] | None = None

    def status(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": self.queue.remaining}}

    @property
    def down(self) -> bool:
        """Whether the process is between its end and its new start."""
        return time.monotonic() < self._down_until

    def set_speed(self, speed: float) -> None:
        self.bench.speed = speed

    async def start(self) -> None:
        self.folders.make()
        self.folders.empty_temp()
        self.worker.start()

    async def stop(self) -> None:
        await self.worker.stop()
        self.hub.drop()
        self.bench.studio.close()

    async def restart(self) -> None:
        """Lose what a restarted process loses: queue, history, cache, sockets, temp. Outputs stay."""
        await self.worker.stop()
        self.hub.drop()
        self.hub.forget_frames()
        self.queue.wipe()
        self.bench.cache.clear()
        self.bench.current_node = None
        self.bench.temp_prefix = _temp_prefix()
        self.number = 0
        await self.start()

    def free(self, *, memory: bool) -> None:
        if memory:
            self.bench.cache.clear()

    def _trouble(self) -> Trouble:
        return Trouble.take(self.faults, self._restart_from_within)

    def _restart_from_within(self, seconds: float) -> None:
        self._down_until = time.monotonic() + seconds
        self._restarting = asyncio.create_task(self.restart())


def _temp_prefix() -> str:
    letters = random.SystemRandom().choices(string.ascii_lowercase, k=5)
    return f"ComfyUI_temp_{''.join(letters)}"
