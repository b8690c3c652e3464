"""A graph is handed over exactly once, also when the answer gets lost."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from influencer.clients.comfyui import (
    Accepted,
    ComfyUI,
    new_prompt_id,
)
from influencer.clients.errors import ServiceError
from tests.influencer.clients.comfyui.conftest import QUICK
from tests.influencer.clients.comfyui.stage import Stage

GRAPH = {"8": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a"}}}
PAGE = {"text": "<html>Sign in</html>", "content_type": "text/html"}


def failure(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call()
    assert caught.value.service == "ComfyUI"
    assert caught.value.fix
    return caught.value


def test_a_submit_carries_our_own_id_previews_and_the_job(stage: Stage, comfy: ComfyUI) -> None:
    prompt_id = new_prompt_id()

    accepted = comfy.submit(GRAPH, prompt_id=prompt_id, reference="job_1")

    assert accepted == Accepted(prompt_id, 0)
    assert stage.seen[-1].body == {
        "prompt": GRAPH,
        "prompt_id": prompt_id,
        "client_id": prompt_id,
        "extra_data": {"preview_method": "auto", "influencer": {"reference": "job_1"}},
    }
    assert "Origin" not in stage.seen[-1].headers


def test_an_id_that_is_no_canonical_uuid_is_a_mistake_of_ours(comfy: ComfyUI) -> None:
    for wrong in ("x", new_prompt_id().upper(), "../queue"):
        with pytest.raises(ValueError):
            comfy.submit(GRAPH, prompt_id=wrong)


def test_a_400_is_read(stage: Stage, comfy: ComfyUI) -> None:
    error = {"type": "missing_node_type", "message": "…", "extra_info": {"class_type": "X"}}
    stage.order("POST", "/prompt", status=400, body={"error": error, "node_errors": {}})

    assert failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id())).code == "node_missing"
    stage.orders.clear()
    stage.order("POST", "/prompt", status=400, text="odd")
    assert failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id())).code == "rejected"


def test_a_200_with_node_errors_is_taken_back(stage: Stage, comfy: ComfyUI) -> None:
    prompt_id = new_prompt_id()
    fault = {"type": "value_not_in_list", "extra_info": {"input_name": "lora_name", "received_value": "x"}}
    node_errors = {"2": {"errors": [fault], "class_type": "LoraLoader"}}
    stage.order("POST", "/prompt", body={"prompt_id": prompt_id, "number": 1, "node_errors": node_errors})

    error = failure(lambda: comfy.submit(GRAPH, prompt_id=prompt_id))

    assert error.code == "lora_missing"
    assert stage.count("POST", f"/jobs/{prompt_id}/cancel") == 1


def test_a_server_that_gives_an_id_of_its_own_is_too_old(stage: Stage, comfy: ComfyUI) -> None:
    own = new_prompt_id()
    stage.order("POST", "/prompt", body={"prompt_id": own, "number": 1, "node_errors": {}})

    error = failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id()))

    assert error.code == "too_old"
    assert stage.count("POST", f"/jobs/{own}/cancel") == 1


def test_a_lost_answer_is_looked_up_and_found(stage: Stage, comfy: ComfyUI) -> None:
    stage.order("POST", "/prompt", drop="after", times=1)
    prompt_id = new_prompt_id()

    assert comfy.submit(GRAPH, prompt_id=prompt_id) == Accepted(prompt_id, recovered=True)
    assert stage.count("POST", "/prompt") == 1


def test_an_answer_too_slow_is_looked_up_and_found(stage: Stage, hasty: ComfyUI) -> None:
    stage.order("POST", "/prompt", drop="after", delay=0.5, times=1)
    prompt_id = new_prompt_id()

    assert hasty.submit(GRAPH, prompt_id=prompt_id).recovered
    assert stage.count("POST", "/prompt") == 1


@pytest.mark.parametrize("lost", [{"drop": "before"}, {"status": 502}])
def test_a_lost_request_is_known_not_to_be_there(stage: Stage, comfy: ComfyUI, lost: dict[str, Any]) -> None:
    stage.order("POST", "/prompt", **lost)
    prompt_id = new_prompt_id()

    error = failure(lambda: comfy.submit(GRAPH, prompt_id=prompt_id))

    assert (error.code, error.retryable, error.outcome_unknown) == ("unreachable", True, False)
    assert comfy.submitted(prompt_id) is False


def test_a_lost_answer_of_a_server_gone_since_is_unknown(stage: Stage, comfy: ComfyUI) -> None:
    stage.order("POST", "/prompt", drop="after")
    stage.order("GET", "/queue", status=503)
    prompt_id = new_prompt_id()

    error = failure(lambda: comfy.submit(GRAPH, prompt_id=prompt_id))

    assert (error.retryable, error.outcome_unknown) == (True, True)
    assert comfy.submitted(prompt_id) is None
    stage.orders.clear()
    assert comfy.submitted(prompt_id) is True


def test_a_server_that_is_not_there_has_not_got_the_prompt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with ComfyUI(f"http://127.0.0.1:{port}", timeouts=QUICK) as comfy:
        error = failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id()))

    assert (error.code, error.retryable, error.outcome_unknown) == ("unreachable", True, False)
    assert error.message == f"ComfyUI at http://127.0.0.1:{port} does not answer."


def test_a_page_instead_of_json_on_submit_is_not_comfyui(stage: Stage, comfy: ComfyUI) -> None:
    stage.order("POST", "/prompt", **PAGE)
    assert failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id())).code == "not_comfyui"


@pytest.mark.parametrize(("status", "code"), [(413, "too_large"), (500, "server_error")])
def test_a_submit_that_breaks_the_server_is_told(
    stage: Stage, comfy: ComfyUI, status: int, code: str
) -> None:
    stage.order("POST", "/prompt", status=status, text="Maximum request body size 104857600 exceeded.")
    error = failure(lambda: comfy.submit(GRAPH, prompt_id=new_prompt_id()))
    assert error.code == code
    assert (status == 413) == ("at most 100 MB" in error.message)
