"""The client against the stand-in server, with its faults ordered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from PIL import Image

from influencer import sandbox
from influencer.clients.comfyui import (
    ComfyUI,
    Ending,
    Family,
    NodeFinished,
    Pace,
    Preview,
    Progress,
    Queued,
    Started,
    Timeouts,
    build,
    new_prompt_id,
    settings_for,
)
from influencer.clients.errors import ServiceError
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.clients.comfyui.run import Run
from tests.influencer.sandbox.bench import KEY, serving

PACE = Pace(
    tick=0.05, cancel=0.05, look=0.2, look_while_live=0.5, look_again=0.1, lost_after=1, reconnect=0.1
)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Sandbox]:
    settings = SandboxSettings(tmp_path_factory.mktemp("sandbox"), key=KEY, speed=20)
    with serving(lambda: build_app(settings)) as url:
        yield sandbox.Sandbox(url, KEY)


@pytest.fixture
def comfy(stand_in: sandbox.Sandbox) -> Iterator[ComfyUI]:
    timeouts = Timeouts(connect=5, read=2, submit=2, transfer=5, settle=5)
    with ComfyUI(stand_in.comfyui, timeouts=timeouts) as client:
        yield client
    _control(stand_in, "DELETE", "/faults")


@pytest.fixture
def run(comfy: ComfyUI) -> Run:
    return Run(comfy, PACE)


def _control(stand_in: sandbox.Sandbox, method: str, where: str, **body: Any) -> None:
    headers = {"X-Sandbox-Key": stand_in.key}
    answer = requests.request(method, stand_in.control + where, json=body, headers=headers, timeout=5)
    assert answer.ok, answer.text


def fault(stand_in: sandbox.Sandbox, name: str, **args: Any) -> None:
    _control(stand_in, "POST", "/faults", service="comfyui", name=name, **args)


def graph(family: Family = Family.SDXL, model: str = "sd_xl_base_1.0.safetensors", **more: Any) -> Any:
    prefix = f"influencer/{new_prompt_id()}"
    given = {"prompt": "luna_character at sea", "seed": 7, "prefix": prefix, "steps": 20, **more}
    return build(settings_for(family, model, **given))


def submit(run: Run, **more: Any) -> Run:
    run.comfy.submit(run.comfy.fitted(graph(**more)), prompt_id=run.prompt_id, reference="job_1")
    return run


@pytest.mark.parametrize(
    ("family", "model"),
    [
        (Family.SD15, "v1-5-pruned-emaonly-fp16.safetensors"),
        (Family.SDXL, "sdxl_dreamshaper.safetensors"),
        (Family.FLUX1, "flux1-dev-fp8.safetensors"),
    ],
)
def test_every_family_makes_images_of_its_size(run: Run, family: Family, model: str) -> None:
    outcome = submit(run, family=family, model=model, width=512, height=640, count=2, steps=5).follow()

    sizes = [Image.open(io.BytesIO(run.comfy.fetch(image))).size for image in outcome.result()]
    assert sizes == [(512, 640), (512, 640)]
    assert not outcome.cached


def test_a_run_tells_its_steps_its_nodes_and_shows_previews(run: Run) -> None:
    assert submit(run, lora="luna_v3.safetensors").follow().succeeded

    assert {event.steps for event in run.of(Progress)} == {20}
    assert run.of(Progress)[-1].step == 20
    assert all(Image.open(io.BytesIO(preview.jpeg)).format == "JPEG" for preview in run.of(Preview))
    assert run.of(Preview)
    assert {event.node for event in run.of(NodeFinished)} >= {"1", "2", "3", "6"}
    assert run.of(Started) == [Started()]


def test_models_are_listed_with_their_families(comfy: ComfyUI) -> None:
    models = comfy.models()

    assert comfy.system_stats().version
    assert {model.name: model.family for model in models.checkpoints} == {
        "flux1-dev-fp8.safetensors": Family.FLUX1,
        "sd_xl_base_1.0.safetensors": Family.SDXL,
        "sdxl_dreamshaper.safetensors": Family.SDXL,
        "v1-5-pruned-emaonly-fp16.safetensors": Family.SD15,
    }
    assert models.samplers and models.schedulers
    assert {lora.family for lora in models.loras} == {Family.SDXL}


def test_the_same_graph_again_is_cached_and_a_new_prefix_is_not(run: Run) -> None:
    same = graph(steps=3)
    outcomes = []
    for made in (same, same, graph(steps=3)):
        again = Run(run.comfy, PACE)
        run.comfy.submit(made, prompt_id=again.prompt_id)
        outcomes.append(again.follow())

    assert [outcome.cached for outcome in outcomes] == [False, True, False]
    assert outcomes[0].images == outcomes[1].images != outcomes[2].images


def test_a_waiting_and_a_running_prompt_are_cancelled(stand_in: sandbox.Sandbox, run: Run) -> None:
    fault(stand_in, "stall", seconds=20)
    submit(run)
    waiting = Run(run.comfy, PACE)
    submit(waiting)

    assert waiting.follow(lambda: bool(waiting.of(Queued))).ending is Ending.INTERRUPTED
    assert run.follow(lambda: bool(run.of(Started))).ending is Ending.INTERRUPTED
    assert run.comfy.history(run.prompt_id) is not None
    assert run.comfy.submitted(waiting.prompt_id) is False


def test_a_prompt_can_be_followed_by_another_process(run: Run) -> None:
    submit(run)
    with ComfyUI(run.comfy.address.base) as another:
        assert Run(another, PACE).comfy.follow(run.prompt_id, pace=PACE).succeeded
    run.comfy.delete_history(run.prompt_id)
    assert run.comfy.submitted(run.prompt_id) is False


@pytest.mark.parametrize("name", ["drop_websocket", "silent_websocket"])
def test_trouble_with_the_websocket_costs_nothing(stand_in: sandbox.Sandbox, run: Run, name: str) -> None:
    fault(stand_in, name)
    assert submit(run).follow().succeeded


def test_running_out_of_memory_is_told(stand_in: sandbox.Sandbox, run: Run) -> None:
    fault(stand_in, "oom")
    outcome = submit(run).follow()

    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None and outcome.error.code == "out_of_memory"


def test_a_restart_loses_the_prompt(stand_in: sandbox.Sandbox, run: Run) -> None:
    fault(stand_in, "restart", seconds=0.5)
    assert submit(run).follow().ending is Ending.LOST


@pytest.mark.parametrize("mode", ["reset", 503])
def test_a_server_that_goes_away_can_be_taken_up_again(
    stand_in: sandbox.Sandbox, run: Run, mode: object
) -> None:
    submit(run)
    fault(stand_in, "down", mode=mode, times=0)
    run.pace = replace(PACE, patience=0.5)
    with pytest.raises(ServiceError) as caught:
        run.follow()
    assert (caught.value.code, caught.value.retryable) == ("unreachable", True)

    _control(stand_in, "DELETE", "/faults")
    assert run.follow().succeeded


def test_a_lost_answer_does_not_make_two_prompts(stand_in: sandbox.Sandbox, run: Run) -> None:
    fault(stand_in, "lost_answer")
    accepted = run.comfy.submit(graph(), prompt_id=run.prompt_id)

    assert accepted.recovered
    assert run.follow().succeeded


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("html", {}, "not_comfyui"),
        ("error500", {}, "server_error"),
        ("late", {"seconds": 3}, "timeout"),
        ("down", {"mode": 503}, "unreachable"),
    ],
)
def test_each_fault_of_an_answer_has_its_code(
    stand_in: sandbox.Sandbox, comfy: ComfyUI, name: str, args: dict[str, Any], code: str
) -> None:
    fault(stand_in, name, path="/system_stats", **args)
    with pytest.raises(ServiceError) as caught:
        comfy.system_stats()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"model": "gone.safetensors"}, "model_missing"),
        ({"lora": "gone.safetensors"}, "lora_missing"),
        ({"sampler": "nope"}, "sampler_unknown"),
        ({"scheduler": "nope"}, "scheduler_unknown"),
    ],
)
def test_what_the_server_does_not_have_is_named(run: Run, more: dict[str, str], code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        submit(run, **more)
    assert caught.value.code == code
    assert next(iter(more.values())) in caught.value.message


def test_a_node_the_server_does_not_have_is_named(run: Run) -> None:
    unknown = {"1": {"class_type": "NoSuchNode", "inputs": {}}}
    with pytest.raises(ServiceError, match="no node 'NoSuchNode'"):
        run.comfy.submit(unknown, prompt_id=run.prompt_id)


def test_a_reference_image_is_uploaded_and_fetched_back(comfy: ComfyUI) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")

    stored = comfy.upload_image("réf 1.png", picture.getvalue(), subfolder="refs")

    assert (stored.subfolder, stored.type) == ("refs", "input")
    assert comfy.fetch(stored) == picture.getvalue()
