"""The Test buttons: what they say when it works, and what is wrong with its fix when not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from influencer.clients import reach
from influencer.clients.platform import PlatformError
from influencer.clients.writers.choice import GeminiSettings, writer_for
from influencer.errors import Problem
from influencer.web import link_trial
from monitoring.preferences import trials
from tests.characters.stage import Stage as Sandbox
from tests.characters.stage import sandbox_at
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port
from tests.monitoring.preferences.stage import (
    HTMX,
    KEY,
    client_of,
    free_of_fixed,
    save,
    stored,
    try_out,
    words,
)

pytestmark = pytest.mark.django_db
STATS = {
    "system": {"comfyui_version": "0.28.0"},
    "devices": [{"name": "RTX 4090", "type": "cuda", "vram_total": 24 * 2**30, "vram_free": 20 * 2**30}],
}
QUEUE = {"queue_running": [[0, "a", {}, {}, []]], "queue_pending": []}


@pytest.fixture(autouse=True)
def nothing_fixed(settings: Any) -> None:
    free_of_fixed(settings)


@pytest.fixture
def owner() -> Client:
    return client_of("owner", is_superuser=True)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def sandbox(data_dir: Path) -> Iterator[Sandbox]:
    with sandbox_at(data_dir) as stage:
        yield stage


@pytest.fixture(scope="module", autouse=True)
def sdk_is_loaded() -> None:
    """The first call imports it, which takes longer than a test of a service may."""
    with pytest.raises(Problem):
        writer_for(GeminiSettings(KEY, url=f"http://127.0.0.1:{closed_port()}")).models()  # type: ignore[attr-defined]


# ComfyUI


def test_comfyui_tells_version_device_and_queue(
    owner: Client, server: ScriptedServer, data_dir: Path
) -> None:
    server.answer(STATS)
    server.answer(QUEUE)
    said = try_out(owner, "comfyui", comfyui_urls=server.url, comfyui_headers='{"X-Key": "k"}')
    assert said.startswith(
        f"{server.url}: version 0.28.0, RTX 4090 with 20.0 of 24.0 GB free, 1 in the queue"
    )
    assert server.last.headers["X-Key"] == "k"
    assert not stored(data_dir)


def test_the_stored_headers_are_used_when_none_are_typed(owner: Client, server: ScriptedServer) -> None:
    save(owner, "comfyui", comfyui_headers='{"X-Key": "stored"}')
    server.answer(STATS)
    server.answer(QUEUE)
    assert "version 0.28.0" in try_out(owner, "comfyui", comfyui_urls=server.url)
    assert server.last.headers["X-Key"] == "stored"


def test_each_server_says_its_own(owner: Client, server: ScriptedServer) -> None:
    server.answer(STATS)
    server.answer(QUEUE)
    gone = f"http://ann:open-sesame@127.0.0.1:{closed_port()}"
    said = try_out(owner, "comfyui", comfyui_urls=f"{server.url}\n{gone}")
    assert "version 0.28.0" in said
    assert "does not answer. Start ComfyUI there" in said
    assert "open-sesame" not in said


def test_without_an_address_the_sandbox_answers(owner: Client, sandbox: Sandbox) -> None:
    assert "The sandbox stands in, as no address is given: version" in try_out(owner, "comfyui")


def test_without_anything_it_says_what_to_set(owner: Client) -> None:
    save(owner, "sandbox", sandbox="off")
    assert "ComfyUI is not configured and the sandbox is off." in try_out(owner, "comfyui")


def test_a_redirect_is_not_followed(owner: Client, server: ScriptedServer) -> None:
    server.answer("", status=302, Location="http://169.254.169.254/")
    said = try_out(owner, "comfyui", comfyui_urls=server.url)
    assert "169.254.169.254" in said
    assert len(server.asked) == 1


def test_what_may_not_be_asked_is_not_asked(owner: Client) -> None:
    said = try_out(owner, "comfyui", comfyui_urls="http://169.254.169.254")
    assert "nothing is sent there" in said


def test_what_is_no_address_is_said_without_asking(owner: Client) -> None:
    assert "An address starts with" in try_out(owner, "comfyui", comfyui_urls="studio:8188")


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ("comfyui", "comfyui_urls"),
        ("gemini", "gemini_api_url"),
        ("instagram", "instagram_graph_url"),
        ("x", "x_api_url"),
        ("public", "public_base_url"),
    ],
)
def test_a_server_that_hangs_is_given_up_in_time(
    owner: Client, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, section: str, field: str
) -> None:
    for _ in range(3):
        server.stay_silent()
    monkeypatch.setattr(trials, "SECONDS", 0.3)
    more = {"gemini_api_key": KEY, "gemini_sdk": "google-genai"} if section == "gemini" else {}
    said = try_out(owner, section, **{field: server.url, **more})
    assert said == "No answer within 0.3 s. Check the address, and what stands in between."


def test_a_library_that_is_still_being_loaded_is_not_blamed_on_gemini(
    owner: Client, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stay_silent()
    monkeypatch.setattr(trials, "SECONDS", 0.3)
    monkeypatch.setattr(trials, "SDK_MODULES", {"google-genai": "not.yet.loaded"})
    given = {"gemini_api_key": KEY, "gemini_api_url": server.url, "gemini_sdk": "google-genai"}
    assert try_out(owner, "gemini", **given) == trials.LOADING


def test_the_limits_leave_an_answer_within_three_seconds() -> None:
    assert trials.ASK_SECONDS < trials.SECONDS < 3


# Gemini


def test_gemini_tells_how_many_models_the_key_has(owner: Client, sandbox: Sandbox, data_dir: Path) -> None:
    url = f"{sandbox.url}/gemini"
    said = try_out(owner, "gemini", gemini_api_key=KEY, gemini_api_url=url, gemini_sdk="google-genai")
    assert "The key works for" in said
    assert "gemini-3.5-flash-lite among them" in said
    assert not stored(data_dir)


def test_gemini_names_a_model_it_does_not_have(owner: Client, sandbox: Sandbox) -> None:
    given = {"gemini_api_key": KEY, "gemini_api_url": f"{sandbox.url}/gemini", "gemini_sdk": "google-genai"}
    said = try_out(owner, "gemini", gemini_model="gemini-9-ultra", **given)
    assert "no model gemini-9-ultra" in said
    assert "Choose a model from the list" in said


def test_without_a_key_it_says_where_to_get_one(owner: Client) -> None:
    assert "aistudio.google.com/apikey" in try_out(owner, "gemini", gemini_sdk="google-genai")


def test_the_stored_key_is_used_when_none_is_typed_and_not_when_it_is_to_go(
    owner: Client, sandbox: Sandbox
) -> None:
    save(owner, "gemini", gemini_api_key=KEY, gemini_sdk="google-genai")
    given = {"gemini_api_url": f"{sandbox.url}/gemini", "gemini_sdk": "google-genai"}
    assert "The key works" in try_out(owner, "gemini", **given)
    assert "There is no key" in try_out(owner, "gemini", gemini_api_key_remove="on", **given)


def test_the_models_come_as_a_list_to_choose_from(owner: Client, sandbox: Sandbox) -> None:
    given = {"gemini_api_key": KEY, "gemini_api_url": f"{sandbox.url}/gemini", "gemini_sdk": "google-genai"}
    answer = owner.post("/settings/gemini/models/", given, headers=HTMX)
    assert 'data-value="gemini-3.5-flash-lite"' in answer.content.decode()
    assert KEY not in answer.content.decode()
    whole = owner.post("/settings/gemini/models/", given)
    assert "gemini-3.5-flash-lite" in words(whole)
    assert KEY not in whole.content.decode()


def test_a_list_that_does_not_come_says_why(owner: Client) -> None:
    given = {"gemini_api_key": KEY, "gemini_api_url": f"http://127.0.0.1:{closed_port()}"}
    answer = owner.post("/settings/gemini/models/", {"gemini_sdk": "google-genai", **given}, headers=HTMX)
    assert "Gemini can't be reached" in words(answer)
    none = owner.post("/settings/gemini/models/", {"gemini_sdk": "google-genai"}, headers=HTMX)
    assert "Without a key there is no list." in words(none)
    wrong = owner.post("/settings/gemini/models/", {"gemini_sdk": "vertex"}, headers=HTMX)
    assert "not one of the available choices" in words(wrong)


# Instagram and X


def test_instagram_and_x_are_reached_at_their_addresses(owner: Client, sandbox: Sandbox) -> None:
    host = sandbox.url.removeprefix("http://")
    graph = try_out(owner, "instagram", instagram_graph_url=f"{sandbox.url}/instagram")
    assert graph.startswith(f"Graph v25.0 answers at {host} in ")
    assert try_out(owner, "x", x_api_url=f"{sandbox.url}/x").startswith(f"X answers at {host} in ")


@pytest.mark.parametrize(("section", "field"), [("instagram", "instagram_graph_url"), ("x", "x_api_url")])
def test_what_is_something_else_is_said(
    owner: Client, server: ScriptedServer, section: str, field: str
) -> None:
    for body, status in (({"ok": True}, 200), ("<html>", 200), ("", 302), ("", 404)):
        server.answer(body, status=status)
    for _ in range(4):
        said = try_out(owner, section, **{field: server.url})
        assert "Check the address" in said or "is not" in said
    assert "can't be reached. Check the address" in try_out(
        owner, section, **{field: f"http://127.0.0.1:{closed_port()}"}
    )


def test_no_key_goes_along(owner: Client, server: ScriptedServer) -> None:
    server.answer({"error": {"code": 2500}}, status=400)
    try_out(owner, "instagram", instagram_graph_url=server.url)
    assert "Authorization" not in server.last.headers
    assert server.last.target == "/v25.0/me"


# The public address


class OurOwn(BaseHTTPRequestHandler):
    """A tunnel that leads to this product, as far as the trial link goes."""

    def do_GET(self) -> None:
        text = link_trial.answer(self.path).encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def tunnel() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OurOwn)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_link_of_our_own_comes_back(owner: Client, tunnel: str) -> None:
    save(owner, "instagram", instagram_graph_url="http://127.0.0.1:9", instagram_api_version="v25.0")
    said = try_out(owner, "public", public_base_url=tunnel)
    assert said.startswith(f"A test link came back from {tunnel.removeprefix('http://')} in ")
    assert said.endswith(" ms.")


def test_an_address_of_this_network_is_not_enough_for_the_real_instagram(owner: Client, tunnel: str) -> None:
    said = try_out(owner, "public", public_base_url=tunnel)
    assert "A test link came back" in said
    assert "opens in this network only" in said


def test_something_else_at_the_address_is_noticed(owner: Client, server: ScriptedServer) -> None:
    server.answer("a page", status=200)
    server.answer("", status=301, Location="https://elsewhere.example.org/m/")
    assert "Something else answers at" in try_out(owner, "public", public_base_url=server.url)
    said = try_out(owner, "public", public_base_url=server.url)
    assert "leads on to elsewhere.example.org. Enter that address." in said


def test_nothing_at_the_address_says_what_to_check(owner: Client) -> None:
    said = try_out(owner, "public", public_base_url=f"http://127.0.0.1:{closed_port()}")
    assert "The public address can't be reached. Check that the tunnel or proxy runs" in said
    assert "Set PUBLIC_BASE_URL" in try_out(owner, "public")


def test_a_trial_link_is_ours_alone_and_short_lived(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    url, proof = link_trial.make("https://media.example.org")
    path = url.removeprefix("https://media.example.org")
    answer = client.get(path, headers={"Host": "nobody-said-so.example.org"})
    assert answer.content.decode() == proof
    assert link_trial.answer(path + "x") == ""
    assert link_trial.answer("/m/other") == ""
    monkeypatch.setattr(link_trial, "SECONDS", -1)
    assert link_trial.answer(path) == ""


# Without JavaScript


def test_without_htmx_the_page_comes_back_with_the_answer_and_what_was_typed(owner: Client) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    answer = owner.post("/settings/comfyui/test/", {"comfyui_urls": url})
    assert answer.status_code == 200
    assert "does not answer. Start ComfyUI there" in words(answer)
    assert url in answer.content.decode()


def test_a_page_that_is_too_long_is_read_in_part(server: ScriptedServer) -> None:
    server.answer("x" * 100_000)
    assert len(reach.page(server.url, service="It", seconds=5).text) <= reach.BYTES


def test_an_address_nothing_may_be_sent_to_is_not_reached() -> None:
    with pytest.raises(PlatformError) as caught:
        reach.page("http://169.254.169.254", service="It", seconds=5)
    assert caught.value.code == "refused_address"
