"""ComfyUI's validation errors, in the exact forms a real 0.28.0 gave."""

from __future__ import annotations

from typing import Any

import pytest

from influencer.clients.comfyui.history import execution_failed, outcome_of
from influencer.clients.comfyui.rejections import from_node_errors, rejected
from influencer.clients.comfyui.values import Ending

FAILED = {
    "type": "prompt_outputs_failed_validation",
    "message": "Prompt outputs failed validation",
    "details": "",
    "extra_info": {},
}
MODEL = {
    "type": "value_not_in_list",
    "message": "Value not in list",
    "details": "ckpt_name: 'missing.safetensors' not in ['tiny_sd15.safetensors']",
    "extra_info": {
        "input_name": "ckpt_name",
        "input_config": [["tiny_sd15.safetensors"], {}],
        "received_value": "missing.safetensors",
    },
}
STEPS = ["INT", {"default": 20, "min": 1, "max": 10000}]


def body(*errors: dict[str, Any], class_type: str = "KSampler") -> dict[str, Any]:
    report = {"errors": list(errors), "dependent_outputs": ["9"], "class_type": class_type}
    return {"error": FAILED, "node_errors": {"4": report}}


def not_in_list(name: str, value: str) -> dict[str, Any]:
    return {**MODEL, "details": "", "extra_info": {"input_name": name, "received_value": value}}


def test_a_missing_model_is_named_with_what_to_do() -> None:
    error = rejected(body(MODEL, class_type="CheckpointLoaderSimple"))

    assert error.message == "The model 'missing.safetensors' is not on this server."
    assert error.fix == "Refresh models or choose another."
    assert (error.code, error.service, error.http_status) == ("model_missing", "ComfyUI", 400)
    assert error.details["findings"][0]["input"] == "ckpt_name"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("unet_name", "model_missing", "The model 'x' is not on this server."),
        ("lora_name", "lora_missing", "The LoRA 'x' is not on this server."),
        ("vae_name", "model_missing", "The VAE 'x' is not on this server."),
        ("clip_name2", "model_missing", "The text encoder 'x' is not on this server."),
        ("sampler_name", "sampler_unknown", "The sampler 'x' is not on this server."),
        ("scheduler", "scheduler_unknown", "The scheduler 'x' is not on this server."),
        ("weight_dtype", "invalid_value", "This server does not know weight_dtype 'x'."),
    ],
)
def test_what_is_not_in_the_servers_lists_has_its_own_code(name: str, code: str, said: str) -> None:
    error = rejected(body(not_in_list(name, "x")))

    assert (error.code, error.message) == (code, said)
    assert error.fix


def test_a_model_that_was_never_chosen_is_said_so() -> None:
    assert rejected(body(not_in_list("ckpt_name", ""))).message == "The model is not chosen."


def test_a_value_is_read_from_the_details_of_a_long_list() -> None:
    details = "sampler_name: 'nope' not in (list of length 44)"
    fault = {**MODEL, "details": details, "extra_info": {"input_name": "sampler_name", "input_config": None}}

    assert rejected(body(fault)).message == "The sampler 'nope' is not on this server."


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("value_smaller_than_min", 0, "Steps must be at least 1; it is 0."),
        ("value_bigger_than_max", 99999, "Steps must be at most 10000; it is 99999."),
        ("invalid_input_type", "abc", "Steps must be a number; it is abc."),
    ],
)
def test_values_out_of_range_name_the_range(kind: str, value: Any, said: str) -> None:
    info = {"input_name": "steps", "input_config": STEPS, "received_value": value}
    error = rejected(body({"type": kind, "message": "…", "details": "steps", "extra_info": info}))

    assert (error.code, error.message) == ("invalid_value", said)


def test_several_faults_are_told_together_and_once() -> None:
    error = rejected(body(MODEL, MODEL, not_in_list("lora_name", "x.safetensors")))

    assert error.message == (
        "The model 'missing.safetensors' is not on this server. "
        "The LoRA 'x.safetensors' is not on this server."
    )
    assert error.code == "model_missing"
    assert len(error.details["findings"]) == 2


def test_an_image_that_was_not_uploaded_is_named() -> None:
    details = "image - Invalid image file: nofile.png"
    message = "Custom validation failed for node"
    fault = {"type": "custom_validation_failed", "message": message, "details": details}
    error = rejected(body({**fault, "extra_info": {"input_name": "image"}}, class_type="LoadImage"))

    assert (error.code, error.message) == ("image_missing", "The image 'nofile.png' is not on this server.")


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("required_input_missing", "width"),
        ("return_type_mismatch", "model, received_type(LATENT) mismatch input_type(MODEL)"),
        ("bad_linked_input", "images"),
        ("exception_during_validation", "'99'"),
        ("dependency_cycle", "3 (ImageInvert) -> 3 (ImageInvert)"),
    ],
)
def test_a_graph_that_is_wrong_in_itself_is_our_fault(kind: str, details: str) -> None:
    fault = {"type": kind, "message": "It is wrong", "details": details, "extra_info": {}}
    error = rejected(body(fault))

    assert error.code == "invalid_graph"
    assert error.message == f"The node KSampler was not accepted: It is wrong ({details})."


def graph_error(kind: str, message: str, **info: Any) -> dict[str, Any]:
    return {
        "error": {"type": kind, "message": message, "details": "", "extra_info": info},
        "node_errors": {},
    }


def test_a_missing_node_is_named_by_new_and_old_servers() -> None:
    new = graph_error("missing_node_type", "…", node_id="1", class_type="NoSuchNode", node_title="T")
    old = graph_error("invalid_prompt", "Cannot execute because node NoSuchNode does not exist.")

    for answer in (new, old):
        error = rejected(answer)
        assert (error.code, error.message) == ("node_missing", "This server has no node 'NoSuchNode'.")


@pytest.mark.parametrize(
    "answer",
    [
        graph_error("missing_node_type", "Node 'ID #1' has no class_type.", node_id="1", class_type=None),
        graph_error("prompt_no_outputs", "Prompt has no outputs"),
        graph_error("no_prompt", "No prompt provided"),
        graph_error("invalid_prompt_id", "prompt_id must be a valid UUID"),
        {"error": "just a string"},
        {"error": None, "node_errors": {"1": {"errors": [], "class_type": None}}},
        {},
        [],
        None,
    ],
)
def test_everything_else_is_an_invalid_graph(answer: Any) -> None:
    error = rejected(answer)

    assert error.code == "invalid_graph"
    assert error.message.startswith("ComfyUI did not accept the workflow")


def test_node_errors_of_a_200_answer_read_the_same() -> None:
    assert from_node_errors(body(MODEL)["node_errors"]).code == "model_missing"
    assert from_node_errors("odd").code == "invalid_graph"


# What goes wrong while a prompt runs


@pytest.mark.parametrize(
    ("kind", "message", "code"),
    [
        ("torch.OutOfMemoryError", "This error means you ran out of memory on your GPU.", "out_of_memory"),
        ("RuntimeError", "MPS backend out of memory", "out_of_memory"),
        ("RuntimeError", "Allocation on device \n", "out_of_memory"),
        ("safetensors._safetensors_rust.SafetensorError", "header too small\n", "model_damaged"),
        ("RuntimeError", "ERROR: clip input is invalid: None\n\nIf the clip…", "model_incomplete"),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (77x768 and 2048x640)", "wrong_family"),
        ("OSError", "[Errno 28] No space left on device: 'a.png'", "disk_full"),
        ("ValueError", "odd", "execution_failed"),
    ],
)
def test_causes_are_told_apart(kind: str, message: str, code: str) -> None:
    error = execution_failed({"node_type": "N", "exception_type": kind, "exception_message": message})

    assert error.code == code
    assert error.fix


def test_a_damaged_file_is_named() -> None:
    error = execution_failed(
        {
            "node_type": "LoraLoader",
            "exception_type": "safetensors._safetensors_rust.SafetensorError",
            "exception_message": "Error while deserializing header: header too small\n",
            "current_inputs": {"lora_name": ["nina.safetensors"]},
        }
    )

    assert error.message == "A model file on the server is damaged: 'nina.safetensors'."


def test_the_prompt_never_gets_into_an_error() -> None:
    payload = {
        "node_type": "CLIPTextEncode",
        "exception_message": "odd",
        "current_inputs": {"text": ["my secret wish"]},
        "traceback": ["my secret wish"],
    }
    error = execution_failed(payload)

    assert "secret" not in f"{error.message} {error.fix} {error.details}"


def test_an_entry_of_an_old_server_without_status_counts_by_its_images() -> None:
    images = [{"filename": "a.png", "subfolder": "", "type": "output"}]
    outcome = outcome_of({"outputs": {"9": {"images": images}, "10": None}})

    assert outcome.ending is Ending.SUCCEEDED
    assert outcome.images[0].filename == "a.png"


def test_an_error_without_a_reason_is_still_an_error() -> None:
    outcome = outcome_of({"status": {"status_str": "error", "messages": [["odd"], "odder"]}})

    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None and outcome.error.message == "ComfyUI failed: no reason given."
