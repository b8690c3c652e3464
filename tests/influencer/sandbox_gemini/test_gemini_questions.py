"""What the stand-in takes: both versions, both casings, both alphabets, names and numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.influencer.sandbox_gemini.conftest import TIMEOUT, Caller, asking, png, standard, text_of, url_safe

JSON = "application/json"
CAPTION = {
    "type": "object",
    "properties": {
        "caption": {"type": "string"},
        "altText": {"type": "string"},
        "hashtags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    },
}
# The same as the old SDK sends it: enums as numbers, 64-bit numbers as text.
CAPTION_AS_NUMBERS = {
    "type": 6,
    "properties": {
        "caption": {"type": 1},
        "altText": {"type": 1},
        "hashtags": {"type": 5, "items": {"type": 1}, "max_items": "2"},
    },
}


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_both_versions_answer(caller: Caller, version: str) -> None:
    answer = caller.generate(asking(), version=version).json()
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["modelVersion"] == "gemini-3.5-flash-lite" and answer["responseId"]
    usage = answer["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]
    assert "A harbour at dusk" in answer["candidates"][0]["content"]["parts"][0]["text"]


def test_the_key_may_be_in_the_address(caller: Caller) -> None:
    assert caller.generate(asking(), key="AIza-test").status_code == 200


def test_a_call_without_a_key_is_refused(caller: Caller) -> None:
    answer = requests.get(f"{caller.url}/gemini/v1beta/models", timeout=TIMEOUT)
    assert answer.status_code == 403 and answer.json()["error"]["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("name", ["responseSchema", "response_schema"])
@pytest.mark.parametrize("schema", [CAPTION, CAPTION_AS_NUMBERS])
def test_an_answer_fits_the_schema_in_every_spelling(
    caller: Caller, name: str, schema: dict[str, Any]
) -> None:
    kind = "responseMimeType" if name == "responseSchema" else "response_mime_type"
    config = {kind: JSON, name: schema}
    found = json.loads(text_of(caller.generate(asking(generationConfig=config))))
    assert set(found) == {"caption", "altText", "hashtags"}
    assert isinstance(found["caption"], str) and len(found["hashtags"]) == 2


def test_upper_case_types_and_json_schema_are_understood(caller: Caller) -> None:
    kinds = {"n": "INTEGER", "x": "NUMBER", "b": "BOOLEAN", "s": "STRING"}
    schema = {"type": "OBJECT", "properties": {name: {"type": kind} for name, kind in kinds.items()}}
    schema["properties"]["mood"] = {"type": "STRING", "enum": ["calm", "wild"]}  # type: ignore[index]
    config = {"responseMimeType": JSON, "responseJsonSchema": schema}
    found = json.loads(text_of(caller.generate(asking(generation_config=config))))
    assert {name: type(value) for name, value in found.items()} == {
        "n": int,
        "x": float,
        "b": bool,
        "s": str,
        "mood": str,
    }
    assert found["mood"] in ("calm", "wild")


def test_numbered_wishes_get_as_many_different_scenes(caller: Caller) -> None:
    item = {"type": "object", "properties": {"number": {"type": "integer"}, "prompt": {"type": "string"}}}
    rows = {"type": "array", "items": item, "minItems": 3, "maxItems": 3}
    config = {"responseMimeType": JSON, "responseSchema": {"type": "object", "properties": {"prompts": rows}}}
    wish = "Scenes:\n- 11. a wide view\n- 12. a close one\n- 13. a quiet one"
    found = json.loads(text_of(caller.generate(asking(wish, generationConfig=config))))["prompts"]
    assert [row["number"] for row in found] == [11, 12, 13]
    assert len({row["prompt"] for row in found}) == 3


def test_scenes_the_question_tells_of_do_not_come_again(caller: Caller) -> None:
    item = {"type": "object", "properties": {"number": {"type": "integer"}, "prompt": {"type": "string"}}}
    rows = {"type": "array", "items": item, "minItems": 3, "maxItems": 3}
    config = {"responseMimeType": JSON, "responseSchema": {"type": "object", "properties": {"prompts": rows}}}
    told: list[str] = []
    for _ in range(8):
        wish = "\n".join(["Recent:", *told, "Scenes:", "- 1. wide", "- 2. close", "- 3. quiet"])
        found = json.loads(text_of(caller.generate(asking(wish, generationConfig=config))))["prompts"]
        told += [row["prompt"] for row in found]
    assert len(set(told)) == 24


def test_the_same_question_gets_the_same_answer(caller: Caller) -> None:
    assert text_of(caller.generate(asking())) == text_of(caller.generate(asking()))


@pytest.mark.parametrize("encode", [standard, url_safe])
@pytest.mark.parametrize(
    ("blob", "kind"), [("inlineData", "mimeType"), ("inline_data", "mime_type"), ("inlineData", "mime_type")]
)
def test_an_image_arrives_in_either_alphabet_and_casing(
    caller: Caller, encode: Any, blob: str, kind: str
) -> None:
    parts = [{"text": "Describe"}, {blob: {kind: "image/png", "data": encode(png())}}]
    answer = caller.generate({"contents": [{"parts": parts}]})
    assert "I looked at the picture" in text_of(answer)
    assert answer.json()["usageMetadata"]["promptTokenCount"] >= 258


def test_enums_come_as_numbers_when_asked_for(caller: Caller) -> None:
    query = {"$alt": "json;enum-encoding=int"}
    assert caller.generate(asking(), **query).json()["candidates"][0]["finishReason"] == 1


def test_an_answer_longer_than_it_may_be_is_cut(caller: Caller) -> None:
    answer = caller.generate(asking(generationConfig={"maxOutputTokens": 2})).json()
    assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert len(answer["candidates"][0]["content"]["parts"][0]["text"]) == 8


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Expected an object"),
        ({}, "contents is not specified"),
        ({"contents": []}, "contents is not specified"),
        (asking(prompt="x"), 'Unknown name "prompt"'),
        (asking(generationConfig={"style": 1}), "generation_config"),
        (asking(generationConfig={"frequencyPenalty": 0.5}), "Penalty is not enabled"),
        (asking(generationConfig={"responseSchema": {"type": "string"}}), "requires the response MIME type"),
        (
            asking(generationConfig={"responseMimeType": JSON, "responseSchema": {"type": "poem"}}),
            "response_schema.type",
        ),
        (
            asking(generationConfig={"responseMimeType": JSON, "responseSchema": {"type": "array"}}),
            "items: missing field",
        ),
        ({"contents": [{"role": "model", "parts": [{"text": "hi"}]}]}, "role user"),
        ({"contents": [{"parts": [{}]}]}, "must not be empty"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/gif", "data": ""}}]}]}, "MIME type"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "§"}}]}]}, "TYPE_BYTES"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]}]},
            "Unable to process input image",
        ),
    ],
)
def test_what_gemini_would_not_take_is_refused(caller: Caller, body: Any, says: str) -> None:
    answer = caller.generate(body)
    assert answer.status_code == 400
    assert (
        answer.json()["error"]["status"] == "INVALID_ARGUMENT" and says in answer.json()["error"]["message"]
    )


def test_a_body_that_is_no_json_is_refused(caller: Caller) -> None:
    address = f"{caller.url}/gemini/v1beta/models/gemini-3.5-flash:generateContent"
    answer = requests.post(address, data="{", headers={"x-goog-api-key": "k"}, timeout=TIMEOUT)
    assert answer.status_code == 400 and "Invalid JSON payload" in answer.json()["error"]["message"]


# Models


def test_models_are_listed_in_pages(caller: Caller) -> None:
    first = caller.get("/v1beta/models", pageSize=4).json()
    assert len(first["models"]) == 4
    rest = caller.get("/v1beta/models", pageSize=50, pageToken=first["nextPageToken"]).json()
    assert "nextPageToken" not in rest
    names = [row["name"] for row in first["models"] + rest["models"]]
    assert "models/gemini-3.5-flash-lite" in names and len(names) == len(set(names))
    assert caller.get("/v1beta/models", pageToken="nonsense").status_code == 400
    assert caller.get("/v1beta/models", pageSize="many").status_code == 400


def test_the_latest_models_are_in_the_beta_version_only(caller: Caller) -> None:
    assert caller.get("/v1beta/models/gemini-flash-latest").status_code == 200
    assert caller.get("/v1/models/gemini-flash-latest").status_code == 404
    answer = caller.generate(asking(), model="gemini-flash-latest").json()
    assert answer["modelVersion"] == "gemini-3.8-flash"


@pytest.mark.parametrize("model", ["gemini-1.5-flash", "gemini-2.0-flash", "gemini-embedding-001"])
def test_a_model_that_is_gone_or_does_not_write_is_not_found(caller: Caller, model: str) -> None:
    answer = caller.generate(asking(), model=model)
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert f"models/{model} is not found for API version v1beta" in message and "ListModels" in message


def test_any_other_path_is_not_found(caller: Caller) -> None:
    assert caller.get("/v1beta/files").status_code == 404
    assert caller.get("/v2/models").status_code == 404
