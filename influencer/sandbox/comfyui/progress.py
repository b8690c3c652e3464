"""The `progress_state` frames: every node that has begun, and how far it is."""

from __future__ import annotations

from typing import Any

from influencer.sandbox.comfyui.sockets import Hub


class Progress:
    """State of one run's nodes. Each change sends all of them, as ComfyUI does."""

    def __init__(self, hub: Hub, prompt_id: str, client_id: str | None) -> None:
        self.hub = hub
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.nodes: dict[str, dict[str, Any]] = {}

    def start(self, node_id: str) -> None:
        self._set(node_id, 0.0, 1.0, "running")

    def step(self, node_id: str, value: int, total: int) -> None:
        self._set(node_id, value, total, "running")

    def finish(self, node_id: str) -> None:
        total = self.nodes.get(node_id, {}).get("max", 1)
        self._set(node_id, total, total, "finished")

    def _set(self, node_id: str, value: float, total: float, state: str) -> None:
        about = describe(node_id, self.prompt_id)
        self.nodes[node_id] = {"value": value, "max": total, "state": state, **about}
        self.hub.send("progress_state", {"prompt_id": self.prompt_id, "nodes": self.nodes}, self.client_id)


def describe(node_id: str, prompt_id: str) -> dict[str, Any]:
    return {
        "node_id": node_id,
        "prompt_id": prompt_id,
        "display_node_id": node_id,
        "parent_node_id": None,
        "real_node_id": node_id,
    }
