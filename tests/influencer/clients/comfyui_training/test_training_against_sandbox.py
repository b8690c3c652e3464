"""Training over HTTP against the stand-in server, with its faults ordered."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from influencer.clients.comfyui import (
    ComfyUI,
    Ending,
    Family,
    Place,
    TrainingSettings,
    build_training,
    lora_prefix,
    new_prompt_id,
    training,
)
from influencer.clients.comfyui.training import Look
from influencer.clients.comfyui.values import ImageRef
from influencer.clients.errors import ServiceError
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.sandbox.bench import KEY, Comfy, eventually, serving, txt2img

STEPS = 40
SECONDS = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    folder = tmp_path_factory.mktemp("sandbox")
    with serving(lambda: build_app(SandboxSettings(folder, key=KEY, speed=100))) as base:
        yield Comfy(base, folder / "comfyui")


@pytest.fixture
def comfy(server: Comfy) -> Iterator[ComfyUI]:
    with ComfyUI(server.url) as client:
        yield client
    server.control("DELETE", "/faults")
    server.control("POST", "/speed", {"speed": 100})
    server.post("/interrupt")
    eventually(lambda: server.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (number * 9 % 255, 90, 120)).save(file, "PNG")
    return file.getvalue()


def settings(**more: Any) -> TrainingSettings:
    token = uuid4().hex[:8]
    made = TrainingSettings(
        model="sdxl_dreamshaper.safetensors",
        family=Family.SDXL,
        folder=f"trainsets/nina-{token}",
        prefix=lora_prefix("Nina", Family.SDXL, token),
        steps=STEPS,
        rank=8,
        learning_rate=0.0004,
        seed=5,
    )
    return replace(made, **more)


def send_data_set(comfy: ComfyUI, folder: str, count: int = 5) -> None:
    for number in range(count):
        training.send(comfy, f"{number:03}.png", png(number), folder=folder)
        training.send(comfy, f"{number:03}.txt", b"nina_character smiling", folder=folder)


def begin(comfy: ComfyUI, wanted: TrainingSettings) -> str:
    send_data_set(comfy, wanted.folder)
    prompt_id = new_prompt_id()
    comfy.submit(comfy.fitted(build_training(wanted)), prompt_id=prompt_id, reference="job_1")
    return prompt_id


def looks(comfy: ComfyUI, prompt_id: str, enough: Callable[[Look], Any], *, mark: str = "") -> list[Look]:
    """Looks until one is enough, each beginning where the last one ended."""
    seen: list[Look] = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        seen.append(training.look(comfy, prompt_id, steps=STEPS, mark=mark))
        mark = seen[-1].mark
        if enough(seen[-1]):
            return seen
        time.sleep(0.02)
    raise AssertionError(f"it never came that far: {seen[-1]}")


def to_the_end(comfy: ComfyUI, prompt_id: str) -> list[Look]:
    return looks(comfy, prompt_id, lambda seen: seen.outcome)


def error_of(seen: Look) -> ServiceError:
    assert seen.outcome is not None
    assert seen.outcome.error is not None
    return seen.outcome.error


def test_a_server_with_the_nodes_can_train(comfy: ComfyUI) -> None:
    assert training.missing_nodes(comfy) == ()


def test_a_server_without_the_nodes_is_told_apart_and_named(comfy: ComfyUI, server: Comfy) -> None:
    server.order("no_training", times=0)
    missing = training.missing_nodes(comfy)
    assert "TrainLoraNode" in missing
    error = training.unavailable("http://gpu:8188", missing)
    assert error.code == "training_unavailable"
    assert "http://gpu:8188 can't train" in error.message
    assert "0.3.76" in error.fix


def test_a_training_is_seen_running_with_falling_loss_until_its_file_is_there(
    comfy: ComfyUI, server: Comfy
) -> None:
    server.control("POST", "/speed", {"speed": 4})
    wanted = settings()
    seen = to_the_end(comfy, begin(comfy, wanted))
    assert seen[-1].outcome is not None
    assert seen[-1].outcome.succeeded
    points = {step: loss for one in seen for step, loss in one.loss}
    assert len(points) > 3
    assert points[min(points)] > points[max(points)]
    steps = [one.step for one in seen if one.place]
    assert all(before <= after for before, after in pairwise(steps))
    name = training.find_lora(comfy, wanted.prefix)
    assert name == f"{wanted.prefix.removeprefix('loras/')}_{STEPS}_steps_00001_.safetensors"
    assert training.find_lora(comfy, "loras/other") == ""


def test_one_that_waits_behind_another_shows_its_place_and_nothing_of_the_other(
    comfy: ComfyUI, server: Comfy
) -> None:
    server.order("train_stall")
    first = begin(comfy, settings())
    looks(comfy, first, lambda seen: seen.step >= 10)
    second = begin(comfy, settings())
    waiting = training.look(comfy, second, steps=STEPS, mark=training.console_mark(comfy))
    assert waiting.place == Place(running=False, position=1)
    assert (waiting.step, waiting.loss) == (0, ())
    comfy.cancel(first)
    seen = looks(comfy, second, lambda one: one.outcome, mark=waiting.mark)
    assert seen[-1].outcome is not None
    assert seen[-1].outcome.succeeded


def test_lines_of_an_earlier_training_are_not_taken_for_this_one(comfy: ComfyUI, server: Comfy) -> None:
    to_the_end(comfy, begin(comfy, settings()))
    mark = training.console_mark(comfy)
    server.order("slow", factor=10)
    server.order("stall")
    prompt_id = comfy_running(comfy, server)
    assert training.look(comfy, prompt_id, steps=STEPS, mark=mark).loss == ()
    assert training.look(comfy, prompt_id, steps=STEPS, mark="").loss != ()


def comfy_running(comfy: ComfyUI, server: Comfy) -> str:
    """A prompt that stands still in mid-run without a line of its own."""
    prompt_id = server.submit(txt2img(), client_id="someone")
    eventually(lambda: server.running(prompt_id))
    return prompt_id


def test_without_a_console_the_websocket_tells_the_step(comfy: ComfyUI, server: Comfy) -> None:
    server.order("error500", times=0, path="/internal/logs")
    server.control("POST", "/speed", {"speed": 2})
    seen = looks(comfy, begin(comfy, settings()), lambda one: one.step)[-1]
    assert 0 < seen.step <= STEPS
    assert seen.loss == ()


def test_a_loss_that_is_no_number_is_seen(comfy: ComfyUI, server: Comfy) -> None:
    server.order("train_nan")
    seen = to_the_end(comfy, begin(comfy, settings()))
    assert any(one.diverged for one in seen)
    assert math.isnan(seen[-1].loss[-1][1])
    error = training.diverged(21, 0.0004)
    assert (error.code, "0.0001" in error.fix) == ("loss_nan", True)


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("train_oom", "out_of_memory", "ran out of graphics memory while training"),
        ("oom", "out_of_memory", "ran out of graphics memory while training"),
    ],
)
def test_a_failure_is_said_in_words_for_a_training(
    comfy: ComfyUI, server: Comfy, fault: str, code: str, words: str
) -> None:
    server.order(fault)
    error = error_of(to_the_end(comfy, begin(comfy, settings()))[-1])
    assert error.code == code
    assert words in error.message
    assert "resolution" in error.fix


def test_a_data_set_that_arrived_damaged_is_said(comfy: ComfyUI) -> None:
    wanted = settings()
    training.send(comfy, "009.png", b"not a picture", folder=wanted.folder)
    error = error_of(to_the_end(comfy, begin(comfy, wanted))[-1])
    assert error.code == "data_set_damaged"


def test_texts_and_images_that_do_not_match_are_said(comfy: ComfyUI) -> None:
    wanted, other = settings(), settings()
    send_data_set(comfy, wanted.folder)
    send_data_set(comfy, other.folder, 3)
    graph = build_training(wanted)
    graph["6"] = {"class_type": "LoadImageTextDataSetFromFolder", "inputs": {"folder": other.folder}}
    graph["3"]["inputs"]["texts"] = ["6", 1]
    prompt_id = new_prompt_id()
    comfy.submit(comfy.fitted(graph), prompt_id=prompt_id)
    assert error_of(to_the_end(comfy, prompt_id)[-1]).code == "captions_mismatch"


def test_one_stopped_on_the_server_is_interrupted_not_failed(comfy: ComfyUI, server: Comfy) -> None:
    server.order("train_stall")
    wanted = settings()
    prompt_id = begin(comfy, wanted)
    looks(comfy, prompt_id, lambda seen: seen.step >= 10)
    comfy.cancel(prompt_id)
    seen = to_the_end(comfy, prompt_id)[-1]
    assert seen.outcome is not None
    assert seen.outcome.ending is Ending.INTERRUPTED
    assert error_of(seen).code == "interrupted"
    assert training.find_lora(comfy, wanted.prefix) == ""


def test_one_the_server_has_forgotten_is_nowhere(comfy: ComfyUI, server: Comfy) -> None:
    server.order("train_stall")
    prompt_id = begin(comfy, settings())
    looks(comfy, prompt_id, lambda seen: seen.step >= 10)
    server.control("POST", "/restart/comfyui")
    seen = training.look(comfy, prompt_id, steps=STEPS)
    assert (seen.place, seen.outcome) == (None, None)


def test_a_server_that_puts_uploads_elsewhere_can_not_train() -> None:
    class Hosted:
        def upload_image(self, name: str, content: bytes, *, subfolder: str = "") -> ImageRef:
            return ImageRef(name, "", "input")

    with pytest.raises(ServiceError) as refused:
        training.send(Hosted(), "000.png", b"", folder="trainsets/nina")  # type: ignore[arg-type]
    assert refused.value.code == "training_unavailable"
