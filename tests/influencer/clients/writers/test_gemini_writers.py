"""Both ways to Gemini, against the sandbox: what they write, how they fail, how long they take at most."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.clients.writers.errors import WriterError
from influencer.errors import Invalid
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port
from tests.influencer.clients.test_network import certificate
from tests.influencer.clients.writers.asks import ECHO, LUNA, QUEST, ask, image
from tests.influencer.clients.writers.gemini_stage import API_KEY, SDKS, Stage, staged
from tests.influencer.sandbox.bench import eventually

both = pytest.mark.parametrize("sdk", SDKS)
SAID = '{"caption": "Lovely day", "altText": "", "hashtags": []}'
REPLY = {"candidates": [{"content": {"parts": [{"text": SAID}], "role": "model"}, "finishReason": "STOP"}]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("sandbox")) as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.forget()
    return running


def failure(stage: Stage, sdk: str, **more: Any) -> WriterError:
    with pytest.raises(WriterError) as caught:
        stage.writer(sdk, **more).write_caption(ask())
    return caught.value


# What they write


@both
@pytest.mark.parametrize("platform", list(Platform))
def test_a_caption_comes_back_fitting_its_platform(stage: Stage, sdk: str, platform: Platform) -> None:
    written = stage.writer(sdk).write_caption(ask(platform=platform, image=image()))
    assert "luna_character in a magical forest" in written.caption
    assert "I looked at the picture" in written.caption
    assert written.alt_text.startswith("Drawn by the sandbox")
    assert written.hashtags and all(f"#{tag}" in written.caption for tag in written.hashtags)
    assert [
        f for f in captions.check(platform, written.caption, written.alt_text) if f.level == "error"
    ] == []
    assert (written.writer, written.model) == (SDKS[sdk].writer, "gemini-3.5-flash-lite")
    assert written.tokens > 258


@both
def test_prompts_come_back_in_the_number_asked_for(stage: Stage, sdk: str) -> None:
    wanted = ask(count=10, chapters=(QUEST, ECHO), scene="")
    written = stage.writer(sdk).write_scenes(wanted)
    assert len({scene.prompt for scene in written.scenes}) == 10
    assert [scene.chapter_id for scene in written.scenes] == ["narr_quest"] * 5 + ["narr_echo"] * 5
    assert all(scene.prompt.count(LUNA.trigger_word) == 1 for scene in written.scenes)


@both
def test_50_prompts_asked_for_in_parts_are_50_scenes(stage: Stage, sdk: str) -> None:
    writer, known = stage.writer(sdk), []
    for first in range(0, 50, writer.at_once):
        wanted = ask(count=10, first=first, total=50, scene="", recent=tuple(known))
        known += [scene.prompt for scene in writer.write_scenes(wanted).scenes]
    assert len(known) == 50 == len(set(known))


@both
def test_the_models_are_those_that_write_text(stage: Stage, sdk: str) -> None:
    models = stage.writer(sdk).models()
    names = [model.name for model in models]
    assert "gemini-3.5-flash-lite" in names and "gemini-flash-latest" in names
    assert "gemini-embedding-001" not in names and names == sorted(names)
    lite = next(model for model in models if model.name == "gemini-3.5-flash-lite")
    assert (lite.label, lite.input_limit, lite.output_limit) == ("Gemini 3.5 Flash-Lite", 1048576, 65536)


@both
def test_a_test_proves_key_and_model_and_writes_nothing(stage: Stage, sdk: str) -> None:
    assert stage.writer(sdk).check().label == "Gemini 3.5 Flash-Lite"
    assert stage.asked() == [("GET", "/v1beta/models/gemini-3.5-flash-lite", 200)]
    for more, code in (
        ({"model": "gemini-1.5-flash"}, "model_unknown"),
        ({"key": "GEMINI-KEY-INVALID"}, "key_invalid"),
    ):
        with pytest.raises(WriterError) as caught:
            stage.writer(sdk, **more).check()
        assert caught.value.code == code


@both
def test_the_beta_version_is_asked_and_the_latest_models_can_be_used(stage: Stage, sdk: str) -> None:
    written = stage.writer(sdk, model="models/gemini-flash-latest").write_caption(ask())
    assert written.model == "gemini-3.8-flash"
    assert stage.asked() == [("POST", "/v1beta/models/gemini-flash-latest:generateContent", 200)]


# What they send


@both
def test_one_request_carries_everything_and_the_key_in_a_header(sdk: str) -> None:
    with ScriptedServer().running() as server:
        server.answer(REPLY)
        SDKS[sdk](API_KEY, base_url=server.url).write_caption(ask(image=image(3000, 2000), tone="dry"))
    asked = server.last
    assert asked.headers["x-goog-api-key"] == API_KEY and API_KEY not in asked.target
    config = asked.json["generationConfig"]
    assert config["responseMimeType"] == "application/json" and config["maxOutputTokens"] == 8192
    assert "responseJsonSchema" in config or "responseSchema" in config
    # Current models ignore these, or refuse them.
    assert not {"temperature", "topP", "topK", "frequencyPenalty", "presencePenalty"} & set(config)
    assert LUNA.voice in asked.json["systemInstruction"]["parts"][0]["text"]
    (content,) = asked.json["contents"]
    assert content["role"] == "user" and "## Tone\n- dry" in content["parts"][0]["text"]


@both
def test_a_large_image_is_sent_small(sdk: str) -> None:
    with ScriptedServer().running() as server:
        server.answer(REPLY)
        SDKS[sdk](API_KEY, base_url=server.url).write_caption(ask(image=image(3000, 2000)))
    part = server.last.json["contents"][0]["parts"][1]
    blob = part.get("inlineData") or part["inline_data"]
    content = base64.b64decode(blob["data"].translate(str.maketrans("-_", "+/")))
    with Image.open(BytesIO(content)) as sent:
        assert (sent.format, sent.size) == ("WEBP", (1024, 683))


@both
def test_an_image_that_is_none_is_refused_before_anything_is_sent(stage: Stage, sdk: str) -> None:
    with pytest.raises(Invalid, match="not an image"):
        stage.writer(sdk).write_caption(ask(image=b"GIF89a nothing"))
    assert stage.asked() == []


@both
def test_no_variable_of_the_environment_changes_where_a_call_goes(
    stage: Stage, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = f"http://127.0.0.1:{closed_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.setenv(name, elsewhere)
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "GEMINI-KEY-INVALID")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v1")
    assert stage.writer(sdk).write_caption(ask()).caption
    assert stage.asked()[0][1].startswith("/v1beta/")


# How they fail


@both
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("key_invalid", "key_invalid"),
        ("key_expired", "key_expired"),
        ("key_leaked", "key_leaked"),
        ("region", "region"),
        ("minute", "rate_limit"),
        ("day", "daily_limit"),
        ("overloaded", "overloaded"),
        ("prohibited", "prompt_blocked"),
        ("blocked_image", "image_blocked"),
        ("safety", "answer_blocked"),
        ("recitation", "recitation"),
        ("language", "language"),
        ("other", "stopped"),
        ("cut", "cut"),
        ("no_candidates", "empty"),
        ("no_text", "empty"),
        ("nonsense", "bad_answer"),
        ("html", "out_of_order"),
        ("answer_html", "bad_answer"),
        ("markup", "bad_answer"),
        ("wrong_types", "bad_answer"),
        ("page", "unreadable"),
        ("broken", "unreadable"),
        ("moved", "wrong_address"),
        ("reset_before", "connection_lost"),
        ("error_before", "overloaded"),
    ],
)
def test_a_fault_is_a_clear_sentence_and_nothing_is_repeated(
    stage: Stage, sdk: str, fault: str, code: str
) -> None:
    stage.fault(fault)
    found = failure(stage, sdk)
    assert (found.code, found.service) == (code, "Gemini")
    assert found.message.endswith(".") and len(found.fix) > 5
    assert len(stage.asked()) == 1
    assert stage.writer(sdk).write_caption(ask()).caption


@both
@pytest.mark.parametrize("fault", ["drip", "timeout_before"])
def test_a_call_never_takes_longer_than_it_may(stage: Stage, sdk: str, fault: str) -> None:
    """The silence would last 600 s, the drip for ever."""
    stage.fault(fault)
    found = failure(stage, sdk, seconds=1)
    assert (found.code, found.message) == ("timeout", "Gemini did not answer in 1 s.")
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "writer"])


@both
def test_a_slow_answer_within_the_time_is_used(stage: Stage, sdk: str) -> None:
    stage.fault("slow", seconds=0.3)
    assert stage.writer(sdk).write_caption(ask()).caption


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "gemini.invalid"])
def test_an_address_where_nobody_answers_is_said_to_be_out_of_reach(
    sdk: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def only_here(name: Any, *rest: Any, **more: Any) -> Any:
        if name in {"gemini.invalid", b"gemini.invalid"}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    writer = SDKS[sdk](API_KEY, base_url=f"http://{host}:{closed_port()}", seconds=10)
    with pytest.raises(WriterError) as caught:
        writer.write_caption(ask())
    assert (caught.value.code, caught.value.retryable) == ("unreachable", True)


@both
def test_the_key_is_not_sent_to_a_server_whose_certificate_nobody_trusts(tmp_path: Path, sdk: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with ScriptedServer(context).running() as server, pytest.raises(WriterError) as caught:
        SDKS[sdk](API_KEY, base_url=server.url, seconds=10).write_caption(ask())
    assert (caught.value.code, server.asked) == ("unreachable", [])


@both
@pytest.mark.parametrize(
    ("key", "code"), [("", "no_key"), ("AIza key", "key_invalid"), ("AIza-ключ", "key_invalid")]
)
def test_a_key_that_can_be_none_is_refused_at_once(sdk: str, key: str, code: str) -> None:
    with pytest.raises(WriterError) as caught:
        SDKS[sdk](key)
    assert caught.value.code == code and (not key or key not in str(caught.value))


@both
@pytest.mark.parametrize("model", ["../x", "a b", "x?key=1", "tunedModels/x", "modell-ü"])
def test_a_model_that_can_be_none_is_refused_at_once(sdk: str, model: str) -> None:
    with pytest.raises(WriterError) as caught:
        SDKS[sdk](API_KEY, model=model)
    assert caught.value.code == "model_unknown"


# What they leave behind


@both
def test_a_call_leaves_one_line_without_key_and_prompt(
    stage: Stage, sdk: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        stage.writer(sdk).write_caption(ask())
        stage.fault("overloaded")
        failure(stage, sdk)
    lines = [record.getMessage() for record in caplog.records if record.name != "influencer.sandbox.log"]
    assert len(lines) == 2
    assert lines[0].startswith("Gemini caption: ok") and lines[1].startswith("Gemini caption: overloaded, ")
    assert all(" ms" in line and API_KEY not in line and "forest" not in line for line in lines)


@both
def test_a_key_is_in_no_error_and_no_description(stage: Stage, sdk: str) -> None:
    stage.fault("key_invalid")
    found = failure(stage, sdk)
    assert API_KEY not in repr(found.__dict__) + repr(stage.writer(sdk))


def test_the_bytes_of_an_image_are_in_no_description() -> None:
    assert "image" not in repr(replace(ask(), image=image()))
