"""A tiny ComfyUI that plays what a test tells it to, with the shapes of a recorded 0.28.0."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.influencer.clients.comfyui.play import Prompt

SPEED_LIMIT = 10


@dataclass
class Order:
    """What to do with the next requests to one path instead of answering them."""

    method: str
    path: str
    status: int = 200
    body: Any = None
    text: str = ""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: str = ""
    times: int = 1000

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and path.startswith(self.path)


@dataclass
class Seen:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Script = Callable[[Prompt], Awaitable[None]]


class Stage:
    """The server; `started()` and `stopped()` are for the fixture."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.running: dict[str, Prompt] = {}
        self.pending: dict[str, Prompt] = {}
        self.history: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.models: dict[str, list[str]] = {"checkpoints": [], "loras": []}
        self.metadata: dict[str, dict[str, Any]] = {}
        self.nodes: dict[str, Any] = {}
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.greetings: list[Any] = []
        self.seen: list[Seen] = []
        self.orders: list[Order] = []
        self.prompts: list[Prompt] = []
        self.script: Script | None = None
        self.prefix = ""
        self.has_jobs_api = True
        self.tasks: set[asyncio.Task[None]] = set()

    # For tests

    def order(self, method: str, path: str, **what: Any) -> None:
        self.orders.append(Order(method, path, **what))

    def plays(self, script: Script) -> Script:
        self.script = script
        return script

    def restart(self) -> None:
        """Queue, running job and history are gone, without a word."""
        for store in (self.running, self.pending, self.history):
            store.clear()

    async def close_sockets(self) -> None:
        for socket in list(self.sockets.values()):
            await socket.close()

    async def until(self, found: Callable[[], Any]) -> Any:
        async with asyncio.timeout(SPEED_LIMIT):
            while not (value := found()):
                await asyncio.sleep(0.005)
        return value

    def count(self, method: str, path: str) -> int:
        return sum(seen.method == method and seen.path == path for seen in self.seen)

    def run(self, prompt: Prompt) -> None:
        self.pending.pop(prompt.id, None)
        self.running[prompt.id] = prompt

    def end(self, prompt: Prompt, status: str, outputs: dict[str, Any]) -> None:
        self.running.pop(prompt.id, None)
        self.history[prompt.id] = {
            "prompt": prompt.item,
            "outputs": outputs,
            "status": {
                "status_str": status,
                "completed": status == "success",
                "messages": prompt.messages,
            },
        }

    # Serving

    def started(self) -> Stage:
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(SPEED_LIMIT)
        return self

    def stopped(self) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self.loop).result(SPEED_LIMIT)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SPEED_LIMIT)
        self.loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    async def _open(self) -> int:
        app = web.Application(client_max_size=10 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return int(self.runner.addresses[0][1])

    async def _shut(self) -> None:
        await self.close_sockets()
        await self.runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(self.prefix)
        if path == "/ws":
            return await self._websocket(request)
        path = path.removeprefix("/api")
        body = await _read(request)
        self.seen.append(Seen(request.method, path, dict(request.query), dict(request.headers), body))
        order = next((order for order in self.orders if order.fits(request.method, path)), None)
        if order is None:
            return self._answer(request.method, path, dict(request.query), body)
        return await self._obey(order, request, path, body)

    async def _obey(self, order: Order, request: web.Request, path: str, body: Any) -> web.StreamResponse:
        order.times -= 1
        await asyncio.sleep(order.delay)
        if order.drop == "after":
            self._answer(request.method, path, dict(request.query), body)
        if order.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if order.body is not None:
            return web.json_response(order.body, status=order.status, headers=order.headers)
        return web.Response(
            status=order.status, text=order.text, content_type=order.content_type, headers=order.headers
        )

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> web.Response:
        first, _, rest = path.strip("/").partition("/")
        answer = getattr(self, f"_{method.lower()}_{first}", None)
        return web.Response(status=404) if answer is None else answer(rest, query, body)

    def _get_system_stats(self, rest: str, query: Any, body: Any) -> web.Response:
        device = {"name": "cpu", "type": "cpu", "index": None, "vram_total": 10, "vram_free": 4}
        system = {"comfyui_version": "0.28.0", "python_version": "3.11.7 (main)", "os": "linux"}
        return web.json_response({"system": system, "devices": [device]})

    def _get_features(self, rest: str, query: Any, body: Any) -> web.Response:
        return web.json_response({"max_upload_size": 104857600})

    def _get_object_info(self, rest: str, query: Any, body: Any) -> web.Response:
        return web.json_response({rest: self.nodes[rest]} if rest in self.nodes else {})

    def _get_models(self, rest: str, query: Any, body: Any) -> web.Response:
        return web.json_response(self.models[rest]) if rest in self.models else web.Response(status=404)

    def _get_view_metadata(self, rest: str, query: Any, body: Any) -> web.Response:
        found = self.metadata.get(query["filename"])
        return web.Response(status=404) if found is None else web.json_response(found)

    def _get_queue(self, rest: str, query: Any, body: Any) -> web.Response:
        items = {
            "queue_running": [prompt.item for prompt in self.running.values()],
            "queue_pending": [prompt.item for prompt in reversed(self.pending.values())],
        }
        return web.json_response(items)

    def _get_history(self, rest: str, query: Any, body: Any) -> web.Response:
        return web.json_response({rest: self.history[rest]} if rest in self.history else {})

    def _get_view(self, rest: str, query: Any, body: Any) -> web.Response:
        found = self.files.get(query["filename"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found, content_type="image/png")

    def _post_prompt(self, rest: str, query: Any, body: Any) -> web.Response:
        prompt = Prompt(self, body, len(self.prompts))
        self.prompts.append(prompt)
        self.pending[prompt.id] = prompt
        if self.script is not None:
            task = self.loop.create_task(self.script(prompt))  # type: ignore[arg-type]
            self.tasks.add(task)
        return web.json_response({"prompt_id": prompt.id, "number": prompt.number, "node_errors": {}})

    def _post_queue(self, rest: str, query: Any, body: Any) -> web.Response:
        for prompt_id in body["delete"]:
            self.pending.pop(prompt_id, None)
        return web.Response()

    def _post_interrupt(self, rest: str, query: Any, body: Any) -> web.Response:
        if body["prompt_id"] in self.running:
            self.running[body["prompt_id"]].cancelled.set()
        return web.Response()

    def _post_history(self, rest: str, query: Any, body: Any) -> web.Response:
        for prompt_id in body["delete"]:
            self.history.pop(prompt_id, None)
        return web.Response()

    def _post_jobs(self, rest: str, query: Any, body: Any) -> web.Response:
        if not self.has_jobs_api:
            return web.Response(status=405)
        prompt_id = rest.removesuffix("/cancel")
        found = self.running.get(prompt_id) or self.pending.pop(prompt_id, None)
        if found is not None:
            found.cancelled.set()
        return web.json_response({"cancelled": found is not None})

    def _post_upload(self, rest: str, query: Any, body: Any) -> web.Response:
        return web.json_response({"name": "a (1).png", "subfolder": body["subfolder"], "type": "input"})

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        order = next((order for order in self.orders if order.fits("GET", "/ws")), None)
        self.seen.append(Seen("GET", "/ws", dict(request.query), dict(request.headers), None))
        if order is not None and "/ws".startswith(order.path):
            order.times -= 1
            return web.Response(status=order.status)
        client_id = request.query["clientId"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[client_id] = socket
        status = {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client_id}
        await socket.send_json({"type": "status", "data": status})
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self.greetings.append(json.loads(message.data))
        finally:
            # As the real one does: whatever socket of this id closes, the id is forgotten.
            self.sockets.pop(client_id, None)
        return socket


async def _read(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type == "multipart/form-data":
        return dict(await request.post())
    return None
