"""Run the sandbox: `python -m influencer.sandbox --data DIR --run-file FILE`."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app

logger = logging.getLogger("influencer.sandbox")


def main() -> int:
    """Serve until SIGTERM; 1 when another sandbox has the data or the port."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = SandboxSettings(
        data=options.data.resolve(),
        app_url=options.app_url,
        key=secrets.token_urlsafe(32),
        speed=options.speed,
    )
    try:
        with _only_one(settings.data), _listening(options.port) as listener:
            port = listener.getsockname()[1]
            asyncio.run(_serve(replace(settings, port=port), listener, options))
    except OSError as error:
        logger.error("The sandbox can't start: %s", error)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="influencer.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="the sandbox's own folder")
    parser.add_argument("--app-url", default="http://127.0.0.1:8000", help="the dashboard's address")
    parser.add_argument("--run-file", type=Path, required=True, help="where url, key and pid are written")
    parser.add_argument("--speed", type=float, default=1.0, help="20 is twenty times as fast")
    parser.add_argument(
        "--parent", type=int, default=0, help="stop when this is no longer the parent process"
    )
    return parser.parse_args()


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"another sandbox uses {data}.") from None
        yield


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener


async def _serve(settings: SandboxSettings, listener: socket.socket, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(build_app(settings), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        with _run_file(options.run_file, settings):
            logger.info("The sandbox answers at http://127.0.0.1:%d.", settings.port)
            await _until(stop, parent=options.parent)
    finally:
        await runner.cleanup()


async def _until(stop: asyncio.Event, *, parent: int) -> None:
    """Wait for the signal, or for the parent process to be gone."""
    while not stop.is_set() and (not parent or os.getppid() == parent):
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=0.5 if parent else None)


@contextmanager
def _run_file(path: Path, settings: SandboxSettings) -> Iterator[None]:
    facts = {"url": f"http://127.0.0.1:{settings.port}", "key": settings.key, "pid": os.getpid()}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(facts))
    draft.replace(path)
    try:
        yield
    finally:
        if path.exists() and json.loads(path.read_text()).get("pid") == os.getpid():
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
