"""Models, uploads and downloads."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.influencer.sandbox.bench import Comfy, node, plain


def png(colour: str = "red", size: tuple[int, int] = (8, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def upload(comfy: Comfy, name: str, content: bytes, **fields: str) -> Any:
    return comfy.post("/upload/image", files={"image": (name, content)}, data=fields)


def test_models_are_listed_by_folder(comfy: Comfy) -> None:
    assert "checkpoints" in comfy.get("/models").json()
    assert comfy.get("/models/checkpoints").json() == sorted(comfy.get("/models/checkpoints").json())
    assert "sdxl_dreamshaper.safetensors" in comfy.get("/models/checkpoints").json()
    assert "luna_v3.safetensors" in comfy.get("/models/loras").json()
    assert comfy.get("/models/controlnet").json() == []
    unknown = comfy.get("/models/nonsense")
    assert (unknown.status_code, unknown.content) == (404, b"")
    assert comfy.get("/embeddings").json() == ["badhands"]
    named = [entry["name"] for entry in comfy.get("/experiment/models/loras").json()]
    assert named == comfy.get("/models/loras").json()


def test_files_put_into_the_models_folder_are_listed_and_usable(comfy: Comfy) -> None:
    folder = comfy.folder / "models" / "vae" / "sub"
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").touch()
    assert "sub/mine.safetensors" in comfy.get("/models/vae").json()
    names = comfy.get("/object_info/VAELoader").json()["VAELoader"]["input"]["required"]["vae_name"][0]
    assert {"sub/mine.safetensors", "pixel_space"} <= set(names)


def test_a_lora_uploaded_as_output_is_offered_at_once(comfy: Comfy) -> None:
    answer = upload(comfy, "nina.safetensors", b"lora", subfolder="loras", type="output")
    assert answer.json() == {"name": "nina.safetensors", "subfolder": "loras", "type": "output"}
    assert "nina.safetensors" in comfy.get("/models/loras").json()
    config = comfy.get("/object_info/LoraLoader").json()["LoraLoader"]["input"]["required"]["lora_name"]
    assert "nina.safetensors" in config[0]
    fetched = comfy.get("/view?type=output&subfolder=loras&filename=nina.safetensors")
    assert fetched.content == b"lora"
    assert fetched.headers["Content-Type"] == "application/safetensors"


def test_metadata_tells_the_architecture_where_there_is_any(comfy: Comfy) -> None:
    path = "/view_metadata/checkpoints?filename="
    known = comfy.get(f"{path}sd_xl_base_1.0.safetensors").json()
    assert known["modelspec.architecture"] == "stable-diffusion-xl-v1-base"
    for unknown in ("flux1-dev-fp8.safetensors", "none.safetensors", ""):
        answer = comfy.get(path + unknown)
        assert (answer.status_code, answer.content) == (404, b"")


def test_node_definitions_are_those_of_comfyui_with_the_lists_of_now(comfy: Comfy) -> None:
    everything = comfy.get("/object_info").json()
    assert {"KSampler", "SaveImage", "LoraLoader", "Flux2Scheduler"} <= set(everything)
    sampler = everything["KSampler"]
    assert len(sampler["input"]["required"]["sampler_name"][0]) == 44
    assert sampler["output"] == ["LATENT"] and sampler["output_node"] is False
    assert comfy.get("/object_info/KSampler").json() == {"KSampler": sampler}
    assert comfy.get("/object_info/Nonsense").json() == {}


def test_an_upload_can_be_used_and_fetched(comfy: Comfy) -> None:
    answer = upload(comfy, "a.png", png())
    assert answer.json() == {"name": "a.png", "subfolder": "", "type": "input"}
    assert comfy.get("/view?filename=a.png&type=input").content == png()
    config = comfy.get("/object_info/LoadImage").json()["LoadImage"]["input"]["required"]["image"]
    assert config[0] == ["a.png"]
    graph = {
        "1": node("LoadImage", image="a.png"),
        "2": node("SaveImage", images=["1", 0], filename_prefix="x"),
    }
    with Image.open(comfy.output(comfy.run(graph))[0]) as image:
        assert image.size == (8, 8)


def test_a_replaced_upload_is_new_work(comfy: Comfy) -> None:
    graph = {
        "1": node("LoadImage", image="sub/a.png"),
        "2": node("SaveImage", images=["1", 0], filename_prefix="x"),
    }
    names = []
    for colour in ("red", "red", "blue"):
        upload(comfy, "a.png", png(colour, (64, 64)), subfolder="sub", overwrite="true")
        names.append(comfy.output(comfy.run(graph))[0].name)
    assert names == ["x_00001_.png", "x_00001_.png", "x_00002_.png"]


def test_the_same_name_with_other_content_gets_another_name(comfy: Comfy) -> None:
    names = [upload(comfy, "a.png", png(colour)).json()["name"] for colour in ("red", "blue", "blue", "red")]
    assert names == ["a.png", "a (1).png", "a (1).png", "a.png"]
    assert upload(comfy, "a.png", png("green"), overwrite="1").json()["name"] == "a.png"
    assert comfy.get("/view?filename=a.png&type=input").content == png("green")


def test_an_output_can_be_an_input(comfy: Comfy) -> None:
    comfy.run(plain())
    graph = {
        "1": node("LoadImage", image="plain_00001_.png [output]"),
        "2": node("PreviewImage", images=["1", 0]),
    }
    assert comfy.run(graph)["status"]["completed"]


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("../a.png", {}, 400),
        ("a.png", {"subfolder": "../x"}, 400),
        ("a.png", {"subfolder": "/etc"}, 400),
        ("a.png", {"type": "models"}, 500),
    ],
)
def test_an_upload_that_leads_elsewhere_is_refused(
    comfy: Comfy, name: str, fields: dict[str, str], status: int
) -> None:
    assert upload(comfy, name, png(), **fields).status_code == status


def test_an_upload_without_a_file_is_refused(comfy: Comfy) -> None:
    answer = comfy.post("/upload/image", files={"other": ("a.png", b"")})
    assert (answer.status_code, answer.content) == (400, b"")
    assert comfy.post("/upload/image", files={"image": (None, "text")}).status_code == 400


def test_an_upload_that_is_too_large_is_refused_in_plain_text(comfy: Comfy) -> None:
    answer = comfy.post("/prompt", data=b" " * (104857600 + 1))
    assert answer.status_code == 413
    assert answer.text == "Maximum request body size 104857600 exceeded."


def test_a_mask_becomes_the_alpha_of_the_original(comfy: Comfy) -> None:
    upload(comfy, "a.png", png())
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(buffer, "PNG")
    files = {"image": ("mask.png", buffer.getvalue())}
    reference = '{"filename": "a.png", "type": "input"}'
    answer = comfy.post(
        "/upload/mask", files=files, data={"original_ref": reference, "subfolder": "clipspace"}
    )
    assert answer.json() == {"name": "mask.png", "subfolder": "clipspace", "type": "input"}
    with Image.open(comfy.folder / "input/clipspace/mask.png") as image:
        assert image.getpixel((4, 4)) == (255, 0, 0, 0)
    assert comfy.post("/upload/mask", files=files).status_code == 500


def test_a_download_can_be_resumed_and_revalidated(comfy: Comfy) -> None:
    upload(comfy, "a.png", png())
    whole = comfy.get("/view?filename=a.png&type=input")
    assert whole.headers["Content-Type"] == "image/png"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"] == 'filename="a.png"'
    assert whole.headers["Etag"] and whole.headers["Last-Modified"]
    part = comfy.get("/view?filename=a.png&type=input", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")


@pytest.mark.parametrize(
    ("preview", "kind"), [("webp;90", "WEBP"), ("jpeg;75", "JPEG"), ("x", "WEBP"), ("", "PNG")]
)
def test_a_download_can_be_converted(comfy: Comfy, preview: str, kind: str) -> None:
    upload(comfy, "a.png", png())
    query = f"&preview={preview}" if preview else "&channel=rgb"
    answer = comfy.get(f"/view?filename=a.png&type=input{query}")
    assert "Etag" not in answer.headers
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == kind


def test_what_could_run_in_a_browser_is_only_downloaded(comfy: Comfy) -> None:
    for name in ("a.html", "a.svg", "a.js"):
        upload(comfy, name, b"<script>")
        answer = comfy.get(f"/view?filename={name}&type=input")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filename=none.png", 404),
        ("", 404),
        ("filename=", 400),
        ("filename=../a.png", 400),
        ("filename=/etc/passwd", 400),
        ("filename=a.png&type=models", 400),
        ("filename=a.png&subfolder=../..", 403),
        ("filename=a.png&subfolder=/etc", 403),
    ],
)
def test_what_may_not_be_viewed(comfy: Comfy, query: str, status: int) -> None:
    answer = comfy.get(f"/view?{query}")
    assert (answer.status_code, answer.content) == (status, b"")


def test_files_are_listed_by_kind(comfy: Comfy) -> None:
    comfy.run(plain())
    assert comfy.get("/internal/files/output").json() == ["plain_00001_.png [output]"]
    assert comfy.get("/internal/files/nonsense").status_code == 400
