"""The web server's process: one listening socket it was given, sixteen threads."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from waitress.server import create_server

from influencer.wsgi import application

# Meta fetches an image from here while other requests wait for a job: one thread is never enough.
THREADS = 16
BODY_BYTES = 512 * 1024 * 1024
STOP_WITHIN = 10


def main() -> int:
    """Serve on the file descriptor named on the command line until SIGTERM."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    server = create_server(application, sockets=[listener], **_adjustments())
    signal.signal(signal.SIGTERM, _stop(listener))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    server.run()
    return 0


def _adjustments() -> dict[str, Any]:
    """Waitress's settings; it writes no access log, so no set-up link ends up in one."""
    found: dict[str, Any] = {
        "threads": THREADS,
        "ident": None,
        "connection_limit": 200,
        "max_request_body_size": BODY_BYTES,
        "asyncore_use_poll": True,
        "clear_untrusted_proxy_headers": True,
    }
    if proxy := settings.INFLUENCER.trusted_proxy:
        found["trusted_proxy"] = proxy
        found["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    return found


def _stop(listener: socket.socket) -> Any:
    def stop(number: int, frame: FrameType | None) -> None:
        signal.alarm(STOP_WITHIN)  # ends the process even when a request hangs
        listener.close()
        raise SystemExit

    return stop


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "influencer.settings")
    sys.exit(main())
