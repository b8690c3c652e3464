"""The training graph: the shape that ran, what the family changes, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import influencer.sandbox.comfyui as stand_in
from influencer.clients.comfyui import (
    Family,
    ModelKind,
    Parts,
    TrainingSettings,
    build_training,
    detect,
    lora_prefix,
    trainable,
    training_defaults,
)
from influencer.clients.comfyui.nodes import fit
from influencer.clients.comfyui.training_graph import slug
from influencer.errors import Invalid

NODES = json.loads(Path(stand_in.__file__).with_name("nodes.json").read_text())
NINA = TrainingSettings(
    model="CKPT.safetensors",
    family=Family.SDXL,
    folder="trainsets/nina-20261123-ab12cd",
    prefix="loras/nina_ab12cd",
    steps=1000,
    rank=16,
    learning_rate=0.0005,
    seed=1,
)
# As a real ComfyUI 0.28.0 ran it.
RECORDED = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "CKPT.safetensors"}},
    "2": {
        "class_type": "LoadImageTextDataSetFromFolder",
        "inputs": {"folder": "trainsets/nina-20261123-ab12cd"},
    },
    "3": {
        "class_type": "MakeTrainingDataset",
        "inputs": {"images": ["2", 0], "texts": ["2", 1], "vae": ["1", 2], "clip": ["1", 1]},
    },
    "4": {
        "class_type": "TrainLoraNode",
        "inputs": {
            "model": ["1", 0],
            "latents": ["3", 0],
            "positive": ["3", 1],
            "batch_size": 1,
            "grad_accumulation_steps": 1,
            "steps": 1000,
            "learning_rate": 0.0005,
            "rank": 16,
            "optimizer": "AdamW",
            "loss_function": "MSE",
            "seed": 1,
            "training_dtype": "bf16",
            "lora_dtype": "bf16",
            "quantized_backward": False,
            "algorithm": "LoRA",
            "gradient_checkpointing": True,
            "checkpoint_depth": 1,
            "offloading": False,
            "existing_lora": "[None]",
            "bucket_mode": False,
            "bypass_mode": False,
        },
    },
    "5": {
        "class_type": "SaveLoRA",
        "inputs": {"lora": ["4", 0], "prefix": "loras/nina_ab12cd", "steps": ["4", 2]},
    },
}


def trainer(settings: TrainingSettings) -> dict[str, Any]:
    return dict(fit(build_training(settings), NODES)["4"]["inputs"])


def test_the_graph_is_the_one_that_ran_with_the_servers_defaults_for_the_rest() -> None:
    assert fit(build_training(NINA), NODES) == RECORDED


def test_inputs_an_older_server_does_not_have_are_left_out() -> None:
    older = json.loads(json.dumps(NODES))
    for name in ("bypass_mode", "quantized_backward"):
        del older["TrainLoraNode"]["input"]["required"][name]
    inputs = fit(build_training(NINA), older)["4"]["inputs"]
    assert {"bypass_mode", "quantized_backward"}.isdisjoint(inputs)
    assert inputs["steps"] == 1000


def test_inputs_a_newer_server_requires_get_its_own_default() -> None:
    newer = json.loads(json.dumps(NODES))
    newer["TrainLoraNode"]["input"]["required"]["warmup"] = ["INT", {"default": 12}]
    assert fit(build_training(NINA), newer)["4"]["inputs"]["warmup"] == 12


def test_quantised_weights_are_trained_around() -> None:
    inputs = trainer(replace(NINA, model="flux1-dev-fp8.safetensors", family=Family.FLUX1))
    assert (inputs["training_dtype"], inputs["bypass_mode"]) == ("none", True)


def test_flux_as_a_bare_model_brings_its_parts() -> None:
    parts = Parts(("clip_l.safetensors", "t5xxl_fp16.safetensors"), "ae.safetensors")
    flux = replace(
        NINA, family=Family.FLUX1, model="flux1-dev.safetensors", kind=ModelKind.DIFFUSION, parts=parts
    )
    graph = build_training(flux)
    assert graph["1"]["inputs"] == {"unet_name": "flux1-dev.safetensors", "weight_dtype": "default"}
    assert graph["3"]["inputs"] == {"images": ["2", 0], "texts": ["2", 1], "vae": ["7", 0], "clip": ["6", 0]}
    assert graph["6"]["inputs"]["clip_name2"] == "t5xxl_fp16.safetensors"
    assert graph["7"]["inputs"] == {"vae_name": "ae.safetensors"}
    with pytest.raises(Invalid, match="two text encoders") as refused:
        build_training(replace(flux, parts=Parts((), "")))
    assert refused.value.code == "model_incomplete"


def test_other_bare_models_are_refused() -> None:
    with pytest.raises(Invalid, match="checkpoints folder"):
        build_training(replace(NINA, kind=ModelKind.DIFFUSION))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 9),
        ("steps", 20_001),
        ("rank", 0),
        ("rank", 129),
        ("learning_rate", 0.0),
        ("learning_rate", 0.2),
        ("learning_rate", float("nan")),
        ("seed", -1),
        ("prefix", "loras/../x"),
        ("prefix", "nina"),
    ],
)
def test_values_the_server_would_refuse_or_choke_on_are_named(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        build_training(replace(NINA, **{field: value}))
    assert list(refused.value.fields) == [field]


def test_each_family_has_its_own_beginning() -> None:
    assert {family: training_defaults(family).resolution for family in trainable()} == {
        Family.SD15: 512,
        Family.SDXL: 1024,
        Family.FLUX1: 1024,
    }


@pytest.mark.parametrize("family", [Family.QWEN_IMAGE, None])
def test_other_families_are_refused_with_those_that_can(family: Family | None) -> None:
    with pytest.raises(Invalid, match=r"FLUX\.1, SD 1\.5, SDXL") as refused:
        training_defaults(family)
    assert refused.value.code == "family_unsupported"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Luna", "luna"),
        ("  Émilie & Zoë  ", "emilie_zoe"),
        ("../../etc/passwd", "etc_passwd"),
        ("日本", ""),
        ("x" * 99, "x" * 40),
    ],
)
def test_a_name_becomes_one_every_server_takes(name: str, made: str) -> None:
    assert slug(name) == made


@pytest.mark.parametrize("name", ["Luna", "日本", "Chroma", "Fluxia XL"])
@pytest.mark.parametrize("family", sorted(trainable()))
def test_the_files_name_tells_the_family_whatever_the_character_is_called(name: str, family: Family) -> None:
    prefix = lora_prefix(name, family, "ab12cd34")
    assert prefix.startswith("loras/")
    assert detect(f"{prefix.removeprefix('loras/')}_1000_steps_00001_.safetensors") is family
