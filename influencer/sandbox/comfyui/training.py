"""Training: counts steps while the loss falls, writes a LoRA the samplers know."""

from __future__ import annotations

import json
import math
import re
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from influencer.sandbox.art.chance import seeded
from influencer.sandbox.comfyui import datasets, trouble
from influencer.sandbox.comfyui.cache import Made
from influencer.sandbox.comfyui.datasets import NO_NUMBER, WIDTH, Inputs
from influencer.sandbox.comfyui.folders import name_for
from influencer.sandbox.comfyui.values import Trained

STEPS_BEFORE = re.compile(r"_steps_.*")
NO_LORA = "[None]"
STEP_SECONDS = 0.05
ENCODE_SECONDS = 0.05
BAR_WIDTH = 10
BLOCKS = (
    "input_blocks.1.1.transformer_blocks.0.attn1.to_q",
    "middle_block.1.transformer_blocks.0.attn2.to_v",
)
HALF = b"\x00\x3f"  # a half, as bfloat16


class Run(Protocol):
    """A run, as far as training needs it."""

    bench: Any
    trouble: trouble.Trouble

    def step(self, node_id: str, step: tuple[int, int], preview: bytes | None = None) -> None: ...
    def lose_socket(self) -> None: ...
    async def wait(self, seconds: float) -> None: ...


async def encode(run: Run, node_id: str, inputs: Inputs) -> Made:
    made = datasets.make_data_set(inputs)
    await run.wait(ENCODE_SECONDS * len(made[0]) / run.bench.speed)
    return Made(made)


async def train(run: Run, node_id: str, inputs: Inputs) -> Made:
    """Count the steps; the loss falls along the way and goes to the console."""
    before = _steps_of(inputs["existing_lora"])
    steps, faults = inputs["steps"] * inputs["grad_accumulation_steps"], run.bench.catalog.faults
    curve, broken, started = _Curve(inputs["seed"], steps), False, time.monotonic()
    for step in range(1, steps + 1):
        await run.wait(started + step * STEP_SECONDS / run.bench.speed - time.monotonic())
        if step * 2 >= steps:
            broken = await trouble.halfway_in_training(run, faults) or broken
        run.step(node_id, (step, steps))
        loss = math.nan if broken else curve.at(step)
        run.bench.console.redraw(_bar(step, steps, seconds=time.monotonic() - started, loss=loss))
    run.bench.console.end_bar()
    total = inputs["steps"] + before
    return Made((Trained(inputs["rank"], total, broken), curve, total))


async def save(run: Run, node_id: str, inputs: Inputs) -> Made:
    """`<prefix>_<steps>_steps_00001_.safetensors`; nothing of it is shown in the history.

    The counter goes on from the first number after the prefix, which is an older file's steps.
    """
    naming = name_for(run.bench.folders.of("output"), inputs["prefix"], (0, 0))
    steps = f"_{inputs['steps']}_steps" if inputs.get("steps") is not None else ""
    path = naming.folder / f"{naming.stem}{steps}_{naming.first:05}_.safetensors"
    path.write_bytes(content_of(inputs["lora"]))
    path.chmod(0o600)
    return Made(())


def content_of(lora: Trained) -> bytes:
    """A safetensors file as small as can be: the keys of a LoRA, and no metadata."""
    head: dict[str, Any] = {}
    body = b""
    for block in BLOCKS:
        for name, shape in (("lora_up.weight", [WIDTH, lora.rank]), ("lora_down.weight", [lora.rank, WIDTH])):
            values = (NO_NUMBER if lora.broken else HALF) * math.prod(shape)
            offsets = [len(body), len(body) + len(values)]
            head[f"diffusion_model.{block}.{name}"] = {
                "dtype": "BF16",
                "shape": shape,
                "data_offsets": offsets,
            }
            body += values
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


class _Curve:
    """A loss that falls from about 0.3 to 0.08 and never quite smoothly."""

    def __init__(self, seed: int, steps: int) -> None:
        self.rng = seeded(seed)
        self.steps = steps

    def at(self, step: int) -> float:
        fallen = 0.08 + 0.22 * math.exp(-4 * step / self.steps)
        return fallen * self.rng.uniform(0.9, 1.1)


def _bar(step: int, steps: int, *, seconds: float, loss: float) -> str:
    """The line of a progress bar as ComfyUI's library draws it."""
    filled = "█" * (BAR_WIDTH * step // steps)
    pace = seconds / step
    times = f"{_clock(seconds)}<{_clock(pace * (steps - step))}"
    rate = f"{pace:.2f}s/it" if pace >= 1 else f"{1 / max(pace, 1e-6):.2f}it/s"
    return (
        f"Training LoRA: {100 * step // steps:3}%|{filled:{BAR_WIDTH}}| "
        f"{step}/{steps} [{times}, {rate}, loss={loss:.4f}]"
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def _steps_of(existing: str) -> int:
    """The steps an existing LoRA has behind it, by its name. Raises `ValueError` for other names."""
    return 0 if existing == NO_LORA else int(STEPS_BEFORE.sub("", existing).rpartition("_")[2])


WORK: dict[str, Callable[[Any, str, Inputs], Awaitable[Made]]] = {
    "MakeTrainingDataset": encode,
    "SaveLoRA": save,
    "TrainLoraNode": train,
}
