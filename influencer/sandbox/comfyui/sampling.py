"""The samplers: steps with progress and previews, and what comes out of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from influencer.sandbox import art
from influencer.sandbox.comfyui.nodes import Inputs
from influencer.sandbox.comfyui.values import Blended, Drawn, Flat, Guider, Latent, Picture

PREVIEW_SIDE = 512
SKETCH_SIDE = 160
BLACK = 0


@dataclass(frozen=True)
class Task:
    """One sampler's work."""

    guider: Guider
    seed: int
    steps: int
    latent: Latent
    denoise: float = 1.0

    def result(self) -> Latent:
        """The latent with a picture drawn for every entry of the batch."""
        pictures = tuple(self._picture(index) for index in range(self.latent.batch))
        return Latent(self.latent.size, self.latent.batch, pictures)

    def _picture(self, index: int) -> Picture:
        before = self.latent.pictures[index] if self.latent.pictures else None
        if isinstance(before, Drawn) and self.denoise < 1:
            return before  # a second pass over a drawing keeps it
        if self.guider.model.broken:
            return Flat(BLACK, self.latent.size)
        wish = art.Wish.read(self.guider.words.text, self.guider.model.loras)
        drawn = Drawn(wish, self.seed + index, self.latent.size)
        return Blended(before, drawn, self.denoise) if before and self.denoise < 1 else drawn


def task_of(inputs: Inputs) -> Task:
    """Read the inputs of `KSampler` or `SamplerCustomAdvanced`."""
    if "guider" in inputs:
        return Task(inputs["guider"], inputs["noise"], inputs["sigmas"], inputs["latent_image"])
    guider = Guider(inputs["model"], inputs["positive"])
    return Task(guider, inputs["seed"], inputs["steps"], inputs["latent_image"], inputs["denoise"])


class Previews:
    """Makes the picture of each step: a small sketch that clears up."""

    def __init__(self, picture: Picture, call: Callable[..., Awaitable[Any]]) -> None:
        self.picture = picture
        self.call = call
        self._sketch: asyncio.Future[Any] | None = None

    async def at(self, step: int, steps: int) -> bytes:
        """JPEG bytes, the longer side 512 pixels."""
        if self._sketch is None:
            self._sketch = asyncio.ensure_future(self.call(self._draw))
        return bytes(await self.call(art.preview, await self._sketch, 1 - step / steps, PREVIEW_SIDE))

    def _draw(self) -> Any:
        width, height = self.picture.size
        factor = SKETCH_SIDE / max(width, height)
        return self.picture.at((max(1, round(width * factor)), max(1, round(height * factor)))).pixels()
