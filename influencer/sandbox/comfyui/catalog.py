"""What the stand-in offers: node definitions and model files."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from influencer.sandbox.comfyui.folders import KINDS, Folders, OutsideFolder
from influencer.sandbox.faults import Faults

Definition = dict[str, Any]

# The folders ComfyUI 0.28 lists at /models.
MODEL_FOLDERS = [
    "checkpoints",
    "configs",
    "loras",
    "vae",
    "text_encoders",
    "diffusion_models",
    "clip_vision",
    "style_models",
    "embeddings",
    "diffusers",
    "vae_approx",
    "controlnet",
    "gligen",
    "upscale_models",
    "latent_upscale_models",
    "custom_nodes",
    "hypernetworks",
    "photomaker",
    "classifiers",
    "model_patches",
    "audio_encoders",
    "background_removal",
    "frame_interpolation",
    "geometry_estimation",
    "optical_flow",
    "detection",
]
SHIPPED = {
    "checkpoints": (
        "flux1-dev-fp8.safetensors",
        "sd_xl_base_1.0.safetensors",
        "sdxl_dreamshaper.safetensors",
        "v1-5-pruned-emaonly-fp16.safetensors",
    ),
    "loras": ("film_grain_xl.safetensors", "kai_v2.safetensors", "luna_v3.safetensors"),
    "diffusion_models": ("qwen_image_2512_fp8_e4m3fn.safetensors", "z_image_turbo_bf16.safetensors"),
    "text_encoders": ("qwen_2.5_vl_7b_fp8_scaled.safetensors", "qwen_3_4b.safetensors"),
    "vae": ("ae.safetensors", "qwen_image_vae.safetensors"),
    "embeddings": ("badhands.safetensors",),
}
SDXL = "stable-diffusion-xl-v1-base"
METADATA = {
    "sdxl_dreamshaper.safetensors": {"modelspec.architecture": SDXL, "modelspec.title": "DreamShaper XL"},
    "sd_xl_base_1.0.safetensors": {"modelspec.architecture": SDXL, "modelspec.title": "SD XL 1.0 base"},
    "v1-5-pruned-emaonly-fp16.safetensors": {"modelspec.architecture": "stable-diffusion-v1"},
    "luna_v3.safetensors": {"modelspec.architecture": f"{SDXL}/lora", "ss_output_name": "luna_v3"},
    "kai_v2.safetensors": {"modelspec.architecture": f"{SDXL}/lora", "ss_output_name": "kai_v2"},
    "film_grain_xl.safetensors": {
        "modelspec.architecture": f"{SDXL}/lora",
        "ss_output_name": "film_grain_xl",
    },
}
LISTS = {
    "ckpt_name": "checkpoints",
    "lora_name": "loras",
    "unet_name": "diffusion_models",
    "vae_name": "vae",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
}
# Recorded, but nothing here can run them.
LEFT_OUT = {
    "CreateList",
    "LoadTrainingDataset",
    "LossGraphNode",
    "ResolutionBucket",
    "SaveTrainingDataset",
}
# A client asks whether these exist before it offers training.
TRAINING = {
    "LoadImageDataSetFromFolder",
    "LoadImageTextDataSetFromFolder",
    "LoraModelLoader",
    "MakeTrainingDataset",
    "SaveLoRA",
    "TrainLoraNode",
}


class Catalog:
    """Node definitions with the lists of models as they are now."""

    def __init__(self, folders: Folders, faults: Faults) -> None:
        self.folders = folders
        self.faults = faults

    @cached_property
    def _recorded(self) -> dict[str, Definition]:
        nodes = json.loads(Path(__file__).with_name("nodes.json").read_bytes())
        return {name: node for name, node in nodes.items() if name not in LEFT_OUT}

    def definitions(self) -> dict[str, Definition]:
        return {name: self._live(node) for name, node in self._recorded.items() if self._has(name)}

    def definition(self, name: str) -> Definition | None:
        """The definition as `/object_info/<name>` gives it; None for an unknown class."""
        node = self._recorded.get(name)
        return self._live(node) if node and self._has(name) else None

    def _has(self, name: str) -> bool:
        """An older server lacks the training nodes."""
        return name not in TRAINING or self.faults.peek("comfyui", "no_training") is None

    def models(self, folder: str) -> list[str]:
        """The model names of a folder: what the sandbox ships, and files put or made there."""
        names = {*SHIPPED.get(folder, ()), *_below(self.folders.models / folder)}
        if folder == "loras":
            names |= _below(self.folders.trained_loras)
        return sorted(names - self._missing(names))

    def metadata(self, folder: str, name: str) -> dict[str, str] | None:
        return METADATA.get(name) if name in self.models(folder) else None

    def inputs(self) -> list[str]:
        """The uploaded files of the top level, as `LoadImage` lists them."""
        return sorted(path.name for path in self.folders.of("input").glob("*") if path.is_file())

    def has_image(self, name: str) -> bool:
        try:
            return self.folders.annotated(name).is_file()
        except (OutsideFolder, OSError, ValueError):
            return False

    def files(self, kind: str) -> list[str]:
        found = (path for path in self.folders.of(kind).glob("*") if path.is_file())
        return [f"{path.name} [{kind}]" for path in sorted(found)] if kind in KINDS else []

    def _missing(self, names: set[str]) -> set[str]:
        fault = self.faults.peek("comfyui", "missing_model")
        if fault is None:
            return set()
        return {fault.args["model"]} if "model" in fault.args else names

    def _live(self, node: Definition) -> Definition:
        inputs = {
            section: {name: self._config(node["name"], name, config) for name, config in members.items()}
            for section, members in node["input"].items()
        }
        # Fields every node has and the recording left out.
        rest = {
            "is_input_list": False,
            "display_name": node["name"],
            "description": "",
            "python_module": "nodes",
        }
        return {**rest, **node, "input": inputs}

    def _config(self, node: str, name: str, config: Any) -> Any:
        names = self._names(node, name)
        if names is None or not isinstance(config, list):
            return config
        if config[0] == "COMBO":
            return ["COMBO", {**config[1], "options": names}]
        return [names, *config[1:]]

    def _names(self, node: str, name: str) -> list[str] | None:
        if node == "LoadImage" and name == "image":
            return self.inputs()
        if name == "folder":
            return self.folders.data_sets()
        if name == "existing_lora":
            return ["[None]", *self.models("loras")]
        if node == "CLIPVisionLoader" and name == "clip_name":
            return self.models("clip_vision")
        if name not in LISTS:
            return None
        return self.models(LISTS[name]) + (["pixel_space"] if name == "vae_name" else [])


def _below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
