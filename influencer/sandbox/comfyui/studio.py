"""Makes pixels in threads, each picture once per run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from PIL import Image

from influencer.sandbox.comfyui.values import Picture

Result = TypeVar("Result")


class Studio:
    """Draws pictures off the event loop and remembers them until the run ends."""

    def __init__(self) -> None:
        # Two, so that previews keep flowing while large pictures are drawn.
        self._easel = ThreadPoolExecutor(1, thread_name_prefix="easel")
        self._desk = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._pictures: dict[Picture, asyncio.Future[Image.Image]] = {}

    def begin(self, picture: Picture) -> asyncio.Future[Image.Image]:
        """Start to make the pixels; the same picture is made only once."""
        if picture not in self._pictures:
            loop = asyncio.get_running_loop()
            self._pictures[picture] = loop.run_in_executor(self._easel, picture.pixels)
        return self._pictures[picture]

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run something slow in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._desk, function, *arguments)

    def forget(self) -> None:
        """Drop all pixels; what has not begun is never drawn."""
        for future in self._pictures.values():
            future.cancel()
        self._pictures.clear()

    def close(self) -> None:
        for pool in (self._easel, self._desk):
            pool.shutdown(wait=False, cancel_futures=True)
