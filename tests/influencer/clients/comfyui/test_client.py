"""The calls to one server, and what each of its failures says."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from influencer.clients.comfyui import (
    ComfyUI,
    Device,
    Family,
    ImageRef,
    LoraFile,
    ModelFile,
    ModelKind,
    Place,
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


def test_system_stats_have_version_and_devices(comfy: ComfyUI) -> None:
    stats = comfy.system_stats()

    assert (stats.version, stats.python, stats.os) == ("0.28.0", "3.11.7", "linux")
    assert stats.devices == (Device("cpu", "cpu", 10, 4),)


def test_a_question_cut_off_on_a_kept_connection_is_asked_again(stage: Stage, comfy: ComfyUI) -> None:
    stage.order("GET", "/system_stats", drop="before", times=1)

    assert comfy.system_stats().version == "0.28.0"
    assert stage.count("GET", "/system_stats") == 2


def test_features_are_empty_on_a_server_without_the_call(stage: Stage, comfy: ComfyUI) -> None:
    assert comfy.features() == {"max_upload_size": 104857600}
    stage.order("GET", "/features", status=404)
    assert comfy.features() == {}


def test_models_have_kind_and_family_by_the_files_own_word_first(stage: Stage, comfy: ComfyUI) -> None:
    stage.models = {
        "checkpoints": ["mystery.safetensors", "sdxl.safetensors", "odd.ckpt"],
        "diffusion_models": ["flux1-dev.safetensors"],
        "loras": ["nina/v2.safetensors"],
        "text_encoders": ["clip_l.safetensors"],
    }
    stage.metadata = {
        "mystery.safetensors": {"modelspec.architecture": "stable-diffusion-v1"},
        "nina/v2.safetensors": {"ss_base_model_version": "sdxl_base_v1-0"},
    }
    stage.nodes["KSampler"] = {
        "input": {
            "required": {"sampler_name": [["euler"], {}], "scheduler": ["COMBO", {"options": ["karras"]}]}
        }
    }

    models = comfy.models()

    assert models.models == (
        ModelFile("mystery.safetensors", ModelKind.CHECKPOINT, Family.SD15),
        ModelFile("sdxl.safetensors", ModelKind.CHECKPOINT, Family.SDXL),
        ModelFile("odd.ckpt", ModelKind.CHECKPOINT, None),
        ModelFile("flux1-dev.safetensors", ModelKind.DIFFUSION, Family.FLUX1),
    )
    assert models.loras == (LoraFile("nina/v2.safetensors", Family.SDXL),)
    assert (models.samplers, models.schedulers) == (("euler",), ("karras",))
    assert models.text_encoders == ("clip_l.safetensors",)
    assert models.vaes == ()
    assert models.find("odd.ckpt") == models.checkpoints[2]
    assert comfy.family("mystery.safetensors") is Family.SD15


def test_models_are_remembered_until_asked_afresh(stage: Stage, comfy: ComfyUI) -> None:
    assert comfy.models().checkpoints == ()
    stage.models["checkpoints"] = ["new.safetensors"]

    assert comfy.models().checkpoints == ()
    assert len(comfy.models(fresh=True).checkpoints) == 1


def test_a_node_is_asked_for_once_a_minute(
    stage: Stage, comfy: ComfyUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.nodes["A"] = {"input": {}}
    now = 1000.0
    monkeypatch.setattr("influencer.clients.comfyui.client.time.monotonic", lambda: now)

    assert comfy.object_info("A") == {"input": {}} == comfy.object_info("A")
    assert stage.count("GET", "/object_info/A") == 1
    now += 61
    comfy.object_info("A")
    assert stage.count("GET", "/object_info/A") == 2
    assert comfy.object_info("B") == {}


def test_a_graph_is_fitted_to_the_servers_nodes(stage: Stage, comfy: ComfyUI) -> None:
    required = {"images": ["IMAGE"], "quality": ["INT", {"default": 9}]}
    stage.nodes["SaveImage"] = {"input": {"required": required}}

    assert comfy.fitted(GRAPH) == {"8": {"class_type": "SaveImage", "inputs": {"quality": 9}}}


def test_the_queue_is_read_in_the_order_of_running(comfy: ComfyUI, stage: Stage) -> None:
    items = {
        "queue_running": [[5, "r", {}, {}, []]],
        "queue_pending": [[-100.0, "a"], [23, "c"], [-24, "b"], [25, "d"], "odd", []],
    }
    stage.order("GET", "/queue", body=items)

    assert comfy.queue().pending == ("a", "b", "c", "d")
    assert comfy.place("r") == Place(running=True)
    assert comfy.place("c") == Place(running=False, position=3)
    assert comfy.place("x") is None


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (PAGE, "not_comfyui", False),
        ({"status": 404}, "not_comfyui", False),
        ({"body": {"hello": "world"}}, "not_comfyui", False),
        ({"body": ["hello"]}, "not_comfyui", False),
        ({"status": 302, "headers": {"Location": "https://sso.example/?secret=1"}}, "not_comfyui", False),
        ({"status": 401}, "refused", False),
        ({"status": 403}, "refused", False),
        ({"status": 429, "headers": {"Retry-After": "7"}}, "too_many_requests", True),
        ({"status": 500, "text": "Server got itself in trouble"}, "server_error", False),
        ({"status": 502, **PAGE}, "unreachable", True),
        ({"status": 418}, "rejected", False),
    ],
)
def test_each_bad_answer_has_its_code(
    stage: Stage, comfy: ComfyUI, answer: Any, code: str, retryable: bool
) -> None:
    stage.order("GET", "/system_stats", **answer)

    error = failure(comfy.system_stats)

    assert (error.code, bool(error.retryable)) == (code, retryable)
    assert not error.outcome_unknown
    assert "secret" not in f"{error.message}{error.fix}"
    assert stage.count("GET", "/system_stats") == 1


def test_a_question_that_is_always_cut_off_is_asked_twice(stage: Stage, comfy: ComfyUI) -> None:
    stage.order("GET", "/system_stats", drop="before")

    error = failure(comfy.system_stats)

    assert (error.code, error.retryable, error.outcome_unknown) == ("unreachable", True, False)
    assert stage.count("GET", "/system_stats") == 2


@pytest.mark.parametrize("url", ["box:8188", "http://nina:secret@:1", "http://box:99999"])
def test_an_address_that_can_t_be_used_is_told_without_showing_it(url: str) -> None:
    error = failure(lambda: ComfyUI(url))
    assert error.code == "bad_address"
    assert "secret" not in error.message


def test_credentials_go_along_everywhere_and_are_shown_nowhere(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="influencer")
    stage.prefix = "/comfyui"
    url = stage.url.replace("http://", "http://nina:hidden@") + "?token=veiled"

    with ComfyUI(url, headers={"X-API-Key": "covert"}, timeouts=QUICK) as comfy:
        comfy.queue()
        comfy.listen("abc").close()
        stage.order("GET", "/queue", drop="before")
        error = failure(comfy.queue)

    for seen in stage.seen[:2]:
        assert seen.headers["Authorization"].startswith("Basic ")
        assert seen.headers["X-API-Key"] == "covert"
        assert seen.query["token"] == "veiled"
    told = f"{caplog.text}{error.message}{error.fix}{error.details}{comfy.address}"
    assert not any(word in told for word in ("hidden", "veiled", "covert"))
    assert stage.url in error.message


def test_every_call_but_a_quiet_poll_leaves_one_line(
    stage: Stage, comfy: ComfyUI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="influencer")

    comfy.system_stats()
    comfy.queue()
    stage.order("GET", "/queue", status=503)
    failure(comfy.queue)

    ours = [record for record in caplog.records if record.name.startswith("influencer")]
    lines = [record.getMessage().partition(" in ")[0] for record in ours]
    assert lines == ["ComfyUI GET /system_stats: 200", "ComfyUI GET /queue: 503"]


def test_a_server_too_slow_is_told(stage: Stage, hasty: ComfyUI) -> None:
    stage.order("GET", "/system_stats", delay=0.5)
    stage.order("GET", "/view", delay=0.5)

    for call in (hasty.system_stats, lambda: hasty.fetch(ImageRef("a.png"))):
        error = failure(call)
        assert (error.code, error.retryable, error.outcome_unknown) == ("timeout", True, False)
