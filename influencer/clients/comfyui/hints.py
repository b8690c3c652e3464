"""What the websocket's frames say about one prompt, each thing once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from influencer.clients.comfyui.frames import Frame, Message, Picture
from influencer.clients.comfyui.values import Event, NodeFinished, Preview, Progress

LAST_WORDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Hints:
    """Turns frames into events; repeats and other people's prompts are left out."""

    def __init__(self, prompt_id: str) -> None:
        self.prompt_id = prompt_id
        self._finished: set[str] = set()
        self._steps: dict[str, int] = {}
        self._running = ""

    def concern(self, frame: Frame) -> bool:
        """Whether the frame is about this prompt; the server may leave the id out on our own socket."""
        if isinstance(frame, Message) and frame.type == "feature_flags":
            return False
        return frame.prompt_id in {"", self.prompt_id}

    def ended(self, frame: Frame) -> bool:
        """Whether the server has nothing more to say; history holds the outcome now, or in a moment."""
        if not isinstance(frame, Message):
            return False
        return frame.type in LAST_WORDS or (frame.type == "executing" and frame.data.get("node") is None)

    def events(self, frame: Frame) -> Iterator[Event]:
        if isinstance(frame, Picture):
            yield Preview(frame.jpeg)
        elif frame.type == "progress":
            yield from self._step(str(frame.data.get("node") or self._running), frame.data)
        elif frame.type == "progress_state":
            yield from self._state(frame.data.get("nodes"))
        elif frame.type == "execution_cached":
            for node in frame.data.get("nodes") or []:
                yield from self._finish(str(node))
        elif frame.type == "executing":
            yield from self._next(str(frame.data.get("node") or ""))

    def _state(self, nodes: object) -> Iterator[Event]:
        for node, state in nodes.items() if isinstance(nodes, Mapping) else []:
            if not isinstance(state, Mapping):
                continue
            if state.get("state") == "finished":
                yield from self._finish(str(node))
            elif state.get("state") == "running":
                yield from self._step(str(node), state)

    def _step(self, node: str, data: Mapping[str, Any]) -> Iterator[Event]:
        step, steps = _number(data.get("value")), _number(data.get("max"))
        # Whole nodes count 0 of 1; only what has steps is worth showing.
        if steps > 1 and 0 < step <= steps and step != self._steps.get(node):
            self._steps[node] = step
            yield Progress(step, steps, node)

    def _next(self, node: str) -> Iterator[Event]:
        before, self._running = self._running, node
        if before and before != node:
            yield from self._finish(before)

    def _finish(self, node: str) -> Iterator[Event]:
        if node not in self._finished:
            self._finished.add(node)
            yield NodeFinished(node)


def _number(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0
