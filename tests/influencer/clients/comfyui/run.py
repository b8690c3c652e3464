"""One prompt submitted and followed, with what was heard on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from influencer.clients.comfyui import ComfyUI, Event, Outcome, Pace, new_prompt_id

GRAPH = {"8": {"class_type": "SaveImage", "inputs": {}}}


class Run:
    """Submits one prompt and follows it, collecting the events."""

    def __init__(self, comfy: ComfyUI, pace: Pace) -> None:
        self.comfy, self.pace = comfy, pace
        self.events: list[Event] = []
        self.prompt_id = new_prompt_id()

    def submit(self) -> Run:
        self.comfy.submit(GRAPH, prompt_id=self.prompt_id, reference="job_1")
        return self

    def follow(self, cancelled: Callable[[], bool] = lambda: False) -> Outcome:
        return self.comfy.follow(
            self.prompt_id, on_event=self.events.append, cancelled=cancelled, pace=self.pace
        )

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
