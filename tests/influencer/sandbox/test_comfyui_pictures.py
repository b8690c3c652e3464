"""What a run leaves behind: files, their names, and what is in them."""

from __future__ import annotations

import json
import re

import pytest
from PIL import Image

from tests.influencer.sandbox.bench import Comfy, node, plain, txt2img


def test_a_picture_holds_its_recipe_and_says_that_it_is_a_sandbox_image(comfy: Comfy) -> None:
    workflow = {"id": "wf-1"}
    entry = comfy.run(txt2img(), extra_data={"extra_pnginfo": {"workflow": workflow, "note": "ü"}})
    (path,) = comfy.output(entry)
    with Image.open(path) as image:
        assert image.size == (128, 160)
        assert json.loads(image.info["prompt"]) == txt2img()
        assert json.loads(image.info["workflow"]) == workflow
        assert json.loads(image.info["note"]) == "ü"
        assert image.info["sandbox"] == "true"


def test_the_same_graph_gives_the_same_pixels_on_any_day(comfy: Comfy) -> None:
    first = comfy.output(comfy.run(txt2img()))[0].read_bytes()
    comfy.run(plain())
    again = comfy.output(comfy.run(txt2img()))[0].read_bytes()
    assert first == again


def test_every_picture_of_a_batch_is_another_one(comfy: Comfy) -> None:
    paths = comfy.output(comfy.run(txt2img(batch=3)))
    assert [path.name for path in paths] == ["luna_00001_.png", "luna_00002_.png", "luna_00003_.png"]
    assert len({path.read_bytes() for path in paths}) == 3


def test_the_lora_decides_who_it_is_when_no_trigger_word_does(comfy: Comfy) -> None:
    def lora(strength: float) -> bytes:
        graph = txt2img(text="a portrait")
        graph["2"] = node(
            "LoraLoaderModelOnly", model=["4", 0], lora_name="luna_v3.safetensors", strength_model=strength
        )
        graph["3"]["inputs"]["model"] = ["2", 0]
        with Image.open(comfy.output(comfy.run(graph))[0]) as image:
            return image.tobytes()

    with Image.open(comfy.output(comfy.run(txt2img(text="a portrait")))[0]) as image:
        without = image.tobytes()
    assert lora(0.0) == without
    assert lora(1.0) != without


def test_names_are_counted_per_folder_and_prefix_and_never_start_again(comfy: Comfy) -> None:
    for colour, prefix in enumerate(("a/x", "a/x", "b/x", "a/x_y")):
        comfy.run(plain(colour, prefix))
    (comfy.folder / "output/a/x_00001_.png").unlink()
    comfy.run(plain(9, "a/x"))
    names = sorted(
        str(path.relative_to(comfy.folder / "output")) for path in (comfy.folder / "output").rglob("*.png")
    )
    assert names == ["a/x_00002_.png", "a/x_00003_.png", "a/x_y_00001_.png", "b/x_00001_.png"]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("%width%x%height%", r"64x64_00001_\.png"),
        ("%year%-%month%", r"20\d\d-\d\d_00001_\.png"),
        ("", r"\._00001_\.png"),
        ("émoji👩", r"émoji👩_00001_\.png"),
        ("%date:yyyy%", r"%date:yyyy%_00001_\.png"),
    ],
)
def test_what_stands_in_a_prefix(comfy: Comfy, prefix: str, name: str) -> None:
    assert re.fullmatch(name, comfy.output(comfy.run(plain(0, prefix)))[0].name)


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a/../../out"])
def test_a_prefix_that_leads_outside_fails_at_run_time(comfy: Comfy, prefix: str) -> None:
    entry = comfy.run(plain(0, prefix))
    name, failure = entry["status"]["messages"][-1]
    assert (entry["status"]["status_str"], name) == ("error", "execution_error")
    assert "outside the output folder is not allowed" in failure["exception_message"]
    assert (failure["node_id"], failure["node_type"]) == ("2", "SaveImage")
    assert failure["executed"] == ["1"]


def test_a_preview_node_writes_to_temp(comfy: Comfy) -> None:
    graph = {"1": plain()["1"], "2": node("PreviewImage", images=["1", 0])}
    (shown,) = comfy.run(graph)["outputs"]["2"]["images"]
    assert shown["type"] == "temp"
    assert re.fullmatch(r"ComfyUI_temp_[a-z]{5}_00001_\.png", shown["filename"])


def test_a_picture_can_be_saved_to_the_websocket_alone(comfy: Comfy) -> None:
    listener = comfy.listen()
    graph = {"1": plain()["1"], "2": node("SaveImageWebsocket", images=["1", 0])}
    prompt_id = comfy.submit(graph, client_id="me")
    (picture,) = [frame for frame in listener.until_done() if isinstance(frame, bytes)]
    assert picture[:8] == bytes([0, 0, 0, 1, 0, 0, 0, 2])
    assert picture[8:12] == b"\x89PNG"
    assert comfy.entry(prompt_id)["outputs"] == {}


def test_an_unreadable_input_picture_fails_its_node(comfy: Comfy) -> None:
    (comfy.folder / "input" / "broken.png").write_bytes(b"no picture")
    graph = {"1": node("LoadImage", image="broken.png"), "2": node("PreviewImage", images=["1", 0])}
    failure = comfy.run(graph)["status"]["messages"][-1][1]
    assert failure["exception_type"] == "PIL.UnidentifiedImageError"
    assert failure["exception_message"] == "cannot identify image file 'ComfyUI/input/broken.png'\n"
    assert failure["current_inputs"] == {"image": ["broken.png"]}


def test_a_second_pass_enlarges_the_first_picture(comfy: Comfy) -> None:
    graph = txt2img()
    graph["10"] = node("LatentUpscaleBy", samples=["3", 0], upscale_method="bislerp", scale_by=1.5)
    graph["11"] = {
        "class_type": "KSampler",
        "inputs": {**graph["3"]["inputs"], "latent_image": ["10", 0], "denoise": 0.5},
    }
    graph["8"]["inputs"]["samples"] = ["11", 0]
    with Image.open(comfy.output(comfy.run(graph))[0]) as image:
        assert image.size == (192, 240)


def test_an_uploaded_picture_shines_through_a_partial_denoise(comfy: Comfy) -> None:
    Image.new("RGB", (128, 160), "red").save(comfy.folder / "input" / "red.png")

    def redness(denoise: float) -> float:
        graph = txt2img()
        graph["20"] = node("LoadImage", image="red.png")
        graph["21"] = node("VAEEncode", pixels=["20", 0], vae=["4", 2])
        graph["3"]["inputs"] |= {"latent_image": ["21", 0], "denoise": denoise}
        with Image.open(comfy.output(comfy.run(graph))[0]) as image:
            red, green, _ = image.resize((1, 1)).getpixel((0, 0))
            return float(red - green)

    assert redness(0.2) > redness(0.8) + 50
