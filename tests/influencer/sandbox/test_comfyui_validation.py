"""What ComfyUI refuses, in its own words (recorded from version 0.28)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.influencer.sandbox.bench import Comfy, node, plain, txt2img

CHECKPOINTS = [
    "flux1-dev-fp8.safetensors",
    "sd_xl_base_1.0.safetensors",
    "sdxl_dreamshaper.safetensors",
    "v1-5-pruned-emaonly-fp16.safetensors",
]


def refusal(comfy: Comfy, graph: Any, **more: Any) -> dict[str, Any]:
    answer = comfy.post("/prompt", {"prompt": graph, **more})
    assert answer.status_code == 400
    return dict(answer.json())


def only_error(body: dict[str, Any], node_id: str) -> dict[str, Any]:
    assert body["error"] == {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": body["error"]["details"],
        "extra_info": {},
    }
    assert list(body["node_errors"]) == [node_id]
    (error,) = body["node_errors"][node_id]["errors"]
    return dict(error)


def test_an_unknown_class_is_named_with_its_title(comfy: Comfy) -> None:
    graph = {"1": {**node("NoSuchNode"), "_meta": {"title": "My node"}}}
    assert refusal(comfy, graph) == {
        "error": {
            "type": "missing_node_type",
            "message": "Node 'My node' not found. The custom node may not be installed.",
            "details": "Node ID '#1'",
            "extra_info": {"node_id": "1", "class_type": "NoSuchNode", "node_title": "My node"},
        },
        "node_errors": {},
    }


def test_a_node_without_a_class_is_named_by_its_id(comfy: Comfy) -> None:
    error = refusal(comfy, {"1": {"inputs": {}}})["error"]
    assert error["type"] == "missing_node_type"
    assert error["message"] == (
        "Node 'ID #1' has no class_type. The workflow may be corrupted or a custom node is missing."
    )
    assert error["extra_info"] == {"node_id": "1", "class_type": None, "node_title": None}


def test_nodes_the_sandbox_can_not_run_are_not_offered(comfy: Comfy) -> None:
    assert refusal(comfy, {"1": node("ResolutionBucket")})["error"]["type"] == "missing_node_type"
    assert comfy.get("/object_info/ResolutionBucket").json() == {}


@pytest.mark.parametrize("graph", [{}, {"1": node("EmptyImage", width=1, height=1, batch_size=1, color=0)}])
def test_a_graph_without_output_is_refused(comfy: Comfy, graph: dict[str, Any]) -> None:
    assert refusal(comfy, graph) == {
        "error": {
            "type": "prompt_no_outputs",
            "message": "Prompt has no outputs",
            "details": "",
            "extra_info": {},
        },
        "node_errors": {},
    }


def test_a_body_without_prompt_is_refused(comfy: Comfy) -> None:
    answer = comfy.post("/prompt", {})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "no_prompt"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "abc",
        "5E0C9894-AFDA-46C9-80F8-4D2C5830B00E",
        "5e0c9894afda46c980f84d2c5830b00e",
        "{5e0c9894-afda-46c9-80f8-4d2c5830b00e}",
        7,
        None,
    ],
)
def test_a_prompt_id_must_be_a_canonical_uuid(comfy: Comfy, wrong: Any) -> None:
    error = refusal(comfy, plain(), prompt_id=wrong)["error"]
    assert error == {
        "type": "invalid_prompt_id",
        "message": "prompt_id must be a valid UUID",
        "details": "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
        "omit it to let the server generate one",
        "extra_info": {},
    }


def test_a_missing_model_shows_only_in_the_node_errors(comfy: Comfy) -> None:
    body = refusal(comfy, txt2img(checkpoint="missing.safetensors"))
    assert body["error"]["details"] == ""
    assert body["node_errors"] == {
        "4": {
            "errors": [
                {
                    "type": "value_not_in_list",
                    "message": "Value not in list",
                    "details": f"ckpt_name: 'missing.safetensors' not in {CHECKPOINTS}",
                    "extra_info": {
                        "input_name": "ckpt_name",
                        "input_config": [CHECKPOINTS, {}],
                        "received_value": "missing.safetensors",
                    },
                }
            ],
            "dependent_outputs": ["9"],
            "class_type": "CheckpointLoaderSimple",
        }
    }


def test_a_long_list_is_only_counted(comfy: Comfy) -> None:
    graph = txt2img()
    graph["3"]["inputs"]["sampler_name"] = "nope"
    error = only_error(refusal(comfy, graph), "3")
    assert error["details"] == "sampler_name: 'nope' not in (list of length 44)"
    assert error["extra_info"]["input_config"] is None


def test_a_missing_input_is_named(comfy: Comfy) -> None:
    graph = txt2img()
    del graph["5"]["inputs"]["width"]
    assert only_error(refusal(comfy, graph), "5") == {
        "type": "required_input_missing",
        "message": "Required input is missing",
        "details": "width",
        "extra_info": {"input_name": "width"},
    }


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (0, "value_smaller_than_min", "Value 0 smaller than min of 1"),
        (10001, "value_bigger_than_max", "Value 10001 bigger than max of 10000"),
    ],
)
def test_a_number_out_of_range_is_refused(comfy: Comfy, value: int, kind: str, message: str) -> None:
    graph = txt2img()
    graph["3"]["inputs"]["steps"] = value
    error = only_error(refusal(comfy, graph), "3")
    assert (error["type"], error["message"], error["details"]) == (kind, message, "steps")
    assert error["extra_info"]["input_config"] == ["INT", {"default": 20, "min": 1, "max": 10000}]
    assert error["extra_info"]["received_value"] == value


def test_text_that_is_no_number_is_refused_with_the_reason(comfy: Comfy) -> None:
    graph = txt2img()
    graph["3"]["inputs"]["steps"] = "abc"
    error = only_error(refusal(comfy, graph), "3")
    assert error["type"] == "invalid_input_type"
    assert error["message"] == "Failed to convert an input value to a INT value"
    assert error["details"] == "steps, abc, invalid literal for int() with base 10: 'abc'"


def test_text_that_is_a_number_and_wrapped_values_are_converted(comfy: Comfy) -> None:
    graph = txt2img()
    graph["3"]["inputs"] |= {"steps": "2", "cfg": {"__value__": "7.5"}}
    entry = comfy.run(graph)
    assert entry["status"]["completed"]
    assert entry["prompt"][2]["3"]["inputs"]["steps"] == 2
    assert entry["prompt"][2]["3"]["inputs"]["cfg"] == 7.5


def test_the_largest_seed_is_accepted_and_one_more_is_not(comfy: Comfy) -> None:
    assert comfy.run(txt2img(seed=2**64 - 1))["status"]["completed"]
    error = only_error(refusal(comfy, txt2img(seed=2**64)), "3")
    assert error["type"] == "value_bigger_than_max"


def test_a_link_of_the_wrong_type_is_refused(comfy: Comfy) -> None:
    graph = txt2img()
    graph["3"]["inputs"]["model"] = ["5", 0]
    assert only_error(refusal(comfy, graph), "3") == {
        "type": "return_type_mismatch",
        "message": "Return type mismatch between linked nodes",
        "details": "model, received_type(LATENT) mismatch input_type(MODEL)",
        "extra_info": {
            "input_name": "model",
            "input_config": ["MODEL", {}],
            "received_type": "LATENT",
            "linked_node": ["5", 0],
        },
    }


def test_a_link_must_have_two_parts(comfy: Comfy) -> None:
    graph = plain()
    graph["2"]["inputs"]["images"] = ["1"]
    body = refusal(comfy, graph)
    error = only_error(body, "2")
    assert (error["type"], error["details"]) == ("bad_linked_input", "images")
    assert body["error"]["details"].startswith("Bad linked input, must be a length-2 list")


@pytest.mark.parametrize(
    ("link", "details", "kind"),
    [(["99", 0], "'99'", "KeyError"), (["1", 5], "tuple index out of range", "IndexError")],
)
def test_a_link_to_nothing_is_an_exception_of_the_output(
    comfy: Comfy, link: list[Any], details: str, kind: str
) -> None:
    graph = plain()
    graph["2"]["inputs"]["images"] = link
    error = only_error(refusal(comfy, graph), "2")
    assert (error["type"], error["details"]) == ("exception_during_validation", details)
    assert error["extra_info"]["exception_type"] == kind


def test_a_link_to_nothing_further_up_is_told_of_the_node_between(comfy: Comfy) -> None:
    graph = txt2img()
    graph["3"]["inputs"]["model"] = ["99", 0]
    error = only_error(refusal(comfy, graph), "3")
    assert error["type"] == "exception_during_inner_validation"
    assert error["extra_info"]["linked_node"] == ["3", 0]


def test_a_ring_of_nodes_is_refused(comfy: Comfy) -> None:
    graph = {
        "3": node("ImageInvert", image=["3", 0]),
        "4": node("SaveImage", images=["3", 0], filename_prefix="x"),
    }
    error = only_error(refusal(comfy, graph), "3")
    assert error["type"] == "dependency_cycle"
    assert error["details"] == "3 (ImageInvert) -> 3 (ImageInvert)"
    assert error["extra_info"] == {"node_id": "3", "cycle_nodes": ["3"]}


def test_an_input_picture_must_exist(comfy: Comfy) -> None:
    graph = {"1": node("LoadImage", image="nofile.png"), "2": node("PreviewImage", images=["1", 0])}
    assert only_error(refusal(comfy, graph), "1") == {
        "type": "custom_validation_failed",
        "message": "Custom validation failed for node",
        "details": "image - Invalid image file: nofile.png",
        "extra_info": {"input_name": "image"},
    }


def test_an_input_picture_outside_the_folder_does_not_exist(comfy: Comfy) -> None:
    (comfy.folder.parent / "outside.png").write_bytes(b"")
    graph = {
        "1": node("LoadImage", image="../../outside.png"),
        "2": node("PreviewImage", images=["1", 0]),
    }
    assert only_error(refusal(comfy, graph), "1")["type"] == "custom_validation_failed"


def test_with_one_good_output_the_answer_is_200_with_node_errors(comfy: Comfy) -> None:
    graph = {**plain(), "3": node("SaveImage", images=["4", 0], filename_prefix="x")}
    graph["4"] = node("EmptyImage", width=0, height=1, batch_size=1, color=0)
    answer = comfy.post("/prompt", {"prompt": graph})
    assert answer.status_code == 200
    assert list(answer.json()["node_errors"]) == ["4"]
    entry = comfy.finished(answer.json()["prompt_id"])
    assert list(entry["outputs"]) == ["2"]


def test_only_the_outputs_asked_for_run(comfy: Comfy) -> None:
    graph = {**plain(), "3": node("PreviewImage", images=["1", 0])}
    entry = comfy.run(graph, partial_execution_targets=["3"])
    assert list(entry["outputs"]) == ["3"]


def test_extra_inputs_and_loose_nodes_are_accepted(comfy: Comfy) -> None:
    graph = {**plain(), "9": node("EmptyImage", width="not looked at")}
    graph["1"]["inputs"]["colour_of_the_sky"] = "blue"
    entry = comfy.run(graph)
    assert entry["status"]["completed"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"prompt": []}'])
def test_what_is_no_object_is_answered_by_a_plain_500(comfy: Comfy, content: bytes) -> None:
    answer = comfy.post("/prompt", data=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == "500 Internal Server Error\n\nServer got itself in trouble"
