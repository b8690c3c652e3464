"""Stand-ins for ComfyUI, Instagram, X and Gemini: real servers on this machine only."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

RUN_FILE = "sandbox.json"
PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


class SandboxFailed(Exception):
    """The sandbox process could not be started; the message ends with what it said."""


@dataclass(frozen=True)
class Sandbox:
    """Where the running sandbox answers, and the key of its control endpoint."""

    url: str
    key: str = field(repr=False)
    pid: int = 0

    @property
    def comfyui(self) -> str:
        return f"{self.url}/comfyui"

    @property
    def instagram(self) -> str:
        return f"{self.url}/instagram"

    @property
    def x(self) -> str:
        return f"{self.url}/x"

    @property
    def gemini(self) -> str:
        return f"{self.url}/gemini"

    @property
    def control(self) -> str:
        return f"{self.url}/control"


def address(run_dir: Path) -> Sandbox | None:
    """The sandbox whose run file lies in `run_dir`; None when its process is gone."""
    try:
        facts = json.loads((run_dir / RUN_FILE).read_bytes())
        sandbox = Sandbox(url=str(facts["url"]), key=str(facts["key"]), pid=int(facts["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sandbox if _alive(sandbox.pid) else None


@contextmanager
def started(data: Path, app_url: str, *, speed: float = 1.0) -> Iterator[Sandbox]:
    """The sandbox of the data folder `data`: the one that runs, else one for the length of the block.

    A process started here ends with the block, and by itself when this process dies.
    Raises `SandboxFailed`.
    """
    running = address(data / "run")
    if running and _answers(running):
        yield running
        return
    process = _launch(data, app_url, speed)
    try:
        yield _wait(process, data)
    finally:
        _stop(process)


def _launch(data: Path, app_url: str, speed: float) -> subprocess.Popen[bytes]:
    (data / "run").mkdir(parents=True, exist_ok=True)
    options = {
        "--port": 0,
        "--data": data / "sandbox",
        "--app-url": app_url,
        "--run-file": data / "run" / RUN_FILE,
        "--speed": speed,
        "--parent": os.getpid(),
    }
    words = [str(word) for pair in options.items() for word in pair]
    with (data / "run" / "sandbox.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "influencer.sandbox", *words],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _wait(process: subprocess.Popen[bytes], data: Path) -> Sandbox:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        sandbox = address(data / "run")
        if sandbox and sandbox.pid == process.pid and _answers(sandbox):
            return sandbox
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise SandboxFailed(f"The sandbox did not start. {_last_words(data / 'run' / 'sandbox.log')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(sandbox: Sandbox) -> bool:
    """A process number can be reused after a crash; the key can't."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=2)
    try:
        connection.request("GET", "/control/", headers={"X-Sandbox-Key": sandbox.key})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "It said nothing."
