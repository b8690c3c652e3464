"""A plain client of the ComfyUI stand-in, and small graphs for it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import websocket
from aiohttp import web

KEY = "key-of-the-tests"
PATIENCE = 20
Graph = dict[str, Any]


@contextmanager
def serving(build: Callable[[], web.Application]) -> Iterator[str]:
    """Serve the application in a thread of its own; gives its address."""
    loop, ready, stop, ports = asyncio.new_event_loop(), threading.Event(), asyncio.Event(), []

    async def life() -> None:
        runner = web.AppRunner(build(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(life()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()


def eventually(question: Callable[[], Any]) -> Any:
    """Ask until the answer is truthy."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.005)
    raise AssertionError("it never happened")


@dataclass
class Listener:
    """One websocket and what has come through it."""

    socket: websocket.WebSocket
    frames: list[Any] = field(default_factory=list)

    def next(self) -> Any:
        """The next frame: a dict for text, bytes for a picture."""
        content = self.socket.recv()
        self.frames.append(json.loads(content) if isinstance(content, str) else content)
        return self.frames[-1]

    def until(self, kind: str, **wanted: Any) -> list[Any]:
        """Read up to and including a frame of that type; returns all frames so far."""
        while True:
            frame = self.next()
            if isinstance(frame, dict) and frame["type"] == kind and wanted.items() <= frame["data"].items():
                return self.frames

    def until_done(self) -> list[Any]:
        return self.until("executing", node=None)

    def hears_nothing(self, seconds: float = 0.2) -> bool:
        self.socket.settimeout(seconds)
        try:
            self.next()
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self.socket.settimeout(PATIENCE)
        return False


@dataclass
class Comfy:
    """A client of the stand-in, as plain as can be."""

    base: str
    folder: Path
    listeners: list[Listener] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.base}/comfyui"

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=PATIENCE, **options)

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"X-Sandbox-Key": KEY}
        return requests.request(
            method, f"{self.base}/control{path}", json=body, headers=headers, timeout=PATIENCE
        )

    def order(self, name: str, **arguments: Any) -> None:
        answer = self.control("POST", "/faults", {"service": "comfyui", "name": name, **arguments})
        assert answer.status_code == 201, answer.text

    def submit(self, graph: Graph, **more: Any) -> str:
        """Queue a graph under an id of our own."""
        prompt_id = str(uuid.uuid4())
        answer = self.post("/prompt", {"prompt": graph, "prompt_id": prompt_id, **more})
        assert answer.status_code == 200, answer.text
        return prompt_id

    def entry(self, prompt_id: str) -> dict[str, Any]:
        return dict(self.get(f"/history/{prompt_id}").json().get(prompt_id, {}))

    def finished(self, prompt_id: str) -> dict[str, Any]:
        return dict(eventually(lambda: self.entry(prompt_id)))

    def run(self, graph: Graph, **more: Any) -> dict[str, Any]:
        """The history entry of a graph."""
        return self.finished(self.submit(graph, **more))

    def running(self, prompt_id: str) -> bool:
        return any(item[1] == prompt_id for item in self.get("/queue").json()["queue_running"])

    def listen(self, client_id: str = "me", *, metadata: bool = False) -> Listener:
        socket = websocket.create_connection(
            f"{self.url.replace('http', 'ws')}/ws?clientId={client_id}", timeout=PATIENCE
        )
        listener = Listener(socket)
        self.listeners.append(listener)
        listener.next()
        if metadata:
            offer = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
            socket.send(json.dumps(offer))
            listener.next()
        return listener

    def output(self, entry: dict[str, Any]) -> list[Path]:
        files = [file for shown in entry["outputs"].values() for file in shown["images"]]
        return [self.folder / file["type"] / file["subfolder"] / file["filename"] for file in files]


def txt2img(*, steps: int = 4, seed: int = 7, batch: int = 1, **more: Any) -> Graph:
    """A small picture of luna; `checkpoint`, `text` and `prefix` may be given."""
    text = more.get("text", "luna_character, smiling on the beach")
    sampler = {"seed": seed, "steps": steps, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal"}
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name=more.get("checkpoint", "sdxl_dreamshaper.safetensors")),
        "5": node("EmptyLatentImage", width=128, height=160, batch_size=batch),
        "6": node("CLIPTextEncode", text=text, clip=["4", 1]),
        "7": node("CLIPTextEncode", text="blurry", clip=["4", 1]),
        "3": node("KSampler", **sampler, **links, denoise=1.0),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0], filename_prefix=more.get("prefix", "t/luna")),
    }


def plain(colour: int = 0, prefix: str = "plain") -> Graph:
    """The shortest graph there is."""
    return {
        "1": node("EmptyImage", width=64, height=64, batch_size=1, color=colour),
        "2": node("SaveImage", images=["1", 0], filename_prefix=prefix),
    }


def node(name: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": name, "inputs": inputs}
