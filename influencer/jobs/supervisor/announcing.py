"""What `up` says: one screen once the product answers, then only what matters."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time

from influencer.jobs.supervisor.plan import Plan

LOG_BYTES = 10_000_000
SLOW = 30.0


class Announcer:
    """Writes to the terminal, and keeps the children's words in a file when there is one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.output = _open_log(plan)
        self.announced = False
        self._warned = False
        self._since = time.monotonic()

    def say(self, line: str) -> None:
        stamped = f"{time.strftime('%Y-%m-%d %H:%M:%S')} up: {line}\n"
        if self.output is not None:
            with contextlib.suppress(OSError):
                os.write(self.output, stamped.encode())
        _write(stamped)

    def announce_when_up(self) -> bool:
        """Show the screen as soon as the web server gives any HTTP answer; True when that is now."""
        if self.announced:
            return False
        self.announced = answers(self.plan.host, self.plan.port)
        if self.announced:
            _write(self.plan.screen)
        elif time.monotonic() - self._since > SLOW and not self._warned:
            self._warned = True
            self.say("The web server has not answered for 30 s. The lines above, or the log, say why.")
        return self.announced

    def keep_log_small(self) -> None:
        """Move a log that has grown large aside; its writers append, so they go on at the start."""
        if self.output is None or self.plan.log is None or os.fstat(self.output).st_size < LOG_BYTES:
            return
        with contextlib.suppress(OSError):
            shutil.copyfile(self.plan.log, self.plan.log.with_suffix(".1.log"))
        os.truncate(self.output, 0)


def answers(host: str, port: int) -> bool:
    """True when the server there answers a request, whatever it answers."""
    name = f"[{host}]" if ":" in host else host
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(f"GET /healthz HTTP/1.0\r\nHost: {name}:{port}\r\n\r\n".encode())
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _open_log(plan: Plan) -> int | None:
    if plan.log is None:
        return None
    return os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _write(text: str) -> None:
    # The terminal may be gone; the children must go on all the same.
    with contextlib.suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()
