"""The websocket side: who listens, and the frames they get."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

FEATURES: dict[str, Any] = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 104857600,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
JPEG, PNG = 1, 2
SEND_SECONDS = 10


@dataclass
class Connection:
    """One open socket and what its client asked for."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    metadata: bool = False


class Hub:
    """Connections by client id. Frames go out in order through one outbox."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self.status = status
        self.silent = False
        self.connections: dict[str, Connection] = {}
        self._outbox: asyncio.Queue[tuple[str | None, str | bytes]] = asyncio.Queue()

    def send(self, event: str, body: dict[str, Any], client_id: str | None = None) -> None:
        """Queue one frame for one client, or for all when `client_id` is None."""
        self._put(client_id, json.dumps({"type": event, "data": body}))

    def send_status(self) -> None:
        self.send("status", {"status": self.status()})

    def send_image(self, image: bytes, client_id: str, *, kind: int = JPEG) -> None:
        """Binary event 1; carries no prompt id."""
        self._put(client_id, struct.pack(">II", PREVIEW, kind) + image)

    def send_described_image(self, image: bytes, client_id: str, about: dict[str, Any]) -> None:
        """Binary event 4, for clients that asked for metadata."""
        head = json.dumps({**about, "image_type": "image/jpeg"}).encode()
        self._put(client_id, struct.pack(">II", PREVIEW_WITH_METADATA, len(head)) + head + image)

    def wants_metadata(self, client_id: str) -> bool:
        connection = self.connections.get(client_id)
        return connection is not None and connection.metadata

    def _put(self, client_id: str | None, frame: str | bytes) -> None:
        if not self.silent:
            self._outbox.put_nowait((client_id, frame))

    async def publish(self) -> None:
        """Send what is queued, for ever."""
        while True:
            client_id, frame = await self._outbox.get()
            names = list(self.connections) if client_id is None else [client_id]
            for name in names:
                if (connection := self.connections.get(name)) is not None:
                    await _deliver(connection.socket, frame)

    async def serve(self, request: web.Request, *, greet: Callable[[str], dict[str, Any] | None]) -> Any:
        """One connection from its first to its last frame.

        The entry is removed by id, not by socket: when an older socket of the same id
        closes, the newer one goes silent. ComfyUI does that, so a client must be ready for it.
        """
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client_id = request.query.get("clientId", "") or uuid.uuid4().hex
        self.connections[client_id] = Connection(socket, request.transport)
        try:
            await self._welcome(socket, client_id, greet(client_id))
            await self._listen(socket, client_id)
        finally:
            self.connections.pop(client_id, None)
        return socket

    async def _welcome(
        self, socket: web.WebSocketResponse, client_id: str, now: dict[str, Any] | None
    ) -> None:
        first = {"type": "status", "data": {"status": self.status(), "sid": client_id}}
        await _deliver(socket, json.dumps(first))
        if now is not None:
            await _deliver(socket, json.dumps({"type": "executing", "data": now}))

    async def _listen(self, socket: web.WebSocketResponse, client_id: str) -> None:
        first = True
        async for message in socket:
            if message.type is WSMsgType.TEXT and first:
                self._shake_hands(message.data, client_id)
            first = False

    def _shake_hands(self, text: str, client_id: str) -> None:
        try:
            offer = json.loads(text)
        except ValueError:
            return
        connection = self.connections.get(client_id)
        if connection and isinstance(offer, dict) and offer.get("type") == "feature_flags":
            connection.metadata = bool((offer.get("data") or {}).get("supports_preview_metadata"))
            self.send("feature_flags", FEATURES, client_id)

    def drop(self, client_id: str | None = None) -> None:
        """Cut the connection of one client, or of all, without a closing handshake."""
        for name, connection in list(self.connections.items()):
            if client_id in (None, name) and connection.transport is not None:
                connection.transport.abort()

    def forget_frames(self) -> None:
        while not self._outbox.empty():
            self._outbox.get_nowait()


async def _deliver(socket: web.WebSocketResponse, frame: str | bytes) -> None:
    """A client that went away or does not read must not hold up the others."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
    except (ConnectionError, TimeoutError, RuntimeError):
        return
