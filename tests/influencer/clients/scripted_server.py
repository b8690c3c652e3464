"""A real HTTP server on this machine that answers exactly what a test tells it to."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return _flat(urlsplit(self.target).query)

    @property
    def form(self) -> dict[str, str]:
        return _flat(self.body.decode())

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """`instead` of an answer: "silence" or "reset"."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    instead: str = ""


class ScriptedServer:
    """Answers in the order given; one answer too few is a 599. With `tls` it speaks https."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._replies: deque[Reply] = deque()
        self._ended = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_port}"
        if tls:
            # The handshake is left to the thread of each connection.
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )

    def answer(self, body: Any = None, *, status: int = 200, **headers: str) -> None:
        """Answer the next request with `body`: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._replies.append(Reply(status, content, names))

    def stay_silent(self) -> None:
        self._replies.append(Reply(instead="silence"))

    def reset(self) -> None:
        self._replies.append(Reply(instead="reset"))

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                server.asked.append(Asked(self.command, self.path, self.headers, body))
                server.reply(self)

            do_POST = do_GET

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        return Handler

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        reply = self._replies.popleft() if self._replies else Reply(599, b'"no answer left"')
        if reply.instead == "silence":
            self._ended.wait(20)
        if reply.instead:
            handler.close_connection = True
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            return
        handler.send_response_only(reply.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
        headers["Connection"] = "close"
        for name, value in {**headers, **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    @contextmanager
    def running(self) -> Iterator[ScriptedServer]:
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._http.shutdown()
            self._http.server_close()
            thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


def closed_port() -> int:
    """A port at which nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
