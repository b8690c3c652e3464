"""The graph that trains a LoRA, in the shape a real ComfyUI 0.28.0 ran.

To add a family: its line in `DEFAULTS` and, unless its model is one file, its loaders in `_loaders`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from influencer.clients.comfyui.families import Family, detect
from influencer.clients.comfyui.settings import LARGEST_SEED, ModelKind, Parts
from influencer.clients.comfyui.values import Graph
from influencer.errors import Invalid

# What a server must have; older ones call some of them otherwise and number their outputs differently.
NODES = ("LoadImageTextDataSetFromFolder", "MakeTrainingDataset", "TrainLoraNode", "SaveLoRA")
TRAINER = "4"
FOLDER = "trainsets"
LORAS = "loras"
# Weights that can't be trained on as they are.
QUANTISED = re.compile(r"fp8|nf4|int8|gguf", re.IGNORECASE)
LIMITS = {"steps": (10, 20_000), "rank": (1, 128), "learning_rate": (1e-7, 0.1), "resolution": (256, 1536)}
LONGEST_SLUG = 40


@dataclass(frozen=True)
class TrainingDefaults:
    """Where to begin with a family: side in pixels of a square picture, steps, rank, learning rate."""

    resolution: int
    steps: int
    rank: int = 16
    learning_rate: float = 0.0005


DEFAULTS = {
    Family.SD15: TrainingDefaults(512, 1000),
    Family.SDXL: TrainingDefaults(1024, 1500, learning_rate=0.0003),
    Family.FLUX1: TrainingDefaults(1024, 1500, learning_rate=0.0004),
}


@dataclass(frozen=True)
class TrainingSettings:
    """One training. `folder` lies in the server's input, `prefix` says where the LoRA goes.

    Both must never have been used before: a server reads a folder once, and counts from an older file.
    """

    model: str
    family: Family
    folder: str
    prefix: str
    steps: int
    rank: int
    learning_rate: float
    seed: int
    kind: ModelKind = ModelKind.CHECKPOINT
    parts: Parts = field(default_factory=lambda: Parts((), ""))


def trainable() -> frozenset[Family]:
    """The families a LoRA can be trained for."""
    return frozenset(DEFAULTS)


def training_defaults(family: Family | None) -> TrainingDefaults:
    """Where to begin. Raises `Invalid` (`family_unsupported`) for families that can't be trained."""
    if family in DEFAULTS:
        return DEFAULTS[family]
    usable = ", ".join(sorted(known.label for known in DEFAULTS))
    what = f"LoRAs for {family.label}" if family else "LoRAs for a model of unknown family"
    message = f"{what} can't be trained here. Choose a model of {usable}."
    raise Invalid(message, code="family_unsupported", fields={"baseModel": [message]})


def slug(name: str) -> str:
    """A file's name that every server takes: a-z, 0-9 and underscores."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST_SLUG].strip("_")


def lora_prefix(name: str, family: Family, token: str) -> str:
    """`loras/<name>_<family>_<token>`. The file has no metadata: its name must tell the family."""
    start = slug(name) or "character"
    if detect(start) is not None:
        start = "character"
    return f"{LORAS}/{start}_{family}_{token}"


def build_training(settings: TrainingSettings) -> Graph:
    """The graph in the server's API format. Raises `Invalid` with `fields`."""
    training_defaults(settings.family)
    _check(settings)
    model, clip, vae, loaders = _loaders(settings)
    quantised = bool(QUANTISED.search(settings.model))
    return {
        **loaders,
        "2": _node("LoadImageTextDataSetFromFolder", folder=settings.folder),
        "3": _node("MakeTrainingDataset", images=["2", 0], texts=["2", 1], vae=vae, clip=clip),
        TRAINER: _node(
            "TrainLoraNode",
            model=model,
            latents=["3", 0],
            positive=["3", 1],
            steps=settings.steps,
            rank=settings.rank,
            learning_rate=settings.learning_rate,
            seed=settings.seed,
            # Pictures of different shapes are taken one by one anyway.
            batch_size=1,
            grad_accumulation_steps=1,
            training_dtype="none" if quantised else "bf16",
            gradient_checkpointing=True,
            existing_lora="[None]",
            bypass_mode=quantised,
        ),
        "5": _node("SaveLoRA", lora=[TRAINER, 0], prefix=settings.prefix, steps=[TRAINER, 2]),
    }


def _check(settings: TrainingSettings) -> None:
    wrong = {
        name: [f"{name} must be {low:g} to {high:g}."]
        for name, (low, high) in LIMITS.items()
        if hasattr(settings, name) and not low <= getattr(settings, name) <= high
    }
    if not 0 <= settings.seed <= LARGEST_SEED:
        wrong["seed"] = [f"seed must be 0 to {LARGEST_SEED}."]
    if not re.fullmatch(rf"{LORAS}/[\w-]+", settings.prefix):
        wrong["prefix"] = ["The LoRA's name can't be used."]
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)


def _loaders(settings: TrainingSettings) -> tuple[list[Any], list[Any], list[Any], Graph]:
    """Links to model, text encoder and VAE, and the nodes that load them."""
    if settings.kind is ModelKind.CHECKPOINT:
        loader = _node("CheckpointLoaderSimple", ckpt_name=settings.model)
        return ["1", 0], ["1", 1], ["1", 2], {"1": loader}
    first, second = _encoders(settings)
    return (
        ["1", 0],
        ["6", 0],
        ["7", 0],
        {
            "1": _node("UNETLoader", unet_name=settings.model, weight_dtype="default"),
            "6": _node("DualCLIPLoader", clip_name1=first, clip_name2=second, type="flux", device="default"),
            "7": _node("VAELoader", vae_name=settings.parts.vae),
        },
    )


def _encoders(settings: TrainingSettings) -> tuple[str, str]:
    if settings.family is not Family.FLUX1:
        message = f"A {settings.family.label} model must lie in the server's checkpoints folder."
        raise Invalid(message, code="family_unsupported", fields={"baseModel": [message]})
    if len(settings.parts.text_encoders) != 2 or not settings.parts.vae:
        message = (
            "FLUX.1 as a bare model needs two text encoders (clip_l and t5xxl) and the VAE ae on the server."
        )
        raise Invalid(message, code="model_incomplete", fields={"baseModel": [message]})
    return settings.parts.text_encoders[0], settings.parts.text_encoders[1]


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}
