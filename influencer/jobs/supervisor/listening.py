"""The socket `up` listens on, opened before anything else starts and kept over restarts."""

from __future__ import annotations

import errno
import socket

from influencer.errors import Unavailable

WAITING = 256


def listen(host: str, port: int) -> socket.socket:
    """An open socket on this address. Raises `Unavailable` with what to change.

    The web server inherits it. While that restarts, requests wait in the socket
    instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(WAITING)
    except OSError as error:
        listener.close()
        raise Unavailable(_sentence(error, host, port), code="cannot_listen") from error
    return listener


def free_port() -> int:
    """A port on this machine that nothing listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program. "
            "Stop that, or choose another port with INFLUENCER_PORT."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user. Choose one above 1023 with INFLUENCER_PORT."
    return f"INFLUENCER_HOST is '{host}', where this machine can't listen: {error.strerror or error}."
