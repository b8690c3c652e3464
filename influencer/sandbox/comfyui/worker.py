"""Takes prompts from the queue, one at a time, and tells everybody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from influencer.sandbox.comfyui.queue import Item, PromptQueue
from influencer.sandbox.comfyui.run import Bench, Run
from influencer.sandbox.comfyui.trouble import Trouble

logger = logging.getLogger(__name__)


class Worker:
    """The one runner. `client_id` is whose prompt runs, or ran last."""

    def __init__(self, bench: Bench, queue: PromptQueue, *, trouble: Callable[[], Trouble]) -> None:
        self.bench = bench
        self.queue = queue
        self.trouble = trouble
        self.client_id: str | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._loop()), asyncio.create_task(self.bench.hub.publish())]

    async def stop(self) -> None:
        """End at once, in the middle of a run if need be."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        self.bench.hub.silent = False
        self.bench.studio.forget()

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop what runs, if it is that prompt; None means whatever it is."""
        running = self.queue.running
        if running is None or prompt_id not in (None, running.prompt_id):
            return False
        self.bench.interrupt.set()
        return True

    async def _loop(self) -> None:
        while True:
            await self._run(await self.queue.get())

    async def _run(self, item: Item) -> None:
        hub, trouble, started = self.bench.hub, self.trouble(), time.monotonic()
        self.client_id = item.client_id
        hub.silent = trouble.silences
        hub.send_status()
        entry = await self._entry(item, trouble)
        self.queue.finish(entry)
        hub.send_status()
        if item.client_id is not None:
            hub.send("executing", {"node": None, "prompt_id": item.prompt_id}, item.client_id)
        hub.silent = False
        self.bench.studio.forget()
        self.bench.console.say(f"Prompt executed in {time.monotonic() - started:.2f} seconds")

    async def _entry(self, item: Item, trouble: Trouble) -> dict[str, Any]:
        run = Run(item, self.bench, trouble)
        try:
            return await run.execute()
        except Exception as defect:
            # A defect in the stand-in must show as a failed run, not as a queue that stands still.
            logger.exception("comfyui run %s broke", item.prompt_id)
            return run.broke(repr(defect))
