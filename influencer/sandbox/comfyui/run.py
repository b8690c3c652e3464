"""One prompt from its first frame to its history entry."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from influencer.sandbox.comfyui import nodes, sampling, saving, training, trouble
from influencer.sandbox.comfyui.cache import Cache, Made, sign
from influencer.sandbox.comfyui.catalog import Catalog
from influencer.sandbox.comfyui.console import Console
from influencer.sandbox.comfyui.folders import Folders, OutsideFolder, name_for
from influencer.sandbox.comfyui.progress import Progress, describe
from influencer.sandbox.comfyui.queue import Item
from influencer.sandbox.comfyui.sockets import JPEG, PNG, Hub
from influencer.sandbox.comfyui.studio import Studio
from influencer.sandbox.comfyui.trouble import NodeFailed, Trouble

SAMPLERS = {"KSampler", "SamplerCustomAdvanced"}
SAVERS = {"SaveImage", "PreviewImage", "SaveImageWebsocket"}
STEP_SECONDS = 0.2
PREVIEW_METHODS = {"auto", "latent2rgb", "taesd"}


class Interrupted(Exception):
    """Someone asked this run to stop."""


@dataclass
class Bench:
    """What every run works with."""

    folders: Folders
    catalog: Catalog
    hub: Hub
    studio: Studio
    console: Console
    speed: float
    temp_prefix: str
    cache: Cache = field(default_factory=Cache)
    interrupt: asyncio.Event = field(default_factory=asyncio.Event)
    current_node: str | None = None


class Run:
    """The execution of one item; `execute` ends with the history entry."""

    def __init__(self, item: Item, bench: Bench, trouble_ahead: Trouble) -> None:
        self.item = item
        self.bench = bench
        self.trouble = trouble_ahead
        self.graph = item.graph
        self.messages: list[list[Any]] = []
        self.executed: list[str] = []
        self.progress = Progress(bench.hub, item.prompt_id, item.client_id)
        self.signatures: dict[str, str] = {}

    async def execute(self) -> dict[str, Any]:
        """Run every node the outputs need. Returns what the history keeps."""
        self.bench.interrupt.clear()
        self._message("execution_start", {})
        self.signatures = sign(self.graph, self.item.outputs, self.bench.folders)
        self._message("execution_cached", {"nodes": [node for node in self.signatures if self._made(node)]})
        completed = await self._nodes()
        self.bench.current_node = None
        self.bench.cache.keep_only(set(self.signatures.values()))
        return {**self._results(), **self._status(completed)}

    def broke(self, message: str) -> dict[str, Any]:
        """The history entry of a run that the stand-in itself could not carry out."""
        node_id = self.bench.current_node or self.item.outputs[0]
        self._message(
            "execution_error",
            {**self._where(node_id), **self._failure(node_id, NodeFailed("Exception", message))},
        )
        self.bench.current_node = None
        return {"outputs": {}, "meta": {}, **self._status(False)}

    def _status(self, completed: bool) -> dict[str, Any]:
        word = "success" if completed else "error"
        return {"status": {"status_str": word, "completed": completed, "messages": self.messages}}

    async def _nodes(self) -> bool:
        node_id = ""
        try:
            for_sure = set(self.item.outputs)
            waiting = self._needed()
            while waiting:
                node_id = self._next(waiting)
                waiting.remove(node_id)
                if node_id in for_sure and self._made(node_id):
                    self._show_again(node_id)
                else:
                    await self._node(node_id)
        except Interrupted:
            self._message("execution_interrupted", self._where(node_id), everyone=True)
            return False
        except NodeFailed as failure:
            self._message("execution_error", {**self._where(node_id), **self._failure(node_id, failure)})
            return False
        self._message("execution_success", {})
        return True

    def _needed(self) -> list[str]:
        """Uncached nodes upstream of the outputs, and the outputs themselves."""
        needed: list[str] = []

        def visit(node_id: str) -> None:
            if node_id in needed:
                return
            if not self._made(node_id):
                for source in self._sources(node_id):
                    if not self._made(source):
                        visit(source)
            needed.append(node_id)

        for output in self.item.outputs:
            visit(output)
        return needed

    def _next(self, waiting: list[str]) -> str:
        ready = [node for node in waiting if not set(self._sources(node)) & set(waiting)]
        return next((node for node in ready if node in self.item.outputs), ready[0])

    def _sources(self, node_id: str) -> list[str]:
        return [value[0] for value in self.graph[node_id]["inputs"].values() if isinstance(value, list)]

    async def _node(self, node_id: str) -> None:
        self.progress.start(node_id)
        self.bench.current_node = node_id
        self._send("executing", {"node": node_id, "display_node": node_id})
        await asyncio.sleep(0)
        self.check()
        made = await self._work(node_id)
        self.bench.cache.made[self.signatures[node_id]] = made
        self.executed.append(node_id)
        if made.ui is not None:
            self._send("executed", {"node": node_id, "display_node": node_id, "output": made.ui})
        self.progress.finish(node_id)

    async def _work(self, node_id: str) -> Made:
        name, inputs = self.graph[node_id]["class_type"], self._inputs(node_id)
        try:
            if name in SAMPLERS:
                return await self._sample(node_id, inputs)
            if name in training.WORK:
                return await training.WORK[name](self, node_id, inputs)
            if name in SAVERS:
                await trouble.halfway(self)
                return await self._save(name, inputs)
            definition = self.bench.catalog.definition(name) or {}
            return Made(nodes.evaluate(definition, inputs, self.bench.folders))
        except OutsideFolder:
            message = "**** ERROR: Saving image outside the output folder is not allowed."
            raise NodeFailed("Exception", message) from None
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise NodeFailed.of(error, str(self.bench.folders.root)) from error

    def _inputs(self, node_id: str) -> dict[str, Any]:
        return {
            name: self._linked(value) if isinstance(value, list) else value
            for name, value in self.graph[node_id]["inputs"].items()
        }

    def _linked(self, link: list[Any]) -> Any:
        made = self._made(link[0])
        return made.outputs[link[1]] if made else None

    async def _sample(self, node_id: str, inputs: dict[str, Any]) -> Made:
        task = sampling.task_of(inputs)
        result = task.result()
        for picture in result.pictures:
            self.bench.studio.begin(picture)
        previews = (
            sampling.Previews(result.pictures[0], self.bench.studio.call) if self._wants_preview() else None
        )
        started = time.monotonic()
        for step in range(1, task.steps + 1):
            duration = STEP_SECONDS * self.trouble.slowness / self.bench.speed
            await self.wait(started + step * duration - time.monotonic())
            if step * 2 >= task.steps:
                await trouble.halfway(self)
            self.step(node_id, (step, task.steps), await previews.at(step, task.steps) if previews else None)
        return Made((result, result)[: 2 if "guider" in inputs else 1])

    def step(self, node_id: str, step: tuple[int, int], preview: bytes | None = None) -> None:
        """Tell that step `step[0]` of `step[1]` is done."""
        value, total = step
        hub, client_id = self.bench.hub, self.item.client_id
        self.progress.step(node_id, value, total)
        described = client_id is not None and hub.wants_metadata(client_id)
        if preview and client_id and described:
            hub.send_described_image(preview, client_id, describe(node_id, self.item.prompt_id))
        self._send("progress", {"value": value, "max": total, "node": node_id})
        if preview and client_id and not described:
            hub.send_image(preview, client_id, kind=JPEG)

    def _wants_preview(self) -> bool:
        return self.item.client_id is not None and self.item.extra.get("preview_method") in PREVIEW_METHODS

    async def _save(self, name: str, inputs: dict[str, Any]) -> Made:
        pictures, info = inputs["images"], saving.text_chunks(self.graph, self.item.extra)
        if name == "SaveImageWebsocket":
            for picture in pictures:
                await self._send_saved(await self.bench.studio.begin(picture), info)
            return Made(())
        kind = "output" if name == "SaveImage" else "temp"
        prefix = inputs["filename_prefix"] if kind == "output" else self.bench.temp_prefix
        naming = name_for(self.bench.folders.of(kind), prefix, pictures[0].size)
        write = saving.write_broken if self.trouble.corrupts else saving.write
        shown = []
        for index, picture in enumerate(pictures):
            image = await self.bench.studio.begin(picture)
            await self.bench.studio.call(write, naming.folder / naming.file(index), image, info)
            shown.append({"filename": naming.file(index), "subfolder": naming.subfolder, "type": kind})
        return Made((pictures,), {"images": shown})

    async def _send_saved(self, image: Any, info: Any) -> None:
        content = await self.bench.studio.call(saving.encode, image, info)
        if self.item.client_id:
            self.bench.hub.send_image(content, self.item.client_id, kind=PNG)

    def _show_again(self, node_id: str) -> None:
        """A cached output node reports its old file again."""
        made = self._made(node_id)
        shown = {"node": node_id, "display_node": node_id, "output": made.ui if made else None}
        self._send("executed", shown)
        self.progress.finish(node_id)

    def check(self) -> None:
        if self.bench.interrupt.is_set():
            raise Interrupted

    def lose_socket(self) -> None:
        self.bench.hub.drop(self.item.client_id)

    async def wait(self, seconds: float) -> None:
        """Let time pass; an interrupt ends it at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self.bench.interrupt.wait()
        self.check()

    def _made(self, node_id: str) -> Made | None:
        return self.bench.cache.made.get(self.signatures[node_id])

    def _results(self) -> dict[str, Any]:
        shown = {
            node: made.ui for node in self.signatures if (made := self._made(node)) and made.ui is not None
        }
        meta = {
            node: {"node_id": node, "display_node": node, "parent_node": None, "real_node_id": node}
            for node in shown
        }
        return {"outputs": shown, "meta": meta}

    def _where(self, node_id: str) -> dict[str, Any]:
        return {"node_id": node_id, "node_type": self.graph[node_id]["class_type"], "executed": self.executed}

    def _failure(self, node_id: str, failure: NodeFailed) -> dict[str, Any]:
        return {
            "exception_message": failure.message,
            "exception_type": failure.kind,
            "traceback": failure.traceback,
            "current_inputs": {key: [value] for key, value in self.graph[node_id]["inputs"].items()},
            "current_outputs": [node for node in self.signatures if self._made(node)],
        }

    def _message(self, event: str, body: dict[str, Any], *, everyone: bool = False) -> None:
        """A message that is also kept in the history."""
        message = {**body, "prompt_id": self.item.prompt_id, "timestamp": time.time_ns() // 1_000_000}
        self.messages.append([event, message])
        if everyone:
            self.bench.hub.send(event, message)
        else:
            self._send(event, message)

    def _send(self, event: str, body: dict[str, Any]) -> None:
        """To the client that asked, if it left its id."""
        if self.item.client_id is not None:
            self.bench.hub.send(event, {**body, "prompt_id": self.item.prompt_id}, self.item.client_id)
