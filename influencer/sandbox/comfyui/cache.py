"""What the last run made, found again by content: ComfyUI's node cache."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from influencer.sandbox.comfyui.folders import Folders
from influencer.sandbox.comfyui.nodes import Outputs


@dataclass(frozen=True)
class Made:
    """A node's outputs, and what it showed (`ui`), if anything."""

    outputs: Outputs
    ui: dict[str, Any] | None = None


@dataclass
class Cache:
    """Keeps the nodes of the last prompt only, as ComfyUI does when RAM is short."""

    made: dict[str, Made] = field(default_factory=dict)

    def keep_only(self, signatures: set[str]) -> None:
        self.made = {key: value for key, value in self.made.items() if key in signatures}

    def clear(self) -> None:
        self.made.clear()


def sign(graph: dict[str, Any], outputs: list[str], folders: Folders) -> dict[str, str]:
    """A signature per node that `outputs` need; equal work has an equal one, whatever the ids."""
    signatures: dict[str, str] = {}

    def visit(node_id: str) -> str:
        if node_id not in signatures:
            node = graph[node_id]
            inputs = {
                name: ["link", visit(value[0]), value[1]] if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            }
            content = [node["class_type"], inputs, _file_content(node, folders)]
            text = json.dumps(content, sort_keys=True)
            signatures[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return signatures[node_id]

    for output in outputs:
        visit(output)
    return signatures


def _file_content(node: dict[str, Any], folders: Folders) -> str:
    """A replaced input file is new work."""
    if node["class_type"] != "LoadImage":
        return ""
    return hashlib.sha256(folders.annotated(node["inputs"]["image"]).read_bytes()).hexdigest()
