"""Prompts, queue, history and what the server says of itself."""

from __future__ import annotations

import re
import sys
import time
import uuid
from typing import Any

from aiohttp import web

from influencer.sandbox.comfyui.queue import Item
from influencer.sandbox.comfyui.server import Comfy
from influencer.sandbox.comfyui.sockets import FEATURES
from influencer.sandbox.comfyui.validation import reason, validate

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STRIPPED = ("auth_token_comfy_org", "api_key_comfy_org")
GIGABYTE = 1024**3
VERSION = "0.28.0"


class Routes:
    """Handlers of one stand-in."""

    def __init__(self, comfy: Comfy) -> None:
        self.comfy = comfy

    def table(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/system_stats", self.system_stats),
            ("GET", "/features", self.features),
            ("GET", "/prompt", self.queue_length),
            ("POST", "/prompt", self.submit),
            ("GET", "/queue", self.queue),
            ("POST", "/queue", self.change_queue),
            ("GET", "/history", self.history),
            ("GET", "/history/{prompt_id}", self.history_entry),
            ("POST", "/history", self.change_history),
            ("POST", "/interrupt", self.interrupt),
            ("POST", "/free", self.free),
            ("GET", "/object_info", self.object_info),
            ("GET", "/object_info/{name}", self.one_object_info),
            ("GET", "/users", self.users),
            ("GET", "/internal/logs", self.logs),
            ("GET", "/internal/logs/raw", self.raw_logs),
            ("PATCH", "/internal/logs/subscribe", self.read_logs_along),
            ("GET", "/ws", self.websocket),
        ]

    async def system_stats(self, _request: web.Request) -> web.Response:
        memory = {"ram_total": 24 * GIGABYTE, "ram_free": 20 * GIGABYTE}
        total, free = 12 * GIGABYTE, 10 * GIGABYTE
        return web.json_response(
            {
                "system": {
                    "os": sys.platform,
                    **memory,
                    "comfyui_version": VERSION,
                    "python_version": sys.version,
                    "pytorch_version": "sandbox (nothing is computed)",
                    "embedded_python": False,
                    "deploy_environment": "sandbox",
                    "argv": ["main.py"],
                },
                "devices": [
                    {
                        "name": "sandbox",
                        "type": "cpu",
                        "index": None,
                        "vram_total": total,
                        "vram_free": free,
                        "torch_vram_total": total,
                        "torch_vram_free": free,
                    }
                ],
            }
        )

    async def features(self, _request: web.Request) -> web.Response:
        return web.json_response(FEATURES)

    async def users(self, _request: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": False})

    async def logs(self, _request: web.Request) -> web.Response:
        return web.json_response(self.comfy.console.text())

    async def raw_logs(self, _request: web.Request) -> web.Response:
        entries = list(self.comfy.console.entries)
        return web.json_response({"entries": entries, "size": {"cols": 80, "rows": 24}})

    async def read_logs_along(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        self.comfy.console.subscribe(str(body.get("clientId")), enabled=bool(body.get("enabled")))
        return web.Response()

    async def queue_length(self, _request: web.Request) -> web.Response:
        return web.json_response(self.comfy.status())

    async def submit(self, request: web.Request) -> web.Response:
        """Queue a graph, or say exactly what is wrong with it."""
        body = await json_object(request)
        self.comfy.console.say("got prompt")
        number = self._number(body)
        if "prompt" not in body:
            error = reason("no_prompt", "No prompt provided", "No prompt provided")
            return _refused(error)
        prompt_id = body.get("prompt_id", str(uuid.uuid4()))
        if not isinstance(prompt_id, str) or not CANONICAL_UUID.fullmatch(prompt_id):
            return _refused(reason("invalid_prompt_id", "prompt_id must be a valid UUID", BAD_ID))
        return await self._accept(request, body, number=number, prompt_id=prompt_id)

    async def _accept(
        self, request: web.Request, body: dict[str, Any], *, number: float, prompt_id: str
    ) -> web.Response:
        comfy, graph = self.comfy, body["prompt"]
        if not isinstance(graph, dict):
            raise server_error()
        verdict = validate(graph, comfy.catalog, targets=body.get("partial_execution_targets"))
        comfy.faults.take("comfyui", "missing_model")
        if verdict.error:
            return _refused(verdict.error, verdict.node_errors)
        comfy.queue.put(Item(number, prompt_id, graph, _extra(body), verdict.outputs))
        comfy.hub.send_status()
        if comfy.faults.take("comfyui", "lost_answer"):
            abort(request)
        return web.json_response(
            {"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors}
        )

    def _number(self, body: dict[str, Any]) -> float:
        if "number" in body:
            return float(body["number"])
        number = -self.comfy.number if body.get("front") else self.comfy.number
        self.comfy.number += 1
        return number

    async def queue(self, _request: web.Request) -> web.Response:
        queue = self.comfy.queue
        running = [queue.running.as_json()] if queue.running else []
        pending = [item.as_json() for item in queue.pending]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def change_queue(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if body.get("clear"):
            self.comfy.queue.clear()
        for prompt_id in body.get("delete", []):
            self.comfy.queue.delete(prompt_id)
        self.comfy.hub.send_status()
        return web.Response()

    async def history(self, request: web.Request) -> web.Response:
        max_items, offset = request.query.get("max_items"), request.query.get("offset", "-1")
        try:
            page = self.comfy.queue.page(int(max_items) if max_items is not None else None, int(offset))
        except ValueError:
            raise server_error() from None
        return web.json_response(page)

    async def history_entry(self, request: web.Request) -> web.Response:
        """Unknown, pending and running prompts all answer `{}`."""
        prompt_id = request.match_info["prompt_id"]
        entry = self.comfy.queue.history.get(prompt_id)
        return web.json_response({prompt_id: entry} if entry else {})

    async def change_history(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if body.get("clear"):
            self.comfy.queue.history.clear()
        for prompt_id in body.get("delete", []):
            self.comfy.queue.history.pop(prompt_id, None)
        return web.Response()

    async def interrupt(self, request: web.Request) -> web.Response:
        """An id interrupts only that prompt; no id, or no JSON at all, whatever runs."""
        try:
            body = await request.json()
        except ValueError:
            body = {}
        prompt_id = body.get("prompt_id") if isinstance(body, dict) else None
        self.comfy.worker.interrupt(prompt_id or None)
        return web.Response()

    async def free(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        self.comfy.free(memory=bool(body.get("free_memory")))
        return web.Response()

    async def object_info(self, _request: web.Request) -> web.Response:
        return web.json_response(self.comfy.catalog.definitions())

    async def one_object_info(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        definition = self.comfy.catalog.definition(name)
        return web.json_response({name: definition} if definition else {})

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        return await self.comfy.hub.serve(request, greet=self._current_node)

    def _current_node(self, client_id: str) -> dict[str, Any] | None:
        """Who comes back in the middle of a run is told the node, and nothing else."""
        node = self.comfy.bench.current_node
        return {"node": node} if node is not None and self.comfy.worker.client_id == client_id else None


BAD_ID = (
    "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
    "omit it to let the server generate one"
)


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in (body.get("extra_data") or {}).items() if key not in STRIPPED}
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    return {**extra, "create_time": time.time_ns() // 1_000_000}


def _refused(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": error, "node_errors": node_errors or {}}, status=400)


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as an object. Anything else is a 500, as ComfyUI answers it."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise server_error()
    return body


def server_error() -> web.HTTPInternalServerError:
    text = "500 Internal Server Error\n\nServer got itself in trouble"
    return web.HTTPInternalServerError(text=text)


def abort(request: web.Request) -> None:
    """Reset the connection before an answer is sent."""
    if request.transport is not None:
        request.transport.abort()
