"""The faults the stand-in can commit, in a run and on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from influencer.sandbox.faults import Fault, Faults

IN_A_RUN = ("slow", "oom", "stall", "restart", "drop_websocket", "silent_websocket", "corrupt_image")
ON_THE_WIRE = ("html", "error500", "down", "late", "lost_answer")
IN_A_TRAINING = ("train_oom", "train_nan", "train_stall")
IN_THE_LISTS = ("missing_model", "no_training")
ALL = (*IN_A_RUN, *ON_THE_WIRE, *IN_A_TRAINING, *IN_THE_LISTS)
STALL_SECONDS = 3600.0
OUT_OF_MEMORY = """Allocation on device 0 would exceed allowed memory. (out of memory)
Currently allocated     : 22.61 GiB
Requested               : 4.50 GiB
Device limit            : 23.99 GiB

This error means you ran out of memory on your GPU.

TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."""


class NodeFailed(Exception):
    """A node raised: `kind` is the exception's full type name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = f"{message}\n"
        self.traceback = ['  File "ComfyUI/execution.py", line 543, in execute\n    output_data = …\n']

    @classmethod
    def of(cls, error: Exception, root: str) -> NodeFailed:
        """The failure of a node, with this machine's folder named as ComfyUI names its own."""
        module = type(error).__module__
        name = type(error).__qualname__
        return cls(name if module == "builtins" else f"{module}.{name}", str(error).replace(root, "ComfyUI"))


@dataclass
class Trouble:
    """The faults one run will meet; each is met once."""

    ahead: dict[str, Fault]
    restart: Callable[[float], None]

    @classmethod
    def take(cls, faults: Faults, restart: Callable[[float], None]) -> Trouble:
        found = {name: faults.take("comfyui", name) for name in IN_A_RUN}
        return cls({name: fault for name, fault in found.items() if fault}, restart)

    @property
    def slowness(self) -> float:
        return self._number("slow", "factor", 10.0) if "slow" in self.ahead else 1.0

    @property
    def corrupts(self) -> bool:
        return "corrupt_image" in self.ahead

    @property
    def silences(self) -> bool:
        return "silent_websocket" in self.ahead

    def meet(self, name: str) -> Fault | None:
        return self.ahead.pop(name, None)

    def _number(self, name: str, argument: str, default: float) -> float:
        return float(self.ahead[name].args.get(argument, default))


class Victim(Protocol):
    """A run, as far as trouble can reach it."""

    trouble: Trouble

    def lose_socket(self) -> None: ...
    async def wait(self, seconds: float) -> None: ...


async def halfway(run: Victim) -> None:
    """The point in a run where most things go wrong."""
    if run.trouble.meet("drop_websocket"):
        run.lose_socket()
    if run.trouble.meet("oom"):
        raise NodeFailed("torch.OutOfMemoryError", OUT_OF_MEMORY)
    if fault := run.trouble.meet("restart"):
        run.trouble.restart(_seconds(fault, 0.0))
        await asyncio.Event().wait()
    if fault := run.trouble.meet("stall"):
        await run.wait(_seconds(fault, STALL_SECONDS))


async def halfway_in_training(run: Victim, faults: Faults) -> bool:
    """The same point in a training; true when its numbers are no numbers from here on."""
    await halfway(run)
    if faults.take("comfyui", "train_oom"):
        raise NodeFailed("torch.OutOfMemoryError", OUT_OF_MEMORY)
    if fault := faults.take("comfyui", "train_stall"):
        await run.wait(_seconds(fault, STALL_SECONDS))
    return faults.take("comfyui", "train_nan") is not None


def _seconds(fault: Fault, default: float) -> float:
    value: Any = fault.args.get("seconds", default)
    return float(value)
