"""The queue, what runs, and the history: all in memory, as in ComfyUI."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from typing import Any

HISTORY_LIMIT = 10_000


@dataclass(frozen=True)
class Item:
    """One accepted prompt."""

    number: float
    prompt_id: str
    graph: dict[str, Any]
    extra: dict[str, Any]
    outputs: list[str]

    def as_json(self) -> list[Any]:
        return [self.number, self.prompt_id, self.graph, self.extra, self.outputs]

    @property
    def client_id(self) -> str | None:
        return self.extra.get("client_id")


@dataclass
class PromptQueue:
    """Lower numbers first; nothing survives a restart."""

    running: Item | None = None
    history: dict[str, dict[str, Any]] = field(default_factory=dict)
    _heap: list[tuple[float, int, Item]] = field(default_factory=list)
    _counter: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, item: Item) -> None:
        self._counter += 1
        heapq.heappush(self._heap, (item.number, self._counter, item))
        self._arrived.set()

    async def get(self) -> Item:
        """Wait for the next prompt and make it the running one."""
        while not self._heap:
            self._arrived.clear()
            await self._arrived.wait()
        self.running = heapq.heappop(self._heap)[2]
        return self.running

    def finish(self, entry: dict[str, Any]) -> None:
        """Move the running prompt into the history."""
        if self.running is None:
            return
        self.history.pop(self.running.prompt_id, None)
        self.history[self.running.prompt_id] = {"prompt": self.running.as_json(), **entry}
        self.running = None
        while len(self.history) > HISTORY_LIMIT:
            self.history.pop(next(iter(self.history)))

    @property
    def pending(self) -> list[Item]:
        """In heap order: only the first is sure to be next."""
        return [item for _, _, item in self._heap]

    @property
    def remaining(self) -> int:
        return len(self._heap) + (self.running is not None)

    def delete(self, prompt_id: str) -> bool:
        """Take a pending prompt out; no trace of it stays."""
        kept = [entry for entry in self._heap if entry[2].prompt_id != prompt_id]
        found = len(kept) < len(self._heap)
        self._heap = kept
        heapq.heapify(self._heap)
        return found

    def clear(self) -> None:
        self._heap.clear()

    def wipe(self) -> None:
        """Forget everything, as a restarted process does."""
        self.clear()
        self.history.clear()
        self.running = None

    def page(self, max_items: int | None, offset: int) -> dict[str, dict[str, Any]]:
        """A stretch of the history, oldest first; without offset the newest `max_items`."""
        if offset < 0 and max_items is not None:
            offset = len(self.history) - max_items
        start = max(offset, 0)
        end = None if max_items is None else start + max(max_items, 1)
        return dict(list(self.history.items())[start:end])
