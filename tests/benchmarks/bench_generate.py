"""What `POST /api/generate-image` costs on top of a bare websocket client at the same sandbox server.

`python -m tests.benchmarks.bench_generate` prints it; `pytest tests/benchmarks/bench_generate.py`
holds it against its limit. Both ways make the same graph with seeds of their own, in turns, at a
real `up`; a bare client does what no client can do without: listen, submit, hear the end, ask the
history for the file, fetch it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
import websocket

from influencer import sandbox
from influencer.config import PROJECT
from tests.running import Running, running_up, until

ROUNDS = 15
LIMIT = 400  # ms, of the median
SPEED = "10"
SECONDS = 120


@dataclass(frozen=True)
class Figures:
    """Milliseconds of each round, both ways."""

    bare: list[float]
    product: list[float]

    @property
    def overhead(self) -> float:
        """The median of what a round costs more than the bare one beside it."""
        pairs = zip(self.product, self.bare, strict=True)
        return statistics.median(product - bare for product, bare in pairs)

    def lines(self) -> list[str]:
        bare, product = statistics.median(self.bare), statistics.median(self.product)
        return [
            f"20 steps at {SPEED} times the sandbox's pace, median of {len(self.bare)} rounds in turns",
            f"bare websocket client     {bare:7.0f} ms",
            f"POST /api/generate-image  {product:7.0f} ms   {product / bare:.2f} x",
            f"overhead                  {self.overhead:7.0f} ms   (limit {LIMIT})",
        ]


@pytest.mark.benchmark
def test_generating_costs_little_more_than_the_server_itself(tmp_path: Path) -> None:
    with running_up(tmp_path, INFLUENCER_SANDBOX_SPEED=SPEED) as running:
        figures = measure(running)
    print("\n" + "\n".join(figures.lines()))
    assert figures.overhead <= LIMIT


def measure(running: Running, rounds: int = ROUNDS) -> Figures:
    """Run both ways in turns, so that a busy machine hits both."""
    caller = _Caller(running)
    graph = caller.graph()
    server = sandbox.address(running.data / "run")
    assert server
    bare, product = [], []
    for number in range(rounds):
        bare.append(_timed(lambda seed=number: _bare(server.comfyui, graph, seed)))
        product.append(_timed(lambda seed=number: caller.generate(10_000 + seed)))
    return Figures(bare, product)


class _Caller:
    """Somebody with a token and one character."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {_token(running)}"
        body = {"name": "Luna", "personality": "calm", "triggerWord": "luna_character"}
        self.character = self.post("characters", body)["character"]["id"]
        until(lambda: self.generate(1), 60, running.said)

    def generate(self, seed: int) -> dict[str, Any] | None:
        """The finished answer; None while no worker is up yet."""
        wish = {"characterId": self.character, "prompt": "in a forest", "steps": 20, "seed": seed}
        answer = self.session.post(f"{self.running.url}/api/generate-image", json=wish, timeout=SECONDS)
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, answer.text[:500]
        assert answer.json()["image"]
        return dict(answer.json())

    def graph(self) -> dict[str, Any]:
        """The graph the product sends, as it keeps it beside its images."""
        [sidecar] = self.running.data.glob("media/*/*.json")
        return dict(json.loads(sidecar.read_bytes())["workflow"])

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.session.post(f"{self.running.url}/api/{path}", json=body, timeout=SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())


def _bare(server: str, graph: dict[str, Any], seed: int) -> bytes:
    """One image by the shortest way there is."""
    prompt_id = str(uuid.uuid4())
    address = f"{server.replace('http', 'ws')}/ws?clientId={prompt_id}"
    with closing(websocket.create_connection(address, timeout=SECONDS)) as socket:
        body = {
            "prompt": _with_seed(graph, seed),
            "prompt_id": prompt_id,
            "client_id": prompt_id,
            "extra_data": {"preview_method": "auto"},
        }
        assert requests.post(f"{server}/prompt", json=body, timeout=SECONDS).ok
        while not _is_last(socket.recv(), prompt_id):
            pass
    entry = requests.get(f"{server}/history/{prompt_id}", timeout=SECONDS).json()[prompt_id]
    [file] = [file for output in entry["outputs"].values() for file in output["images"]]
    content = requests.get(f"{server}/view", params=file, timeout=SECONDS).content
    assert content.startswith(b"\x89PNG")
    return content


def _with_seed(graph: dict[str, Any], seed: int) -> dict[str, Any]:
    changed = json.loads(json.dumps(graph))
    for node in changed.values():
        for name in {"seed", "noise_seed"} & set(node["inputs"]):
            node["inputs"][name] = seed
    return dict(changed)


def _is_last(frame: str | bytes, prompt_id: str) -> bool:
    if isinstance(frame, bytes):
        return False
    message = json.loads(frame)
    data = message["data"]
    return message["type"] == "executing" and data["node"] is None and data["prompt_id"] == prompt_id


def _token(running: Running) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "api_token", "benchmark"],
        cwd=PROJECT,
        env={**os.environ, "INFLUENCER_DATA_DIR": str(running.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    with (
        TemporaryDirectory(prefix="bench-generate-") as folder,
        running_up(Path(folder), INFLUENCER_SANDBOX_SPEED=SPEED) as running,
    ):
        print("\n".join(measure(running).lines()))


if __name__ == "__main__":
    import tests.environment  # noqa: F401

    main()
