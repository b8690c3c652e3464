"""Training on a ComfyUI server: whether it can, the pictures sent, short looks at how far it is.

A training takes minutes to hours, so nothing here waits for its end: `look` takes moments and is
called again and again. History and queue tell the truth; console and websocket add step and loss.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from influencer.clients.comfyui.frames import Frame
from influencer.clients.comfyui.hints import Hints
from influencer.clients.comfyui.history import outcome_of
from influencer.clients.comfyui.live import SocketGone
from influencer.clients.comfyui.problems import trouble
from influencer.clients.comfyui.training_graph import LORAS, NODES, TRAINER
from influencer.clients.comfyui.values import Ending, ImageRef, LogLine, Outcome, Place, Progress
from influencer.clients.errors import ServiceError

LISTEN_SECONDS = 2.0
BAR = re.compile(r"(\d+)/(\d+) \[[^\]]*loss=([0-9.naninfe+-]+)", re.IGNORECASE)
MISMATCH = "does not match number of images"
UPDATE = "Update ComfyUI there to 0.3.76 or later, or add another server to COMFYUI_URL."

Loss = tuple[tuple[int, float], ...]


class Socket(Protocol):
    def read(self, seconds: float) -> Frame | None: ...
    def close(self) -> None: ...


class Server(Protocol):
    """The calls that training needs; `ComfyUI` has them."""

    def object_info(self, class_type: str) -> Mapping[str, Any]: ...
    def upload_image(self, name: str, content: bytes, *, subfolder: str = ...) -> ImageRef: ...
    def history(self, prompt_id: str) -> Mapping[str, Any] | None: ...
    def place(self, prompt_id: str) -> Place | None: ...
    def console(self) -> tuple[LogLine, ...]: ...
    def listen(self, client_id: str) -> Socket: ...
    def files(self, folder: str) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Look:
    """What one look showed. Neither `place` nor `outcome`: the server does not know the prompt.

    `step` is 0 and `loss` empty while the server does not tell. `mark` is how far the console
    has been read; the next look begins there, so that it never takes another training's lines.
    """

    place: Place | None = None
    outcome: Outcome | None = None
    step: int = 0
    loss: Loss = ()
    mark: str = ""

    @property
    def diverged(self) -> bool:
        """Whether the loss is no number any more: what is trained from here on is worthless."""
        return any(not math.isfinite(value) for _, value in self.loss)


def missing_nodes(server: Server) -> tuple[str, ...]:
    """The nodes for training that a server lacks; none when it can train."""
    return tuple(name for name in NODES if not server.object_info(name))


def unavailable(where: str, missing: Iterable[str]) -> ServiceError:
    """A server that can't train. `where` is its shown address."""
    names = ", ".join(missing)
    return trouble(
        f"The ComfyUI at {where} can't train: it lacks {names}.", "training_unavailable", fix=UPDATE
    )


def send(server: Server, name: str, content: bytes, *, folder: str) -> None:
    """Put a picture or text into a data set folder. Raises `ServiceError`."""
    kept = server.upload_image(name, content, subfolder=folder)
    # A data set is a folder; hosted servers are known to put every upload into one place.
    if (kept.filename, kept.subfolder.replace("\\", "/")) != (name, folder):
        raise trouble(
            "This ComfyUI does not keep uploads in folders, which training needs.",
            "training_unavailable",
            fix="Train on a ComfyUI of your own.",
        )


def console_mark(server: Server) -> str:
    """The time of the console's newest line, by the server's clock; empty when it shows none."""
    lines = _console(server)
    return lines[-1].at if lines else ""


def look(server: Server, prompt_id: str, *, steps: int, mark: str = "") -> Look:
    """How far a training is: a few requests, at most 2 s of listening. Raises `ServiceError`."""
    if entry := server.history(prompt_id):
        return _ended(server, entry, steps=steps, mark=mark)
    place = server.place(prompt_id)
    if place is None:
        # It may have moved from the queue to the history in between.
        entry = server.history(prompt_id)
        return _ended(server, entry, steps=steps, mark=mark) if entry else Look(mark=mark)
    if not place.running:
        return Look(place=place, mark=console_mark(server) or mark)
    loss = _loss(server, steps=steps, mark=mark)
    step = loss[-1][0] if loss else _listen(server, prompt_id)
    return Look(place=place, step=step, loss=loss, mark=mark)


def find_lora(server: Server, prefix: str) -> str:
    """The file a training with this prefix left, by the server's name for it; empty when there is none."""
    start = f"{prefix.removeprefix(f'{LORAS}/')}_"
    found = (name for name in server.files(LORAS) if name.replace("\\", "/").startswith(start))
    return next(found, "")


def diverged(step: int, learning_rate: float) -> ServiceError:
    return trouble(
        f"The loss was no number any more at step {step}: the training went astray.",
        "loss_nan",
        fix=f"Train again with a lower learning rate, {learning_rate / 4:g} for example.",
    )


def without_file() -> ServiceError:
    return trouble(
        "ComfyUI finished the training, but its list has no such LoRA.",
        "lora_missing",
        fix="Look at ComfyUI's console and whether its output folder can be written, then train again.",
    )


def _ended(server: Server, entry: Mapping[str, Any], *, steps: int, mark: str) -> Look:
    outcome = outcome_of(entry)
    if outcome.error is not None:
        outcome = replace(outcome, error=explained(outcome.error, outcome.ending))
    return Look(outcome=outcome, loss=_loss(server, steps=steps, mark=mark), mark=mark)


def lost() -> ServiceError:
    return trouble(
        "ComfyUI lost this training: it was restarted, or the job was deleted from its queue.",
        "lost",
        fix="Train again; nothing is left of the steps so far.",
        retryable=True,
    )


def explained(error: ServiceError, ending: Ending = Ending.FAILED) -> ServiceError:
    """The same failure in words that fit a training."""
    if ending is Ending.INTERRUPTED:
        return trouble("The training was stopped on the server.", "interrupted", fix="Train again.")
    said = str(error.details.get("message") or "")
    for code, sign, message, fix in MEANINGS:
        if error.code == code and sign in f"{said} {error.details.get('exception')}":
            return trouble(message, CODES.get(sign, code), fix=fix, details=error.details)
    return error


MEANINGS = (
    (
        "out_of_memory",
        "",
        "The server ran out of graphics memory while training.",
        "Choose a smaller resolution or rank or a smaller base model, or close what else uses the card.",
    ),
    (
        "execution_failed",
        MISMATCH,
        "The server found another number of captions than of images.",
        "Train again: the images are sent once more into a new folder.",
    ),
    (
        "execution_failed",
        "UnidentifiedImageError",
        "A training image arrived damaged at the server.",
        "Train again: the images are sent once more into a new folder.",
    ),
    (
        "disk_full",
        "",
        "The disk of the ComfyUI machine is full.",
        "Make room there, then train again.",
    ),
)
CODES = {MISMATCH: "captions_mismatch", "UnidentifiedImageError": "data_set_damaged"}


def _loss(server: Server, *, steps: int, mark: str) -> Loss:
    """(step, loss) of the training that now runs, as far as the console still shows it."""
    found: dict[int, float] = {}
    for line in _console(server):
        for step, total, value in BAR.findall(line.text) if line.at > mark else ():
            if int(total) != steps:
                continue
            if int(step) < max(found, default=0):
                found = {}  # a bar that begins anew is another training's
            found[int(step)] = _number(value)
    return tuple(found.items())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _console(server: Server) -> tuple[LogLine, ...]:
    """ComfyUI promises no console over HTTP: one without counts as silent."""
    try:
        return server.console()
    except ServiceError:
        return ()


def _listen(server: Server, prompt_id: str) -> int:
    """The step the websocket tells within 2 s; 0 when it tells none."""
    try:
        socket = server.listen(prompt_id)
    except SocketGone:
        return 0
    try:
        return _step(socket, Hints(prompt_id))
    except SocketGone:
        return 0
    finally:
        socket.close()


def _step(socket: Socket, hints: Hints) -> int:
    deadline = time.monotonic() + LISTEN_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        frame = socket.read(left)
        if frame is None or not hints.concern(frame):
            continue
        for event in hints.events(frame):
            if isinstance(event, Progress) and event.node == TRAINER:
                return event.step
        if hints.ended(frame):
            break
    return 0
