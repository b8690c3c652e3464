"""What decides a picture: the settings of one generation, checked against their family."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from influencer.clients.comfyui import families
from influencer.clients.comfyui.families import Family

LARGEST_SEED = 2**53 - 1
MOST_IMAGES = 8


class ModelKind(StrEnum):
    """The server's folder a model lies in: all in one file, or the bare model."""

    CHECKPOINT = "checkpoint"
    DIFFUSION = "diffusion"


@dataclass(frozen=True)
class Parts:
    """The files a bare diffusion model needs beside it."""

    text_encoders: tuple[str, ...]
    vae: str


@dataclass(frozen=True)
class GenerationSettings:
    """Everything that decides the picture; with `prefix`, the name of its file on the server.

    Sizes are pixels, `seed` 0…2^53−1, `count` images are made at once. `negative` has no
    effect in FLUX, `guidance` only in FLUX (None leaves it out, as schnell wants it).
    """

    prompt: str
    model: str
    family: Family
    width: int
    height: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    seed: int
    prefix: str
    negative: str = ""
    lora: str = ""
    lora_strength: float = 0.8
    count: int = 1
    guidance: float | None = None
    kind: ModelKind = ModelKind.CHECKPOINT
    parts: Parts = field(default_factory=lambda: Parts((), ""))


def faults(settings: GenerationSettings) -> dict[str, list[str]]:
    """What the server would refuse, or make a bad picture of, by field."""
    multiple = families.defaults(settings.family).multiple
    checks = {
        "model": (bool(settings.model), "Choose a model."),
        "width": (_size(settings.width, multiple), f"Width must be 64 to 4096 and divide by {multiple}."),
        "height": (_size(settings.height, multiple), f"Height must be 64 to 4096 and divide by {multiple}."),
        "steps": (1 <= settings.steps <= 150, "Steps must be 1 to 150."),
        "cfg": (0 <= settings.cfg <= 100, "CFG must be 0 to 100."),
        "seed": (0 <= settings.seed <= LARGEST_SEED, f"Seed must be 0 to {LARGEST_SEED}."),
        "count": (1 <= settings.count <= MOST_IMAGES, f"Count must be 1 to {MOST_IMAGES}."),
        "lora_strength": (-10 <= settings.lora_strength <= 10, "LoRA strength must be -10 to 10."),
        # The server would replace %…%, and fail on a path that leads outside.
        "prefix": (
            bool(re.fullmatch(r"\w[\w-]*(/\w[\w-]*)*", settings.prefix)),
            "The file name can't be used.",
        ),
    }
    return {name: [message] for name, (fine, message) in checks.items() if not fine}


def _size(pixels: int, multiple: int) -> bool:
    return 64 <= pixels <= 4096 and pixels % multiple == 0
