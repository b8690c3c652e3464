"""The graphs, against those a real server accepted and against its node definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from influencer.clients.comfyui import (
    Family,
    GenerationSettings,
    Graph,
    ModelKind,
    ModelList,
    Parts,
    build,
    require_supported,
    settings_for,
    supported,
)
from influencer.clients.comfyui.nodes import fit, options
from influencer.errors import Invalid

HERE = Path(__file__).parent
RECORDED: dict[str, Graph] = json.loads((HERE / "recorded_graphs.json").read_text())
NODES: dict[str, Any] = json.loads((HERE / "recorded_nodes.json").read_text())
FILES = {"ckpt_name", "unet_name", "lora_name", "clip_name1", "clip_name2", "vae_name"}
FLUX_PARTS = Parts(("clip_l.safetensors", "t5xxl_fp16.safetensors"), "ae.safetensors")


def settings(family: Family, model: str, **more: Any) -> GenerationSettings:
    given = {
        "prompt": "POSITIVE PROMPT",
        "negative": "NEGATIVE PROMPT",
        "lora": "character_lora.safetensors",
        "seed": 1,
        "prefix": "dash/PREFIX",
        **more,
    }
    return settings_for(family, model, **given)


def family_cases() -> dict[str, GenerationSettings]:
    return {
        "sd15": settings(Family.SD15, "v1-5-pruned-emaonly-fp16.safetensors", width=512, height=768),
        "sdxl": settings(Family.SDXL, "sd_xl_base_1.0.safetensors"),
        "flux1_checkpoint": settings(Family.FLUX1, "flux1-dev-fp8.safetensors"),
        "flux1_split": settings(
            Family.FLUX1, "flux1-dev.safetensors", kind=ModelKind.DIFFUSION, parts=FLUX_PARTS
        ),
    }


CASES = family_cases()


def faults_of(graph: Graph) -> Iterator[str]:
    """What the real server's validation would say, in short."""
    if not any(NODES[node["class_type"]]["output_node"] for node in graph.values()):
        yield "no output node"
    for node_id, node in graph.items():
        definition = NODES[node["class_type"]]
        for name, spec in definition["input"].get("required", {}).items():
            if name not in node["inputs"]:
                yield f"{node_id}: {name} is missing"
                continue
            yield from (f"{node_id}.{name}: {fault}" for fault in input_faults(graph, name, spec, node))


def input_faults(graph: Graph, name: str, spec: list[Any], node: dict[str, Any]) -> Iterator[str]:
    value, kind = node["inputs"][name], spec[0]
    limits = spec[1] if len(spec) > 1 else {}
    if isinstance(value, list):
        source = graph.get(value[0])
        outputs = NODES[source["class_type"]]["output"] if source else []
        if value[1] >= len(outputs) or outputs[value[1]] != kind:
            yield f"{value} is no {kind}"
    elif name in FILES:
        return
    elif choices := options(NODES[node["class_type"]], name):
        if value not in choices:
            yield f"{value} not in list"
    elif kind in {"INT", "FLOAT"}:
        if not isinstance(value, (int, float)) or not limits["min"] <= value <= limits["max"]:
            yield f"{value} out of range"
    elif kind != "STRING":
        yield f"{kind} needs a link"


@pytest.mark.parametrize("name", RECORDED)
def test_the_validator_accepts_what_the_real_server_accepted(name: str) -> None:
    assert list(faults_of(RECORDED[name])) == []


@pytest.mark.parametrize("name", CASES)
def test_each_family_makes_the_graph_the_real_server_accepted(name: str) -> None:
    assert build(CASES[name]) == RECORDED[name]


@pytest.mark.parametrize("name", CASES)
def test_without_a_lora_the_loader_feeds_its_consumers(name: str) -> None:
    graph = build(replace(CASES[name], lora=""))

    assert list(faults_of(graph)) == []
    assert not any("Lora" in node["class_type"] for node in graph.values())
    assert len(graph) == len(RECORDED[name]) - 1


@pytest.mark.parametrize("name", ["flux1_checkpoint", "flux1_split"])
def test_schnell_takes_no_guidance(name: str) -> None:
    schnell = settings_for(
        Family.FLUX1,
        "flux1-schnell.safetensors",
        prompt="x",
        seed=1,
        prefix="a",
        kind=CASES[name].kind,
        parts=CASES[name].parts,
    )
    graph = build(schnell)

    assert list(faults_of(graph)) == []
    assert not any(node["class_type"] == "FluxGuidance" for node in graph.values())
    assert schnell.steps == 4


def test_settings_given_win_over_the_familys_and_none_does_not() -> None:
    made = settings(Family.SDXL, "x.safetensors", steps=12, cfg=None, sampler="euler", count=3)
    graph = build(made)

    sampler = next(node for node in graph.values() if node["class_type"] == "KSampler")["inputs"]
    assert (sampler["steps"], sampler["cfg"], sampler["sampler_name"]) == (12, 7.0, "euler")
    assert graph["5"]["inputs"] == {"width": 1024, "height": 1024, "batch_size": 3}


@pytest.mark.parametrize("seed", [0, 2**53 - 1])
def test_the_smallest_and_the_largest_seed_are_fine(seed: int) -> None:
    assert list(faults_of(build(replace(CASES["sdxl"], seed=seed)))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", ""),
        ("width", 1020),
        ("height", 8192),
        ("steps", 0),
        ("cfg", -1),
        ("seed", 2**53),
        ("seed", -1),
        ("count", 9),
        ("count", 0),
        ("lora_strength", 11),
        ("prefix", ""),
        ("prefix", "../x"),
        ("prefix", "%date%"),
        ("prefix", "/x"),
    ],
)
def test_what_the_server_would_refuse_is_named_by_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        build(replace(CASES["sdxl"], **{field: value}))

    assert list(caught.value.fields) == [field]
    assert caught.value.message == caught.value.fields[field][0]


def test_flux_sizes_divide_by_sixteen() -> None:
    with pytest.raises(Invalid, match="divide by 16"):
        build(replace(CASES["flux1_checkpoint"], width=1032))


def test_three_families_can_be_used() -> None:
    assert supported() == {Family.SD15, Family.SDXL, Family.FLUX1}


@pytest.mark.parametrize(
    ("family", "said"), [(Family.QWEN_IMAGE, "Qwen-Image models can't be used"), (None, "is not known")]
)
def test_other_families_are_refused_with_a_sentence(family: Family | None, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        require_supported(family)
    assert caught.value.code == "family_unsupported"
    assert "FLUX.1, SD 1.5, SDXL" in caught.value.message


def test_a_bare_sdxl_model_is_refused() -> None:
    with pytest.raises(Invalid, match="checkpoints folder"):
        build(replace(CASES["sdxl"], kind=ModelKind.DIFFUSION))


def test_a_bare_flux_model_without_its_encoders_is_refused() -> None:
    with pytest.raises(Invalid, match="two text encoders"):
        build(replace(CASES["flux1_split"], parts=Parts((), "")))


def test_the_parts_of_a_bare_flux_model_are_found_among_the_servers_files() -> None:
    encoders = ("clip_g.safetensors", "flux/clip_l.safetensors", "t5xxl_fp8.safetensors")
    models = ModelList(
        text_encoders=encoders, vaes=("pixel_space", "flux2-vae.safetensors", "ae.safetensors")
    )

    assert models.flux1_parts() == Parts(encoders[1:], "ae.safetensors")
    assert ModelList().flux1_parts() == Parts((), "")


@pytest.mark.parametrize("name", CASES)
def test_fitting_to_the_recorded_server_changes_nothing(name: str) -> None:
    assert fit(RECORDED[name], NODES) == RECORDED[name]


def test_fitting_drops_what_the_server_does_not_know() -> None:
    older = json.loads(json.dumps(NODES["DualCLIPLoader"]))
    del older["input"]["optional"]

    fitted = fit(RECORDED["flux1_split"], {"DualCLIPLoader": older})

    assert "device" not in fitted["2"]["inputs"]
    assert "device" in RECORDED["flux1_split"]["2"]["inputs"]
    assert fitted["6"] == RECORDED["flux1_split"]["6"]


def test_fitting_fills_what_a_newer_server_requires() -> None:
    newer = json.loads(json.dumps(NODES["SaveImage"]))
    newer["input"]["required"] |= {
        "quality": ["INT", {"default": 90}],
        "format": ["COMBO", {"options": ["png", "webp"]}],
        "mode": [["fast", "slow"], {}],
        "note": ["STRING", {}],
        "mask": ["MASK"],
    }

    inputs = fit(RECORDED["sdxl"], {"SaveImage": newer})["8"]["inputs"]

    assert inputs == {
        "images": ["7", 0],
        "filename_prefix": "dash/PREFIX",
        "quality": 90,
        "format": "png",
        "mode": "fast",
        "note": "",
    }


def test_fitting_keeps_growing_inputs() -> None:
    graph = {"1": {"class_type": "CreateList", "inputs": {"inputs.input0": ["2", 0], "nonsense": 1}}}

    assert fit(graph, NODES)["1"]["inputs"] == {"inputs.input0": ["2", 0]}


def test_both_shapes_of_a_choice_are_read() -> None:
    assert options(NODES["KSampler"], "scheduler")[:2] == ("simple", "sgm_uniform")
    assert options(NODES["TrainLoraNode"], "optimizer")[0] == "AdamW"
    assert options(NODES["KSampler"], "steps") == ()
    assert options({}, "steps") == ()
