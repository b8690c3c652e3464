"""What passes between the ComfyUI client and its callers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from influencer.clients.errors import ServiceError

Graph = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Timeouts:
    """Seconds until a silent server is given up, per kind of call."""

    connect: float = 3.0
    read: float = 10.0
    submit: float = 30.0
    transfer: float = 60.0
    settle: float = 5.0
    """How long a lost answer to a submit is looked into before concluding."""


@dataclass(frozen=True)
class ImageRef:
    """A file on the server, as `/view` and `/upload/image` name it."""

    filename: str
    subfolder: str = ""
    type: str = "output"

    @property
    def as_input(self) -> str:
        """The value a LoadImage node takes for this file."""
        path = f"{self.subfolder}/{self.filename}" if self.subfolder else self.filename
        return path if self.type == "input" else f"{path} [{self.type}]"


@dataclass(frozen=True)
class Device:
    """One compute device; memory in bytes."""

    name: str
    type: str
    vram_total: int
    vram_free: int


@dataclass(frozen=True)
class SystemStats:
    version: str
    python: str
    pytorch: str
    os: str
    ram_total: int
    ram_free: int
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Place:
    """Where a prompt stands: running, or `position` in the queue (1 runs next)."""

    running: bool
    position: int = 0


@dataclass(frozen=True)
class Queue:
    """Prompt ids on the server, the pending ones in the order they will run."""

    running: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    def place(self, prompt_id: str) -> Place | None:
        """Where the prompt stands; None when it is not in the queue."""
        if prompt_id in self.running:
            return Place(running=True)
        if prompt_id in self.pending:
            return Place(running=False, position=self.pending.index(prompt_id) + 1)
        return None


@dataclass(frozen=True)
class Accepted:
    """The server has the prompt; `recovered` when only asking again showed so."""

    prompt_id: str
    number: float | None = None
    recovered: bool = False


class Ending(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"


@dataclass(frozen=True)
class Outcome:
    """How a prompt ended. `error` is there whenever it did not succeed.

    `cached` means that the server ran nothing and named the files of an earlier run;
    `seconds` is the server's own running time.
    """

    ending: Ending
    images: tuple[ImageRef, ...] = ()
    error: ServiceError | None = field(default=None, compare=False)
    cached: bool = False
    seconds: float | None = None

    @property
    def succeeded(self) -> bool:
        return self.ending is Ending.SUCCEEDED

    def result(self) -> tuple[ImageRef, ...]:
        """The images. Raises the `ServiceError` of a prompt that did not succeed."""
        if self.error is not None:
            raise self.error
        return self.images


@dataclass(frozen=True)
class LogLine:
    """A line of the server's console; `at` is its time by the server's own clock, good for comparing."""

    at: str
    text: str


@dataclass(frozen=True)
class Queued:
    """Waiting; `position` 1 runs next."""

    position: int


@dataclass(frozen=True)
class Started:
    """The server runs the prompt."""


@dataclass(frozen=True)
class Progress:
    """Step `step` of `steps` in the node with id `node`."""

    step: int
    steps: int
    node: str


@dataclass(frozen=True)
class Preview:
    """A small picture of the state so far."""

    jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class NodeFinished:
    node: str


Event = Queued | Started | Progress | Preview | NodeFinished
