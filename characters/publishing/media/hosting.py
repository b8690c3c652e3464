"""Serves the pictures of posts while no web server runs: Instagram comes to fetch them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from influencer.errors import Unavailable
from influencer.jobs.supervisor.announcing import answers
from influencer.wsgi import application

LINKS = "/m/"


@contextlib.contextmanager
def media_links() -> Iterator[None]:
    """Media links answer at the product's own address for the length of the block.

    By `up` when it runs, else by a small server here. Raises `Unavailable`.
    """
    config = settings.INFLUENCER
    if answers(urlsplit(config.own_url).hostname or "", config.port):
        yield
        return
    server = _open(config.host, config.port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _open(host: str, port: int) -> ThreadedWSGIServer:
    try:
        server = ThreadedWSGIServer((host, port), _Silent, ipv6=":" in host)
    except OSError as error:
        raise Unavailable(
            f"Instagram fetches the image from {host}:{port}, which can't be opened: {error.strerror}. "
            "Choose another INFLUENCER_PORT.",
            code="port_taken",
        ) from error
    server.daemon_threads = True
    server.set_app(_links_only)
    return server


def _links_only(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ.get("PATH_INFO", "").startswith(LINKS):
        return application(environ, start_response)
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"Only images of posts are served here."]


class _Silent(WSGIRequestHandler):
    """Writes no access log: the path is the secret."""

    def log_message(self, format: str, *args: Any) -> None:
        pass
