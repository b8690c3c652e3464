"""A run from its first frame to its file, in the order ComfyUI keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.influencer.sandbox.bench import Comfy, Listener, eventually, node, plain, txt2img


def story(listener: Listener, prompt_id: str) -> list[Any]:
    """What was told, short: type, node and value; binary frames as 'picture'."""
    told: list[Any] = []
    for frame in listener.frames:
        if isinstance(frame, bytes):
            told.append("picture")
            continue
        body = frame["data"]
        assert body.get("prompt_id", prompt_id) == prompt_id
        if frame["type"] == "executing":
            told.append(("executing", body["node"]))
        elif frame["type"] == "progress":
            told.append(("progress", body["value"]))
        elif frame["type"] != "progress_state":
            told.append(frame["type"])
    return told


def test_the_frames_of_a_run_come_in_order(comfy: Comfy) -> None:
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(steps=3), client_id="me")
    listener.until_done()
    assert story(listener, prompt_id) == [
        "status",
        "status",
        "status",
        "execution_start",
        "execution_cached",
        ("executing", "4"),
        ("executing", "6"),
        ("executing", "7"),
        ("executing", "5"),
        ("executing", "3"),
        ("progress", 1),
        ("progress", 2),
        ("progress", 3),
        ("executing", "8"),
        ("executing", "9"),
        "executed",
        "execution_success",
        "status",
        ("executing", None),
    ]
    remaining = [
        frame["data"]["status"]["exec_info"]["queue_remaining"]
        for frame in listener.frames
        if frame["type"] == "status"
    ]
    assert remaining == [0, 1, 1, 0]


def test_progress_state_repeats_every_node_that_has_begun(comfy: Comfy) -> None:
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(steps=2), client_id="me")
    states = [frame["data"] for frame in listener.until_done() if frame["type"] == "progress_state"]
    assert states[0] == {
        "prompt_id": prompt_id,
        "nodes": {
            "4": {
                "value": 0.0,
                "max": 1.0,
                "state": "running",
                "node_id": "4",
                "prompt_id": prompt_id,
                "display_node_id": "4",
                "parent_node_id": None,
                "real_node_id": "4",
            }
        },
    }
    sampler = [state["nodes"]["3"] for state in states if "3" in state["nodes"]]
    seen = [(entry["value"], entry["max"], entry["state"]) for entry in sampler[:4]]
    assert seen == [(0.0, 1.0, "running"), (1, 2, "running"), (2, 2, "running"), (2, 2, "finished")]
    assert {entry["state"] for entry in states[-1]["nodes"].values()} == {"finished"}
    assert len(states[-1]["nodes"]) == 7


def test_a_client_that_asked_for_metadata_gets_previews_before_their_progress(comfy: Comfy) -> None:
    listener = comfy.listen(metadata=True)
    prompt_id = comfy.submit(txt2img(steps=2), client_id="me", extra_data={"preview_method": "auto"})
    listener.until_done()
    told = story(listener, prompt_id)
    assert told[told.index("picture") + 1] == ("progress", 1)
    assert told.count("picture") == 2
    frame = next(frame for frame in listener.frames if isinstance(frame, bytes))
    assert frame[:4] == bytes([0, 0, 0, 4])
    length = int.from_bytes(frame[4:8], "big")
    assert json.loads(frame[8 : 8 + length]) == {
        "node_id": "3",
        "prompt_id": prompt_id,
        "display_node_id": "3",
        "parent_node_id": None,
        "real_node_id": "3",
        "image_type": "image/jpeg",
    }
    assert frame[8 + length :].startswith(b"\xff\xd8\xff")


def test_any_other_client_gets_them_in_the_old_form_after_their_progress(comfy: Comfy) -> None:
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(steps=2), client_id="me", extra_data={"preview_method": "latent2rgb"})
    listener.until_done()
    told = story(listener, prompt_id)
    assert told[told.index("picture") - 1] == ("progress", 1)
    frame = next(frame for frame in listener.frames if isinstance(frame, bytes))
    assert frame[:8] == bytes([0, 0, 0, 1, 0, 0, 0, 1])


@pytest.mark.parametrize("extra", [{}, {"preview_method": "none"}, {"preview_method": "bogus"}])
def test_without_being_asked_for_there_are_no_previews(comfy: Comfy, extra: dict[str, str]) -> None:
    listener = comfy.listen()
    comfy.submit(txt2img(steps=2), client_id="me", extra_data=extra)
    assert not [frame for frame in listener.until_done() if isinstance(frame, bytes)]


def test_the_history_tells_of_success(comfy: Comfy) -> None:
    prompt_id = comfy.submit(plain(), client_id="me", extra_data={"job": "img_1"})
    entry = comfy.finished(prompt_id)
    assert entry["outputs"] == {
        "2": {"images": [{"filename": "plain_00001_.png", "subfolder": "", "type": "output"}]}
    }
    assert entry["meta"]["2"]["real_node_id"] == "2"
    assert entry["status"]["status_str"] == "success"
    assert [name for name, _ in entry["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    number, told_id, graph, extra, outputs = entry["prompt"]
    assert (number, told_id, graph, outputs) == (0, prompt_id, plain(), ["2"])
    assert extra["job"] == "img_1" and extra["client_id"] == "me"
    assert extra["create_time"] <= entry["status"]["messages"][0][1]["timestamp"]


def test_keys_of_partner_services_are_not_kept(comfy: Comfy) -> None:
    entry = comfy.run(plain(), extra_data={"api_key_comfy_org": "secret", "kept": 1})
    assert "secret" not in json.dumps(entry)
    assert entry["prompt"][3]["kept"] == 1


def test_the_history_is_complete_when_the_last_frame_arrives(comfy: Comfy) -> None:
    listener = comfy.listen()
    for colour in range(10):
        prompt_id = comfy.submit(plain(colour), client_id="me")
        listener.until("executing", node=None, prompt_id=prompt_id)
        assert comfy.entry(prompt_id)["status"]["completed"]


def test_the_same_graph_again_runs_nothing_and_names_the_old_file(comfy: Comfy) -> None:
    comfy.run(plain())
    listener = comfy.listen()
    prompt_id = comfy.submit(plain(), client_id="me")
    listener.until_done()
    assert story(listener, prompt_id)[3:] == [
        "execution_start",
        "execution_cached",
        "executed",
        "execution_success",
        "status",
        ("executing", None),
    ]
    by_type = {frame["type"]: frame["data"] for frame in listener.frames}
    assert sorted(by_type["execution_cached"]["nodes"]) == ["1", "2"]
    assert by_type["executed"]["output"]["images"][0]["filename"] == "plain_00001_.png"
    state = by_type["progress_state"]["nodes"]
    assert list(state) == ["2"]
    assert (state["2"]["value"], state["2"]["max"], state["2"]["state"]) == (1, 1, "finished")
    assert len(list((comfy.folder / "output").glob("*.png"))) == 1
    assert comfy.entry(prompt_id)["outputs"]["2"]["images"][0]["filename"] == "plain_00001_.png"


def test_other_node_ids_do_not_defeat_the_cache(comfy: Comfy) -> None:
    comfy.run(plain())
    renumbered = {"a": plain()["1"], "b": node("SaveImage", images=["a", 0], filename_prefix="plain")}
    assert comfy.output(comfy.run(renumbered))[0].name == "plain_00001_.png"


def test_a_new_prefix_runs_only_the_saving(comfy: Comfy) -> None:
    comfy.run(txt2img())
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(prefix="t/other"), client_id="me")
    listener.until_done()
    assert [told for told in story(listener, prompt_id) if told[0] == "executing"] == [
        ("executing", "9"),
        ("executing", None),
    ]


def test_only_the_last_prompt_is_cached(comfy: Comfy) -> None:
    comfy.run(plain(1))
    comfy.run(plain(2))
    assert comfy.output(comfy.run(plain(1)))[0].name == "plain_00003_.png"


def test_free_memory_drops_the_cache(comfy: Comfy) -> None:
    comfy.run(plain())
    assert comfy.post("/free", {"unload_models": True, "free_memory": True}).content == b""
    assert comfy.output(comfy.run(plain()))[0].name == "plain_00002_.png"


def test_the_newer_sampler_nodes_work_too(comfy: Comfy) -> None:
    graph = {
        "1": node("UNETLoader", unet_name="z_image_turbo_bf16.safetensors", weight_dtype="default"),
        "2": node("CLIPLoader", clip_name="qwen_3_4b.safetensors", type="flux2"),
        "3": node("VAELoader", vae_name="ae.safetensors"),
        "5": node("CLIPTextEncode", text="luna_x", clip=["2", 0]),
        "7": node("EmptyFlux2LatentImage", width=128, height=128, batch_size=1),
        "9": node("FluxGuidance", conditioning=["5", 0], guidance=4.0),
        "13": node("RandomNoise", noise_seed=1),
        "14": node("KSamplerSelect", sampler_name="euler"),
        "15": node("Flux2Scheduler", steps=5, width=128, height=128),
        "16": node("BasicGuider", model=["1", 0], conditioning=["9", 0]),
        "17": node(
            "SamplerCustomAdvanced",
            noise=["13", 0],
            guider=["16", 0],
            sampler=["14", 0],
            sigmas=["15", 0],
            latent_image=["7", 0],
        ),
        "18": node("VAEDecode", samples=["17", 0], vae=["3", 0]),
        "19": node("SaveImage", images=["18", 0], filename_prefix="flux"),
    }
    listener = comfy.listen()
    prompt_id = comfy.submit(graph, client_id="me")
    steps = [frame["data"]["max"] for frame in listener.until_done() if frame["type"] == "progress"]
    assert steps == [5] * 5
    assert comfy.entry(prompt_id)["status"]["completed"]


def test_running_prompts_one_after_the_other_keeps_their_order(comfy: Comfy) -> None:
    ids = [comfy.submit(txt2img(seed=seed)) for seed in range(4)]
    eventually(lambda: len(comfy.get("/history").json()) == 4)
    assert list(comfy.get("/history").json()) == ids
