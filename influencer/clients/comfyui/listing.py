"""What a server has: models, LoRAs, samplers, schedulers, and which family each file is of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from influencer.clients.comfyui.families import Family, detect
from influencer.clients.comfyui.nodes import options
from influencer.clients.comfyui.settings import ModelKind, Parts

FOLDERS = {ModelKind.CHECKPOINT: "checkpoints", ModelKind.DIFFUSION: "diffusion_models"}
METADATA_BUDGET_SECONDS = 3


@dataclass(frozen=True)
class ModelFile:
    """A model as the server names it; sub-folders are part of the name."""

    name: str
    kind: ModelKind
    family: Family | None = None


@dataclass(frozen=True)
class LoraFile:
    name: str
    family: Family | None = None


@dataclass(frozen=True)
class ModelList:
    checkpoints: tuple[ModelFile, ...] = ()
    diffusion_models: tuple[ModelFile, ...] = ()
    loras: tuple[LoraFile, ...] = ()
    samplers: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()
    text_encoders: tuple[str, ...] = ()
    vaes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[ModelFile, ...]:
        """Everything an image can be made with, all-in-one files first."""
        return self.checkpoints + self.diffusion_models

    def find(self, name: str) -> ModelFile | None:
        return next((model for model in self.models if model.name == name), None)

    def flux1_parts(self) -> Parts:
        """The encoders and VAE that a bare FLUX.1 model takes; empty names where none is there."""
        encoders = (_holding("clip_l", self.text_encoders), _holding("t5xxl", self.text_encoders))
        return Parts(tuple(filter(None, encoders)), _flux1_vae(self.vaes))


class Server(Protocol):
    def files(self, folder: str) -> tuple[str, ...]: ...
    def metadata(self, folder: str, name: str) -> Mapping[str, Any]: ...
    def object_info(self, class_type: str) -> Mapping[str, Any]: ...


def list_models(server: Server) -> ModelList:
    """Ask the server for everything; files are looked into for 3 s, then judged by their names."""
    deadline = time.monotonic() + METADATA_BUDGET_SECONDS

    def family(folder: str, name: str) -> Family | None:
        return detect(name, server.metadata(folder, name) if time.monotonic() < deadline else None)

    def models(kind: ModelKind) -> tuple[ModelFile, ...]:
        folder = FOLDERS[kind]
        return tuple(ModelFile(name, kind, family(folder, name)) for name in server.files(folder))

    sampler = server.object_info("KSampler")
    return ModelList(
        checkpoints=models(ModelKind.CHECKPOINT),
        diffusion_models=models(ModelKind.DIFFUSION),
        loras=tuple(LoraFile(name, family("loras", name)) for name in server.files("loras")),
        samplers=options(sampler, "sampler_name"),
        schedulers=options(sampler, "scheduler"),
        text_encoders=server.files("text_encoders"),
        vaes=server.files("vae"),
    )


def _holding(part: str, names: tuple[str, ...]) -> str:
    return next((name for name in names if part in name.lower()), "")


def _flux1_vae(names: tuple[str, ...]) -> str:
    usual = [name for name in names if name.lower().replace("\\", "/").rsplit("/", 1)[-1].startswith("ae.")]
    return usual[0] if usual else next((name for name in names if detect(name) is Family.FLUX1), "")
