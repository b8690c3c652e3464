"""Cancelling, cleaning, and files in both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from influencer.clients.comfyui import (
    ComfyUI,
    ImageRef,
    new_prompt_id,
)
from influencer.clients.errors import ServiceError
from tests.influencer.clients.comfyui.conftest import QUICK
from tests.influencer.clients.comfyui.play import PNG
from tests.influencer.clients.comfyui.stage import Stage

GRAPH = {"8": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a"}}}
PAGE = {"text": "<html>Sign in</html>", "content_type": "text/html"}


def failure(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call()
    assert caught.value.service == "ComfyUI"
    assert caught.value.fix
    return caught.value


def test_cancelling_what_is_not_there_is_no(stage: Stage, comfy: ComfyUI) -> None:
    assert comfy.cancel(new_prompt_id()) is False
    stage.has_jobs_api = False
    assert comfy.cancel(new_prompt_id()) is False
    assert stage.count("POST", "/interrupt") == 0


def test_an_old_server_is_never_told_to_interrupt_someone_else(stage: Stage, comfy: ComfyUI) -> None:
    stage.has_jobs_api = False
    mine, other = new_prompt_id(), new_prompt_id()
    comfy.submit(GRAPH, prompt_id=other)
    comfy.submit(GRAPH, prompt_id=mine)
    stage.run(stage.prompts[0])

    assert comfy.cancel(mine) is True
    assert stage.count("POST", "/interrupt") == 0
    assert comfy.cancel(other) is True
    assert stage.seen[-1].body == {"prompt_id": other}


def test_history_can_be_deleted_by_id(stage: Stage, comfy: ComfyUI) -> None:
    prompt_id = new_prompt_id()
    stage.history[prompt_id] = {"outputs": {}}

    assert comfy.history(prompt_id) == {"outputs": {}}
    comfy.delete_history(prompt_id)
    assert comfy.history(prompt_id) is None


def test_an_image_is_fetched_by_its_reference(stage: Stage, comfy: ComfyUI) -> None:
    stage.files["émoji👩.png"] = PNG

    assert comfy.fetch(ImageRef("émoji👩.png", "a/b")) == PNG
    assert stage.seen[-1].query == {"filename": "émoji👩.png", "subfolder": "a/b", "type": "output"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (PAGE, "not_an_image"),
        ({"status": 200, "text": ""}, "not_an_image"),
        ({"status": 404}, "image_missing"),
        ({"status": 400}, "rejected"),
        ({"status": 503}, "unreachable"),
        ({"text": "x" * 2000, "content_type": "image/png"}, "answer_too_large"),
    ],
)
def test_each_failed_fetch_has_its_code(stage: Stage, comfy: ComfyUI, answer: Any, code: str) -> None:
    stage.order("GET", "/view", **answer)
    assert failure(lambda: comfy.fetch(ImageRef("a.png"), limit=1000)).code == code


def test_a_redirect_to_a_file_store_is_followed_without_credentials(stage: Stage) -> None:
    stage.files["a.png"] = PNG
    elsewhere = f"{stage.url}/view?filename=a.png&signature=1"
    stage.order("GET", "/view", status=302, headers={"Location": elsewhere}, times=1)

    with ComfyUI(stage.url, headers={"X-API-Key": "covert"}, timeouts=QUICK) as comfy:
        assert comfy.fetch(ImageRef("a.png")) == PNG

    assert stage.seen[0].headers["X-API-Key"] == "covert"
    assert "X-API-Key" not in stage.seen[1].headers


def test_an_upload_answers_with_the_name_it_got(stage: Stage, comfy: ComfyUI) -> None:
    stored = comfy.upload_image("a.png", PNG, subfolder="refs")

    assert stored == ImageRef("a (1).png", "refs", "input")
    assert stored.as_input == "refs/a (1).png"
    assert replace(stored, type="output").as_input == "refs/a (1).png [output]"


@pytest.mark.parametrize(
    ("answer", "code"), [({"status": 413}, "too_large"), ({"body": {}}, "not_comfyui"), (PAGE, "not_comfyui")]
)
def test_each_failed_upload_has_its_code(stage: Stage, comfy: ComfyUI, answer: Any, code: str) -> None:
    stage.order("POST", "/upload/image", **answer)
    assert failure(lambda: comfy.upload_image("a.png", PNG)).code == code
