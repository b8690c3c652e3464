"""What there is to choose from: several servers, some of them down, and what is remembered."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from characters import catalog
from characters.catalog import Catalog
from influencer import paths
from influencer.errors import Unavailable
from tests.characters.factories import luna, signed_in
from tests.influencer.clients.comfyui.stage import Stage
from tests.influencer.clients.scripted_server import closed_port

SDXL, SD15, FLUX = "sdxl_base.safetensors", "v1-5-pruned.safetensors", "flux1-dev.safetensors"
KSAMPLER = {
    "input": {"required": {"sampler_name": [["euler", "dpmpp_2m"]], "scheduler": [["normal", "karras"]]}}
}
Serve = Callable[..., Stage]
Use = Callable[..., None]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a ComfyUI that has these checkpoints and LoRAs."""
    stages: list[Stage] = []

    def serve(*checkpoints: str, loras: tuple[str, ...] = ()) -> Stage:
        stage = Stage().started()
        stages.append(stage)
        stage.nodes["KSampler"] = KSAMPLER
        stage.models = {"checkpoints": list(checkpoints), "loras": list(loras), "diffusion_models": []}
        return stage

    yield serve
    for stage in stages:
        stage.stopped()


@pytest.fixture
def use(settings: Any) -> Use:
    """Have these servers in the settings; `down` is an address nobody answers at."""

    def use(*stages: Stage | str, **more: Any) -> None:
        urls = tuple(stage if isinstance(stage, str) else stage.url for stage in stages)
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=urls, **more)

    return use


@pytest.fixture
def down() -> str:
    return f"http://127.0.0.1:{closed_port()}"


def names(found: Catalog) -> list[str]:
    return [f"{model.name}{' (lost)' if model.lost else ''}" for model in found.models]


def test_models_of_all_servers_are_shown_once_with_family_and_places(serve: Serve, use: Use) -> None:
    one, two = serve(SDXL, SD15, loras=("luna.safetensors",)), serve(SDXL, FLUX)
    use(one, two)
    found, source = catalog.ask()
    assert source == "live"
    assert [(model.name, model.family, model.kind) for model in found.models] == [
        (FLUX, "FLUX.1", "checkpoint"),
        (SDXL, "SDXL", "checkpoint"),
        (SD15, "SD 1.5", "checkpoint"),
    ]
    assert found.servers_with(SDXL) == [one.url, two.url]
    assert found.servers_with(SDXL, "luna.safetensors") == [one.url]
    assert found.samplers == ["euler", "dpmpp_2m"]
    assert [(server.ok, server.version) for server in found.servers] == [(True, "0.28.0")] * 2


def test_the_answer_is_kept_for_a_minute_and_asked_for_afresh_on_request(
    serve: Serve, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = serve(SDXL)
    use(stage)
    assert catalog.ask()[1] == "live"
    stage.models["checkpoints"].append(SD15)
    kept, source = catalog.ask()
    assert (names(kept), source) == ([SDXL], "cache")
    fresh, source = catalog.ask(fresh=True)
    assert (names(fresh), source) == ([SDXL, SD15], "live")
    later = time.time() + catalog.FRESH_SECONDS + 1
    monkeypatch.setattr(catalog.time, "time", lambda: later)
    assert catalog.ask()[1] == "live"


def test_other_servers_in_the_settings_are_asked_at_once(serve: Serve, use: Use) -> None:
    use(serve(SDXL))
    catalog.ask()
    use(serve(SD15))
    assert SD15 in names(catalog.ask()[0])


def test_one_of_two_servers_down_is_named_and_the_other_ones_models_are_there(
    serve: Serve, use: Use, down: str
) -> None:
    use(down, serve(SDXL))
    found = catalog.refresh()
    assert names(found) == [SDXL]
    assert [server.ok for server in found.servers] == [False, True]
    assert found.servers[0].error
    sentence, kind = catalog.summary(found)
    assert kind == "warn"
    assert sentence == f"1 model and 0 LoRAs on 1 server. No answer from {down}."


def test_all_servers_down_is_bad_news_with_a_reason(use: Use, down: str) -> None:
    use(down)
    found = catalog.refresh()
    assert (found.models, [server.ok for server in found.servers]) == ([], [False])
    sentence, kind = catalog.summary(found)
    assert kind == "bad"
    assert sentence.startswith("No ComfyUI server answered. ")


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "<html>Sign in</html>", "content_type": "text/html"},
        {"status": 500, "text": "oops"},
        {"status": 401},
        {"body": ["not", "an", "object"]},
        {"drop": "before"},
    ],
)
def test_a_server_that_answers_nonsense_is_one_that_does_not_answer(
    serve: Serve, use: Use, answer: dict[str, Any]
) -> None:
    odd, good = serve(SDXL), serve(SD15)
    odd.order("GET", "/system_stats", **answer)
    use(odd, good)
    found = catalog.refresh()
    assert [server.ok for server in found.servers] == [False, True]
    assert names(found) == [SD15]


def test_what_a_server_lost_is_told_once_and_then_forgotten(serve: Serve, use: Use) -> None:
    stage = serve(SDXL, SD15, loras=("luna.safetensors",))
    use(stage)
    catalog.refresh()
    stage.models |= {"checkpoints": [SDXL], "loras": []}
    found = catalog.refresh()
    assert names(found) == [SDXL, f"{SD15} (lost)"]
    assert found.servers_with(SD15) == []
    assert catalog.summary(found) == (
        f"1 model and 0 LoRAs on 1 server. No longer there: {SD15}, luna.safetensors.",
        "warn",
    )
    assert catalog.summary(catalog.refresh()) == ("1 model and 0 LoRAs on 1 server.", "ok")


def test_what_a_character_is_set_to_use_stays_flagged_until_it_is_back(serve: Serve, use: Use) -> None:
    stage = serve(SDXL, SD15)
    use(stage)
    made = luna(preferred_model=SD15)
    catalog.refresh()
    stage.models["checkpoints"] = [SDXL]
    for _ in range(3):
        catalog.refresh()
    assert catalog.lost_models() == {SD15}
    assert catalog.known(made).lacks_model
    assert catalog.known(made).model.family == "SD 1.5"  # type: ignore[union-attr]
    stage.models["checkpoints"].append(SD15)
    catalog.refresh()
    assert catalog.lost_models() == set()
    assert not catalog.known(made).lacks_model


def test_the_models_of_a_silent_server_are_not_forgotten(serve: Serve, use: Use) -> None:
    one, two = serve(SDXL), serve(SD15)
    use(one, two)
    catalog.refresh()
    two.order("GET", "/", status=502)
    for _ in range(3):
        found = catalog.refresh()
    assert names(found) == [SDXL, f"{SD15} (lost)"]
    assert "No longer there" not in catalog.summary(found)[0]


def test_a_form_offers_nothing_before_the_first_answer_and_complains_about_nothing() -> None:
    known = catalog.known(luna(preferred_model=SDXL))
    assert (known.models, known.lacks_model, known.model) == ([], False, None)


def test_while_no_server_answers_no_model_is_called_missing(serve: Serve, use: Use) -> None:
    stage = serve(SDXL)
    use(stage)
    made = luna(preferred_model=SDXL)
    catalog.refresh()
    stage.order("GET", "/", status=502)
    catalog.refresh()
    assert not catalog.known(made).lacks_model


@pytest.mark.parametrize("content", ["", "{", "[]", '{"models": 1}', '{"models": [{"odd": 1}]}'])
def test_a_memory_that_can_not_be_read_counts_as_none(serve: Serve, use: Use, content: str) -> None:
    (paths.run() / "models.json").write_text(content)
    use(serve(SDXL))
    assert names(catalog.ask()[0]) == [SDXL]


def test_an_answer_that_can_not_be_kept_is_given_all_the_same(
    serve: Serve, use: Use, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data_dir / "run").rmdir()
    (data_dir / "run").write_text("in the way")
    use(serve(SDXL))
    assert names(catalog.refresh()) == [SDXL]
    assert "could not be kept" in caplog.text


def test_a_password_in_an_address_is_not_shown(serve: Serve, use: Use) -> None:
    stage = serve(SDXL)
    use(stage.url.replace("//", "//me:secret@"))
    found = catalog.refresh()
    assert "secret" not in str(found.as_json())
    assert found.servers[0].url == stage.url


def test_without_server_and_sandbox_the_sentence_says_what_to_set(use: Use) -> None:
    use(sandbox="off")
    with pytest.raises(Unavailable, match="COMFYUI_URL"):
        catalog.refresh()


# --- the API and the button ------------------------------------------------------------------


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


def test_the_api_lists_models_loras_samplers_and_servers(serve: Serve, use: Use, client: Client) -> None:
    stage = serve(SDXL, loras=("luna.safetensors",))
    use(stage)
    found = client.get("/api/models?show=all").json()
    assert found["models"] == [
        {"name": SDXL, "family": "SDXL", "kind": "checkpoint", "servers": [stage.url], "lost": False}
    ]
    assert [lora["name"] for lora in found["loras"]] == ["luna.safetensors"]
    assert (found["samplers"], found["schedulers"]) == (["euler", "dpmpp_2m"], ["normal", "karras"])
    assert (found["servers"][0]["url"], found["servers"][0]["ok"]) == (stage.url, True)
    assert (found["success"], found["source"]) == (True, "live")
    assert client.get("/api/models").json()["source"] == "cache"


def test_the_api_tells_of_servers_that_are_down(client: Client, use: Use, down: str) -> None:
    use(down)
    answer = client.get("/api/models?show=all")
    assert answer.status_code == 200
    assert answer.json()["models"] == []
    assert answer.json()["servers"][0]["ok"] is False
    use(sandbox="off")
    refused = client.get("/api/models?show=all")
    assert (refused.status_code, refused.json()["code"]) == (503, "not_configured")


def test_refresh_models_answers_with_a_toast_and_has_lists_load_anew(
    serve: Serve, use: Use, client: Client
) -> None:
    use(serve(SDXL))
    answer = client.post("/characters/models/refresh/", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert "1 model and 0 LoRAs on 1 server." in answer["HX-Trigger"]
    assert "models-refreshed" in answer["HX-Trigger"]


def test_refresh_models_without_scripts_comes_back_to_the_list(client: Client, use: Use, down: str) -> None:
    luna()
    use(down)
    answer = client.post("/characters/models/refresh/", follow=True)
    assert answer.redirect_chain == [("/characters/", 303)]
    assert "No ComfyUI server answered." in answer.content.decode()


def test_a_lost_model_is_flagged_on_the_card_and_in_the_form(serve: Serve, use: Use, client: Client) -> None:
    stage = serve(SDXL, SD15)
    use(stage)
    made = luna(preferred_model=SD15)
    catalog.refresh()
    assert "SD 1.5" in client.get(f"/characters/{made.pk}/").content.decode()
    stage.models["checkpoints"] = [SDXL]
    catalog.refresh()
    assert "on no server" in client.get("/characters/").content.decode()
    assert f"No server lists {SD15} right now." in client.get(f"/characters/{made.pk}/edit/").content.decode()
