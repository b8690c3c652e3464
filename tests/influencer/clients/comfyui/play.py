"""One submitted prompt on the scripted server: what is said about it, and how it ends."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.influencer.clients.comfyui.stage import Stage

JPEG = b"\xff\xd8\xff\xe0" + b"preview" * 50
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100


class Prompt:
    """One submitted prompt, and what the server says about it."""

    def __init__(self, stage: Stage, body: dict[str, Any], number: int) -> None:
        self.stage, self.number = stage, number
        self.id: str = body["prompt_id"]
        self.client_id: str = body["client_id"]
        self.graph, self.extra = body["prompt"], body["extra_data"]
        self.messages: list[Any] = []
        self.cancelled = asyncio.Event()

    @property
    def item(self) -> list[Any]:
        return [self.number, self.id, self.graph, self.extra, ["8"]]

    async def socket(self) -> web.WebSocketResponse:
        """Wait until the client listens."""
        return await self.stage.until(lambda: self.stage.sockets.get(self.client_id))

    async def say(self, type_: str, **data: Any) -> None:
        socket = self.stage.sockets.get(self.client_id)
        if socket is not None and not socket.closed:
            await socket.send_json({"type": type_, "data": data})

    async def tell(self, type_: str, **data: Any) -> None:
        """Say something that the history keeps as well."""
        data = {"prompt_id": self.id, **data, "timestamp": 1795392234000 + 500 * len(self.messages)}
        self.messages.append([type_, data])
        await self.say(type_, **data)

    async def start(self) -> None:
        self.stage.run(self)
        await self.tell("execution_start")
        await self.tell("execution_cached", nodes=[])

    async def step(self, step: int, steps: int, node: str = "6") -> None:
        await self.state({node: {"value": step, "max": steps, "state": "running"}})
        await self.say("progress", value=step, max=steps, prompt_id=self.id, node=node)

    async def state(self, nodes: dict[str, dict[str, Any]]) -> None:
        await self.say("progress_state", prompt_id=self.id, nodes=nodes)

    async def preview(self, kind: int, jpeg: bytes = JPEG) -> None:
        await (await self.socket()).send_bytes(preview_frame(kind, jpeg, self.id))

    async def succeed(self, *names: str, node: str = "8", type_: str = "output") -> None:
        images = [{"filename": name, "subfolder": "t", "type": type_} for name in names]
        self.stage.files.update(dict.fromkeys(names, PNG))
        await self.tell("execution_success")
        self.stage.end(self, "success", {node: {"images": images}})
        await self.say("executing", node=None, prompt_id=self.id)

    async def fail(self, kind: str, message: str, **more: Any) -> None:
        error = {"node_id": "6", "node_type": "KSampler", "executed": [], "exception_message": message}
        await self.tell("execution_error", **error, exception_type=kind, **more)
        self.stage.end(self, "error", {})
        await self.say("executing", node=None, prompt_id=self.id)

    async def interrupt(self) -> None:
        await self.tell("execution_interrupted", node_id="6", node_type="KSampler", executed=["1"])
        self.stage.end(self, "error", {})
        await self.say("executing", node=None, prompt_id=self.id)


def preview_frame(kind: int, image: bytes, prompt_id: str = "") -> bytes:
    """A binary preview frame of either kind."""
    if kind == 1:
        return struct.pack(">II", 1, 1) + image
    metadata = json.dumps({"node_id": "6", "prompt_id": prompt_id, "image_type": "image/jpeg"}).encode()
    return struct.pack(">II", 4, len(metadata)) + metadata + image
