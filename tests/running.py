"""A real `manage.py up` on a free port and a data folder of its own, for tests and drills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from influencer.config import PROJECT
from tests.environment import FREE_OF_SETTINGS

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Running:
    """What a test needs to know of a running product. The owner's name is `owner`."""

    url: str
    data: Path
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    username: str = "owner"
    password: str = PASSWORD

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def answers(self, path: str = "/login/") -> bool:
        return status(self.url + path) is not None

    def processes(self) -> dict[int, str]:
        """Every living process below `up`, by number, with its command line."""
        return descendants(self.process.pid)

    def children(self) -> dict[str, int]:
        """The main process of each program, by the supervisor's name for it."""
        return {
            _name(line): pid
            for pid, line in self.processes().items()
            if _parent(pid) == self.process.pid and _name(line)
        }


@contextmanager
def running_up(folder: Path, **environment: str) -> Iterator[Running]:
    """Start `up`, wait for its first answer, stop it in the end."""
    running = start_up(folder, **environment)
    try:
        until(running.answers, 60, running.said)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(timeout=30)


def start_up(folder: Path, **environment: str) -> Running:
    folder.mkdir(parents=True, exist_ok=True)
    port = environment.setdefault("INFLUENCER_PORT", str(free_port()))
    data = Path(environment.setdefault("INFLUENCER_DATA_DIR", str(folder / "live")))
    settings = {
        **FREE_OF_SETTINGS,
        "INFLUENCER_ADMIN_PASSWORD": PASSWORD,
        "INFLUENCER_SANDBOX_SPEED": "10",
        **environment,
    }
    log = folder / "up.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=PROJECT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Running(f"http://127.0.0.1:{port}", data, log, process)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def status(url: str, *, seconds: float = 5) -> int | None:
    """The HTTP status that answers there, None when nothing does."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def until(true: Callable[[], object], seconds: float = 30, said: Callable[[], str] = str) -> None:
    """Look until it is so; fail with what was said when that takes too long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"It did not happen within {seconds:g} s.\n{said()[-4000:]}"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return _stat(pid)[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def descendants(pid: int) -> dict[int, str]:
    """Every living process below this one, with its command line."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parents.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found, waiting = {}, list(parents.get(pid, []))
    while waiting:
        child = waiting.pop()
        waiting += parents.get(child, [])
        if alive(child):
            found[child] = command_line(child)
    return found


def children_of(pid: int) -> list[int]:
    """Its living children, oldest first; by number only within the same hundredth of a second."""
    found = [child for child in descendants(pid) if _parent(child) == pid]
    return sorted(found, key=lambda child: (int(_stat(child)[19]), child))


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except (OSError, IndexError):
        return 0


def _name(line: str) -> str:
    for part, name in NAMES.items():
        if part in line:
            return name
    return ""


NAMES = {
    "supervisor.webserver": "web",
    "supervisor.cluster default": "default",
    "supervisor.cluster gpu": "gpu",
    "manage.py clock": "clock",
    "influencer.sandbox": "sandbox",
}
