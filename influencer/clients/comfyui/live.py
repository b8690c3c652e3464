"""One websocket to ComfyUI: opened, read and closed, always within a time limit."""

from __future__ import annotations

import json

import certifi
import websocket

from influencer.clients import addresses
from influencer.clients.comfyui.address import Address
from influencer.clients.comfyui.frames import Frame, read_binary, read_text

HELLO = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
GOODBYE_SECONDS = 1


class SocketGone(Exception):
    """The connection could not be made or has ended."""


class Live:
    """An open websocket. Not for use from several threads."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket

    @classmethod
    def open(cls, address: Address, client_id: str, seconds: float) -> Live:
        """Connect and offer the feature flags, which must be the first message.

        Sends no Origin: behind a proxy it would not match the Host that ComfyUI compares it with.
        Raises `SocketGone`.
        """
        if addresses.fault(address.base):
            raise SocketGone("its address is refused")
        try:
            socket = websocket.create_connection(
                address.websocket(client_id),
                timeout=seconds,
                header=[f"{name}: {value}" for name, value in address.headers.items()],
                suppress_origin=True,
                http_no_proxy=["*"],
                redirect_limit=0,
                sslopt={"ca_certs": certifi.where()},
            )
            socket.send(HELLO)
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise SocketGone(type(error).__name__) from None
        return cls(socket)

    def read(self, seconds: float) -> Frame | None:
        """The next frame; None when none came in time or it means nothing here.

        A frame that arrives in pieces is not lost by a time-out. Raises `SocketGone`.
        """
        try:
            self._socket.settimeout(seconds)
            opcode, payload = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            return None
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise SocketGone(type(error).__name__) from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise SocketGone("closed by the server")
        return read_text(payload) if opcode == websocket.ABNF.OPCODE_TEXT else read_binary(payload)

    def close(self) -> None:
        """Close and wait for the server's own close.

        A server forgets a client id when *any* socket of that id closes, so the old
        one must be gone before a new one opens.
        """
        self._socket.close(timeout=GOODBYE_SECONDS)
