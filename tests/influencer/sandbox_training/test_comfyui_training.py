"""The ComfyUI stand-in trains: what is said on the way, and the file at the end."""

from __future__ import annotations

import json
import math
import struct
from itertools import pairwise
from typing import Any

import pytest
import requests

from tests.influencer.sandbox.bench import PATIENCE, Comfy, eventually, node, txt2img
from tests.influencer.sandbox_training.trainings import FOLDER, error_of, graph, losses, put, put_data_set

TRAINED = "nina_ab12cd34_20_steps_00001_.safetensors"
NODES = ("TrainLoraNode", "SaveLoRA", "MakeTrainingDataset", "LoadImageTextDataSetFromFolder")


def loras(comfy: Comfy) -> list[str]:
    return list(comfy.get("/models/loras").json())


def subscribe(comfy: Comfy, client_id: str, enabled: bool = True) -> None:
    body = {"clientId": client_id, "enabled": enabled}
    answer = requests.patch(f"{comfy.url}/internal/logs/subscribe", json=body, timeout=PATIENCE)
    assert answer.status_code == 200


def with_lora(name: str, **more: Any) -> Any:
    made = txt2img(text="portrait of a woman, nina_character", **more)
    made["2"] = node("LoraLoader", model=["4", 0], clip=["4", 1], lora_name=name, strength_model=1.0)
    made["2"]["inputs"]["strength_clip"] = 1.0
    made["3"]["inputs"]["model"] = ["2", 0]
    return made


def picture(comfy: Comfy, made: Any) -> bytes:
    """The decoded part of the file: the recipe inside differs anyway."""
    content = comfy.output(comfy.run(made))[0].read_bytes()
    return content[content.index(b"IDAT") :]


def test_the_training_nodes_are_offered_with_the_folders_and_loras_there_are(comfy: Comfy) -> None:
    put_data_set(comfy)
    definitions = {name: comfy.get(f"/object_info/{name}").json()[name] for name in NODES}
    folder = definitions["LoadImageTextDataSetFromFolder"]["input"]["required"]["folder"]
    assert folder[1]["options"] == ["trainsets", FOLDER]
    existing = definitions["TrainLoraNode"]["input"]["required"]["existing_lora"]
    assert existing[1]["options"] == ["[None]", *loras(comfy)]


def test_a_training_leaves_a_lora_that_is_listed_at_once(comfy: Comfy) -> None:
    put_data_set(comfy)
    entry = comfy.run(graph())
    assert entry["status"]["status_str"] == "success"
    assert entry["outputs"] == {}
    assert TRAINED in loras(comfy)
    path = comfy.folder / "output" / "loras" / TRAINED
    assert path.stat().st_mode & 0o777 == 0o600
    fetched = comfy.get(f"/view?type=output&subfolder=loras&filename={TRAINED}")
    assert fetched.content == path.read_bytes()
    assert comfy.get(f"/view_metadata/loras?filename={TRAINED}").status_code == 404


def test_the_file_is_a_safetensors_file_with_a_loras_keys(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph(rank=4))
    content = (comfy.folder / "output" / "loras" / TRAINED).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + length])
    assert "__metadata__" not in head
    assert all(name.startswith("diffusion_model.") for name in head)
    assert {name.rpartition(".lora_")[2] for name in head} == {"up.weight", "down.weight"}
    assert max(entry["data_offsets"][1] for entry in head.values()) == len(content) - 8 - length


def test_a_used_prefix_counts_on_from_the_steps_of_older_files(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph(steps=4, prefix="loras/nina_v1"))
    comfy.run(graph(steps=6, prefix="loras/nina_v1"))
    assert {"nina_v1_4_steps_00001_.safetensors", "nina_v1_6_steps_00005_.safetensors"} <= set(loras(comfy))


def test_each_step_is_told_and_the_loss_falls(comfy: Comfy) -> None:
    put_data_set(comfy)
    listener = comfy.listen("me")
    subscribe(comfy, "me")
    comfy.submit(graph(), client_id="me")
    frames = [frame for frame in listener.until_done() if isinstance(frame, dict)]
    told = [frame["data"] for frame in frames if frame["type"] == "progress"]
    assert [(data["value"], data["max"], data["node"]) for data in told] == [
        (step, 20, "4") for step in range(1, 21)
    ]
    logged = [frame["data"] for frame in frames if frame["type"] == "logs"]
    assert all(data["size"] is None for data in logged)
    curve = losses([entry["m"] for data in logged for entry in data["entries"]])
    assert len(curve) == 20
    assert sum(curve[-5:]) < sum(curve[:5]) / 2
    assert not all(after < before for before, after in pairwise(curve))


def test_the_console_keeps_only_the_newest_line_of_a_bar(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph())
    entries = eventually(
        lambda: (
            (found := comfy.get("/internal/logs/raw").json()["entries"])
            and "executed" in found[-1]["m"]
            and found
        )
    )
    bars = [entry["m"] for entry in entries if "Training LoRA" in entry["m"]]
    assert len(bars) == 1
    assert bars[0].startswith("\rTraining LoRA: 100%|██████████| 20/20 [")


def test_who_unsubscribes_or_leaves_gets_no_more_lines(comfy: Comfy) -> None:
    put_data_set(comfy)
    listener = comfy.listen("me")
    subscribe(comfy, "me")
    subscribe(comfy, "gone")
    subscribe(comfy, "me", enabled=False)
    comfy.submit(graph(), client_id="me")
    assert not any(isinstance(frame, dict) and frame["type"] == "logs" for frame in listener.until_done())


def test_the_internal_addresses_have_no_second_form(comfy: Comfy) -> None:
    assert comfy.get("/internal/logs/raw").status_code == 200
    assert comfy.get("/api/internal/logs/raw").status_code == 404


def test_the_picture_differs_with_and_without_the_lora_whatever_the_trigger_word(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph())
    without = picture(comfy, txt2img(text="portrait of a woman, nina_character"))
    with_it = picture(comfy, with_lora(TRAINED))
    assert with_it != without
    assert with_it == picture(comfy, with_lora(TRAINED, prefix="t/again"))


def test_a_lora_can_be_used_in_the_graph_that_trains_it(comfy: Comfy) -> None:
    put_data_set(comfy)
    both = {f"t{key}": one for key, one in graph().items()}
    for one in both.values():
        one["inputs"] = {
            name: [f"t{value[0]}", value[1]] if isinstance(value, list) else value
            for name, value in one["inputs"].items()
        }
    made = txt2img(text="portrait of a woman, nina_character")
    made["2"] = node("LoraModelLoader", model=["4", 0], lora=["t4", 0], strength_model=1.0, bypass=False)
    made["3"]["inputs"]["model"] = ["2", 0]
    without = picture(comfy, txt2img(text="portrait of a woman, nina_character"))
    assert picture(comfy, {**both, **made}) != without


def test_a_folder_once_read_is_not_read_again_by_the_same_graph(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph())
    put(comfy, "009.png", (comfy.folder / "input" / FOLDER / "000.png").read_bytes())
    entry = comfy.run(graph())
    assert dict(entry["status"]["messages"])["execution_cached"]["nodes"]
    assert len(loras(comfy)) == 4


def test_texts_that_do_not_match_the_images_end_the_run(comfy: Comfy) -> None:
    put_data_set(comfy)
    put_data_set(comfy, 3, "other")
    mixed = graph()
    mixed["6"] = node("LoadImageTextDataSetFromFolder", folder="other")
    mixed["3"]["inputs"]["texts"] = ["6", 1]
    error = error_of(comfy.run(mixed))
    assert error["node_type"] == "MakeTrainingDataset"
    assert "Number of texts (3) does not match number of images (5)" in error["exception_message"]


def test_a_folder_below_may_repeat_its_images(comfy: Comfy) -> None:
    put_data_set(comfy, 5, f"{FOLDER}/3_nina")
    put_data_set(comfy, 1, "one")
    repeated = graph()
    repeated["6"] = node("LoadImageTextDataSetFromFolder", folder="one/missing")
    assert comfy.post("/prompt", {"prompt": repeated}).status_code == 200
    mixed = graph()
    mixed["2"] = node("LoadImageDataSetFromFolder", folder=FOLDER)
    mixed["6"] = node("LoadImageTextDataSetFromFolder", folder=f"{FOLDER}/3_nina")
    mixed["3"]["inputs"]["texts"] = ["6", 1]
    assert "Number of texts (5) does not match number of images (15)" in str(comfy.run(mixed))


def test_a_file_that_is_no_picture_ends_the_run(comfy: Comfy) -> None:
    put_data_set(comfy)
    put(comfy, "007.png", b"hello")
    error = error_of(comfy.run(graph()))
    assert (error["node_type"], error["exception_type"]) == (
        "LoadImageTextDataSetFromFolder",
        "PIL.UnidentifiedImageError",
    )


def test_training_goes_on_from_a_lora_whose_name_tells_its_steps(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.run(graph())
    comfy.run(graph(steps=5, prefix="loras/more", existing_lora=TRAINED))
    assert "more_25_steps_00001_.safetensors" in loras(comfy)
    error = error_of(comfy.run(graph(existing_lora="luna_v3.safetensors", prefix="loras/other")))
    assert error["exception_type"] == "ValueError"


def test_an_interrupt_counts_at_the_next_step_and_leaves_no_file(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.order("train_stall")
    before = loras(comfy)
    prompt_id = comfy.submit(graph())
    eventually(lambda: any(" 9/20" in e["m"] for e in comfy.get("/internal/logs/raw").json()["entries"]))
    assert comfy.running(prompt_id)
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    messages = dict(comfy.finished(prompt_id)["status"]["messages"])
    assert messages["execution_interrupted"]["node_id"] == "4"
    assert loras(comfy) == before
    assert comfy.run(txt2img())["status"]["completed"]


def test_memory_can_run_out_in_mid_training(comfy: Comfy) -> None:
    put_data_set(comfy)
    comfy.order("train_oom")
    assert comfy.run(txt2img())["status"]["completed"], "a picture is not its business"
    error = error_of(comfy.run(graph()))
    assert (error["node_type"], error["exception_type"]) == ("TrainLoraNode", "torch.OutOfMemoryError")
    assert comfy.run(graph())["status"]["completed"]


def test_a_loss_that_is_no_number_ends_in_a_lora_that_paints_black(comfy: Comfy) -> None:
    put_data_set(comfy)
    listener = comfy.listen("me")
    subscribe(comfy, "me")
    comfy.order("train_nan")
    comfy.submit(graph(), client_id="me")
    frames = [frame for frame in listener.until_done() if isinstance(frame, dict)]
    lines = [e["m"] for frame in frames if frame["type"] == "logs" for e in frame["data"]["entries"]]
    curve = losses(lines)
    assert [math.isnan(value) for value in curve] == [False] * 9 + [True] * 11
    broken = picture(comfy, with_lora(TRAINED))
    other_seed = picture(comfy, with_lora(TRAINED, seed=8))
    assert broken == other_seed


def test_an_older_server_has_none_of_the_nodes(comfy: Comfy) -> None:
    comfy.order("no_training", times=0)
    assert all(comfy.get(f"/object_info/{name}").json() == {} for name in NODES)
    assert not set(NODES) & set(comfy.get("/object_info").json())
    put_data_set(comfy)
    refused = comfy.post("/prompt", {"prompt": graph()})
    assert refused.json()["error"]["type"] == "missing_node_type"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"rank": 200}, "value_bigger_than_max"),
        ({"learning_rate": 2}, "value_bigger_than_max"),
        ({"optimizer": "Lion"}, "value_not_in_list"),
        ({"folder": "nowhere"}, "value_not_in_list"),
    ],
)
def test_values_a_server_does_not_take_are_refused(comfy: Comfy, more: dict[str, Any], kind: str) -> None:
    put_data_set(comfy)
    answer = comfy.post("/prompt", {"prompt": graph(**more)})
    assert answer.status_code == 400
    kinds = {error["type"] for report in answer.json()["node_errors"].values() for error in report["errors"]}
    assert kinds == {kind}
