"""One ComfyUI server: the calls this product makes to it (HTTP contract of ComfyUI 0.28.0)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from influencer.clients.comfyui import follow as following
from influencer.clients.comfyui import problems, reading
from influencer.clients.comfyui.address import Address
from influencer.clients.comfyui.families import Family, detect
from influencer.clients.comfyui.listing import FOLDERS, ModelList, list_models
from influencer.clients.comfyui.live import Live
from influencer.clients.comfyui.nodes import fit
from influencer.clients.comfyui.settings import ModelKind
from influencer.clients.comfyui.submitting import Submission
from influencer.clients.comfyui.transport import MEGABYTE, Answer, Call, Transport
from influencer.clients.comfyui.values import (
    Accepted,
    Event,
    Graph,
    ImageRef,
    LogLine,
    Outcome,
    Place,
    Queue,
    SystemStats,
    Timeouts,
)
from influencer.clients.errors import ServiceError

REMEMBERED_SECONDS = 60
IMAGE_LIMIT = 64 * MEGABYTE


def new_prompt_id() -> str:
    """An id to store before submitting: only with it can a lost job be found again."""
    return str(uuid.uuid4())


class ComfyUI:
    """A client of one server. Every call is bounded in time and raises `ServiceError`.

    `url` may carry a path prefix, `user:password@` and a query (`?token=…`) that every
    request repeats. What the server has is remembered for at most 60 s per instance.
    Not made for sharing between threads; use it as a context manager or `close()` it.
    """

    def __init__(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeouts: Timeouts | None = None
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        try:
            self.address = Address.parse(url, headers)
        except ValueError:
            raise problems.bad_address() from None
        self._transport = Transport(self.address, self.timeouts)
        self._remembered: dict[str, tuple[float, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    # The server

    def system_stats(self) -> SystemStats:
        """Version, memory and devices, the primary device first."""
        stats = self._transport.json("/system_stats")
        if not isinstance(stats, dict) or "system" not in stats:
            raise problems.not_comfyui(self.address.base, 200)
        return reading.system_stats(stats)

    def features(self) -> dict[str, Any]:
        """What the server says it can do; empty on servers from before there was such a call."""
        answer = self._transport.get("/features")
        return {} if answer.status == 404 else reading.mapping(self._transport.document(answer))

    def console(self) -> tuple[LogLine, ...]:
        """The last lines of the server's console. Not part of its API: be ready for a refusal."""
        return reading.console(self._transport.json("/internal/logs/raw"))

    def object_info(self, class_type: str) -> dict[str, Any]:
        """A node's definition; empty when the server does not have the node."""
        return self._remember(f"node {class_type}", lambda: self._object_info(class_type))

    def fitted(self, graph: Graph) -> Graph:
        """The graph with the inputs that this server's version of the nodes has."""
        classes = {node["class_type"] for node in graph.values()}
        return fit(graph, {name: self.object_info(name) for name in classes})

    # Models

    def models(self, *, fresh: bool = False) -> ModelList:
        """Everything to choose from. `fresh` asks the server again."""
        if fresh:
            self._remembered.clear()
        return self._remember("models", lambda: list_models(self))

    def family(self, name: str, kind: ModelKind = ModelKind.CHECKPOINT) -> Family | None:
        """The family of a model file, by the file's own word, else by its name."""
        return detect(name, self.metadata(FOLDERS[kind], name))

    def files(self, folder: str) -> tuple[str, ...]:
        """The files in one of the server's model folders; none when it has no such folder."""
        answer = self._transport.get(f"/models/{quote(folder)}")
        # A server without checkpoints has an empty folder; one without the folder is no ComfyUI.
        if answer.status == 404 and folder != "checkpoints":
            return ()
        names = self._transport.document(answer)
        return tuple(str(name) for name in names) if isinstance(names, list) else ()

    def metadata(self, folder: str, name: str) -> dict[str, Any]:
        """What a safetensors file says about itself; empty when it says nothing."""
        return self._remember(f"file {folder} {name}", lambda: self._metadata(folder, name))

    # Prompts

    def queue(self) -> Queue:
        return reading.queue(self._transport.json("/queue"))

    def place(self, prompt_id: str) -> Place | None:
        """Where a prompt stands; None when it is neither running nor waiting."""
        return self.queue().place(prompt_id)

    def history(self, prompt_id: str) -> Mapping[str, Any] | None:
        """The entry of a prompt that has ended; None before that, and after a restart."""
        entries = reading.mapping(self._transport.json(f"/history/{_checked(prompt_id)}"))
        entry = entries.get(prompt_id)
        return entry if isinstance(entry, dict) else None

    def submitted(self, prompt_id: str) -> bool | None:
        """Whether the server has the prompt, waiting, running or ended; None when it can't be asked.

        False also after the server was restarted: its queue and history live in memory.
        """
        try:
            # In this order: a prompt moves from the queue to the history in one step.
            return self.place(prompt_id) is not None or self.history(prompt_id) is not None
        except ServiceError:
            return None

    def submit(self, graph: Graph, *, prompt_id: str, client_id: str = "", reference: str = "") -> Accepted:
        """Queue a graph under the caller's own `prompt_id` (`new_prompt_id()`).

        Call it once per id: the server would run the same id again. When the answer gets
        lost, queue and history are asked; `ServiceError.outcome_unknown` then says that
        even this did not tell (ask `submitted` before another try). `client_id` is the
        websocket's and by default the prompt id, which is what `follow` listens to.
        `reference` (a job's id) comes back in queue and history.
        """
        body = {
            "prompt": graph,
            "prompt_id": _checked(prompt_id),
            "client_id": client_id or prompt_id,
            "extra_data": {"preview_method": "auto", "influencer": {"reference": reference}},
        }
        return Submission(self, self._transport, body).run()

    def follow(
        self,
        prompt_id: str,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        cancelled: Callable[[], bool] = lambda: False,
        pace: following.Pace | None = None,
    ) -> Outcome:
        """Wait for a prompt to end, also for one that a process now dead submitted.

        `on_event` gets queue positions, steps, previews and finished nodes; `cancelled` is
        asked every second. Raises a retryable `ServiceError` when the server stays silent
        for `pace.patience` seconds: the prompt may still run, so follow it again later.
        """
        return following.follow(self, prompt_id, on_event=on_event, cancelled=cancelled, pace=pace)

    def listen(self, client_id: str) -> Live:
        """Open the websocket of a client id. Raises `SocketGone`."""
        return Live.open(self.address, client_id, self.timeouts.connect)

    def cancel(self, prompt_id: str) -> bool:
        """Stop a prompt, waiting or running; False when the server has none of this id to stop."""
        answer = self._transport.post(f"/jobs/{_checked(prompt_id)}/cancel", {})
        if answer.status not in {404, 405}:
            return bool(reading.mapping(self._transport.document(answer)).get("cancelled"))
        return self._cancel_the_old_way(prompt_id)

    def delete_history(self, prompt_id: str) -> None:
        """Take an ended prompt out of the server's memory; its files stay."""
        self._require_ok(self._transport.post("/history", {"delete": [_checked(prompt_id)]}))

    # Files

    def fetch(self, image: ImageRef, *, limit: int = IMAGE_LIMIT) -> bytes:
        """An image's bytes, at most `limit` of them."""
        params = {"filename": image.filename, "subfolder": image.subfolder, "type": image.type}
        body = {"params": params}
        call = Call("GET", "/view", body, self.timeouts.transfer, size_limit=limit, may_redirect=True)
        answer = self._transport.send(call)
        if answer.location:
            answer = self._transport.fetch_elsewhere(answer.location, call)
        if answer.status == 404:
            raise problems.image_missing(image.filename)
        if answer.status != 200:
            raise self._bad(answer)
        if not answer.body or answer.content_type in {"text/html", "application/json"}:
            raise problems.damaged_image(image.filename)
        return answer.body

    def upload_image(
        self, name: str, content: bytes, *, subfolder: str = "", overwrite: bool = True
    ) -> ImageRef:
        """Put a file into the server's input folder; the answer has the name it really got."""
        body = {
            "files": {"image": (name, content)},
            "data": {"subfolder": subfolder, "type": "input", "overwrite": "true" if overwrite else ""},
        }
        answer = self._transport.send(Call("POST", "/upload/image", body, self.timeouts.transfer))
        stored = reading.mapping(self._transport.document(answer))
        if not stored.get("name"):
            raise problems.not_comfyui(self.address.base, answer.status)
        return ImageRef(
            str(stored["name"]), str(stored.get("subfolder") or ""), str(stored.get("type") or "input")
        )

    # Underneath

    def _object_info(self, class_type: str) -> dict[str, Any]:
        found = self._transport.json(f"/object_info/{quote(class_type, safe='')}")
        return reading.mapping(reading.mapping(found).get(class_type))

    def _metadata(self, folder: str, name: str) -> dict[str, Any]:
        try:
            answer = self._transport.get(f"/view_metadata/{quote(folder)}", filename=name)
            return reading.mapping(answer.json()) if answer.status == 200 else {}
        except (ServiceError, ValueError):
            return {}

    def _cancel_the_old_way(self, prompt_id: str) -> bool:
        """For servers before 0.26.0. The oldest interrupt whatever runs, so we look first."""
        if self.place(prompt_id) is None:
            return False
        self._require_ok(self._transport.post("/queue", {"delete": [prompt_id]}))
        place = self.place(prompt_id)
        if place is not None and place.running:
            self._require_ok(self._transport.post("/interrupt", {"prompt_id": prompt_id}))
        return True

    def _require_ok(self, answer: Answer) -> None:
        if answer.status != 200:
            raise self._bad(answer)

    def _bad(self, answer: Answer) -> ServiceError:
        return problems.bad_answer(self.address.base, answer.status, answer.body)

    def _remember(self, name: str, ask: Callable[[], Any]) -> Any:
        at, value = self._remembered.get(name, (0.0, None))
        if not at or time.monotonic() - at > REMEMBERED_SECONDS:
            value = ask()
            self._remembered[name] = (time.monotonic(), value)
        return value


def _checked(prompt_id: str) -> str:
    """Servers take only the canonical form, and the id becomes part of a path."""
    if str(uuid.UUID(prompt_id)) != prompt_id:
        raise ValueError("A prompt id is a lowercase, hyphenated UUID.")
    return prompt_id
