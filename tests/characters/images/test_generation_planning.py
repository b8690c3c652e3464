from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from characters import catalog
from characters.images import planning, services
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from influencer.clients.comfyui import ComfyUI, GenerationSettings, build, new_prompt_id
from influencer.clients.errors import ServiceError
from influencer.errors import Invalid, Unavailable
from tests.characters.people import someone
from tests.characters.stage import Stage, sandbox_at

SDXL, SD15, FLUX = (
    "sdxl_dreamshaper.safetensors",
    "v1-5-pruned-emaonly-fp16.safetensors",
    "flux1-dev-fp8.safetensors",
)


def request(character: Character, **wish: Any) -> dict[str, Any]:
    return planning.request_of(character, Wish(**wish))


def settings_for(stage: Stage, asked: dict[str, Any]) -> GenerationSettings:
    place = planning.choose(asked)
    with ComfyUI(planning.endpoint(place).url) as client:
        return planning.settings_of(asked, place, client)


def size(stage: Stage, **wish: Any) -> tuple[int, int]:
    settings = settings_for(stage, request(someone(), **wish))
    return settings.width, settings.height


def use(settings: Any, *urls: str, **more: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=urls, **more)


# --- what the character brings --------------------------------------------------------------


def test_a_wish_without_anything_takes_what_the_character_brings() -> None:
    luna = someone(
        base_prompt="portrait of luna_character",
        style="film",
        mood="serene",
        negative_prompt="blurry",
        preferred_model=SD15,
        lora="luna_v3.safetensors",
        lora_strength=0.6,
        width=512,
        height=640,
        steps=12,
        cfg=5.5,
        sampler="euler",
        scheduler="normal",
    )
    asked = request(luna)
    assert asked == {
        "prompt": "portrait of luna_character, film, serene",
        "negative": "blurry",
        "model": SD15,
        "lora": "luna_v3.safetensors",
        "lora_strength": 0.6,
        "width": 512,
        "height": 640,
        "shape": "",
        "steps": 12,
        "cfg": 5.5,
        "sampler": "euler",
        "scheduler": "normal",
        "seed": None,
        "count": 1,
        "from_prompt": "",
    }


def test_what_is_asked_for_wins_over_the_character() -> None:
    luna = someone(steps=12, lora="luna_v3.safetensors", negative_prompt="blurry", width=512, height=640)
    asked = request(luna, steps=30, lora="", negative_prompt="", shape="1:1", seed=0)
    assert (asked["steps"], asked["lora"], asked["negative"], asked["seed"]) == (30, "", "", 0)
    assert (asked["shape"], asked["width"], asked["height"]) == ("1:1", None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_prompt": "portrait of luna_character"},
        {"base_prompt": "portrait of LUNA_CHARACTER", "style": "luna_character style"},
        {"base_prompt": "a forest"},
        {"base_prompt": ""},
    ],
)
def test_the_trigger_word_is_in_the_prompt_exactly_once(fields: dict[str, str]) -> None:
    luna = someone(**fields)
    for prompt in ("", "smiling", "luna_character smiling", "luna_character, again luna_character"):
        asked = request(luna, prompt=prompt)["prompt"]
        assert asked.lower().count("luna_character") == 1, asked


def test_a_final_prompt_is_used_as_it_is() -> None:
    assert request(someone(), final_prompt="just a tree", prompt="ignored")["prompt"] == "just a tree"


# --- sizes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "width", "height"),
    [("4:5", 896, 1120), ("1:1", 1024, 1024), ("9:16", 768, 1368), ("16:9", 1344, 752)],
)
def test_a_shape_becomes_a_size_the_family_likes(stage: Stage, shape: str, width: int, height: int) -> None:
    assert size(stage, shape=shape) == (width, height)


def test_every_shape_fits_every_family_and_keeps_its_ratio_and_area(stage: Stage) -> None:
    areas = {SDXL: 1024 * 1024, SD15: 512 * 512, FLUX: 1024 * 1024}
    for model, area in areas.items():
        for shape, ratio in planning.SHAPES.items():
            width, height = size(stage, shape=shape, model=model)
            assert width % 16 == 0 or model != FLUX
            assert width % 8 == height % 8 == 0
            assert height % 16 == 0 or model != FLUX
            assert width / height == pytest.approx(float(ratio), rel=0.03)
            assert width * height == pytest.approx(area, rel=0.15)


def test_a_size_of_ones_own_is_rounded_to_what_the_family_can_draw(stage: Stage) -> None:
    assert size(stage, width=1000, height=1003) == (1000, 1000)
    assert size(stage, width=1000, height=1003, model=FLUX) == (992, 1008)
    assert size(stage, width=64) == (64, 1024)


def test_without_a_size_the_familys_own_is_used(stage: Stage) -> None:
    assert size(stage, model=SD15) == (512, 512)


# --- model and server -----------------------------------------------------------------------


def test_without_a_model_the_first_sdxl_checkpoint_is_taken(stage: Stage) -> None:
    place = planning.choose(request(someone()))
    assert (place.model, place.family, place.kind) == ("sd_xl_base_1.0.safetensors", "sdxl", "checkpoint")
    assert place.sandbox


def test_the_characters_model_and_lora_are_used_with_the_familys_settings(stage: Stage) -> None:
    luna = someone(preferred_model=SDXL, lora="luna_v3.safetensors", cfg=4.0)
    settings = settings_for(stage, request(luna))
    assert (settings.model, settings.lora, settings.cfg) == (SDXL, "luna_v3.safetensors", 4.0)
    assert (settings.steps, settings.sampler) == (30, "dpmpp_2m")


@pytest.mark.parametrize(
    ("wish", "code", "sentence"),
    [
        (
            {"model": "gone.safetensors"},
            "model_missing",
            "The model 'gone.safetensors' is not on any server that answers. "
            "Refresh models or choose another.",
        ),
        (
            {"model": SDXL, "lora": "gone.safetensors"},
            "lora_missing",
            f"The LoRA 'gone.safetensors' is not on a server that has {SDXL}. "
            "Refresh models or choose another LoRA.",
        ),
    ],
)
def test_a_file_no_server_has_is_named_with_what_to_do(
    stage: Stage, wish: dict[str, str], code: str, sentence: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        planning.choose(request(someone(), **wish))
    assert (caught.value.code, caught.value.sentence) == (code, sentence)


def test_a_model_of_a_family_without_a_workflow_is_refused(stage: Stage) -> None:
    with pytest.raises(Invalid, match="Qwen"):
        planning.choose(request(someone(), model="qwen_image_2512_fp8_e4m3fn.safetensors"))


def test_a_model_copied_to_the_server_meanwhile_is_found_without_a_refresh(stage: Stage) -> None:
    catalog.refresh()
    (stage.folder / "comfyui" / "models" / "checkpoints").mkdir(parents=True, exist_ok=True)
    (stage.folder / "comfyui" / "models" / "checkpoints" / "new_sdxl.safetensors").write_bytes(b"x")
    assert planning.choose(request(someone(), model="new_sdxl.safetensors")).model == "new_sdxl.safetensors"


def test_a_server_that_is_down_is_said(settings: Any) -> None:
    use(settings, "http://127.0.0.1:9")
    with pytest.raises(ServiceError) as caught:
        planning.choose(request(someone()))
    assert caught.value.code == "unreachable"
    assert caught.value.retryable
    assert "http://127.0.0.1:9" in caught.value.message
    assert caught.value.sentence.endswith("Start ComfyUI, then retry.")


def test_a_sandbox_that_is_off_or_does_not_run_is_said(settings: Any) -> None:
    with pytest.raises(Unavailable, match="does not run"):
        planning.choose(request(someone()))
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    with pytest.raises(Unavailable, match="COMFYUI_URL"):
        planning.choose(request(someone()))


def test_of_several_servers_the_one_that_answers_and_has_the_model_is_chosen(
    data_dir: Path, settings: Any
) -> None:
    with sandbox_at(data_dir, name="one") as one, sandbox_at(data_dir, name="two") as two:
        use(settings, "http://127.0.0.1:9", f"{one.url}/comfyui", f"{two.url}/comfyui")
        (two.folder / "comfyui" / "models" / "loras").mkdir(parents=True, exist_ok=True)
        (two.folder / "comfyui" / "models" / "loras" / "mei_xl.safetensors").write_bytes(b"x")
        place = planning.choose(request(someone(), model=SDXL, lora="mei_xl.safetensors"))
        assert (place.server, place.sandbox) == (f"{two.url}/comfyui", False)


def test_of_two_servers_the_one_with_the_shorter_queue_is_chosen(data_dir: Path, settings: Any) -> None:
    with sandbox_at(data_dir, name="one") as one, sandbox_at(data_dir, name="two") as two:
        use(settings, f"{one.url}/comfyui", f"{two.url}/comfyui")
        assert planning.choose(request(someone())).server == f"{one.url}/comfyui"
        one.order("comfyui", "stall")
        with ComfyUI(f"{one.url}/comfyui") as client:
            busy = dataclasses.replace(settings_for(one, request(someone(), width=64, height=64)), seed=1)
            client.submit(build(busy), prompt_id=new_prompt_id())
        assert planning.choose(request(someone())).server == f"{two.url}/comfyui"


def test_a_server_taken_out_of_the_settings_is_said(data_dir: Path, settings: Any) -> None:
    with sandbox_at(data_dir, name="one") as one:
        use(settings, f"{one.url}/comfyui")
        place = planning.choose(request(someone()))
        use(settings, "http://127.0.0.1:9")
        with pytest.raises(ServiceError) as caught:
            planning.endpoint(place)
    assert caught.value.code == "server_removed"


def test_a_password_in_a_servers_address_is_never_shown(data_dir: Path, settings: Any) -> None:
    with sandbox_at(data_dir, name="one") as one:
        address = one.url.replace("http://", "http://me:secret@") + "/comfyui"
        use(settings, address)
        place = planning.choose(request(someone()))
        assert "secret" not in str(place)
        assert planning.endpoint(place).url == address


def test_an_images_recipe_asks_for_the_same_again() -> None:
    recipe = {"prompt": "a tree", "negative": "", "model": SDXL, "lora": "", "width": 512, "height": 640}
    image = Image(recipe=recipe | {"steps": 4, "cfg": 2.0, "seed": 9}, seed=9)
    kept, fresh = services.wish_like(image, keep_seed=True), services.wish_like(image, keep_seed=False)
    assert (kept.seed, fresh.seed) == (9, None)
    assert (kept.final_prompt, kept.width, kept.height, kept.steps, kept.lora) == ("a tree", 512, 640, 4, "")
