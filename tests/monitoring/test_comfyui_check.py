"""ComfyUI's line: each server by itself, with what it is and what is wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from influencer.errors import Unavailable
from monitoring.checks import comfyui
from monitoring.report import Finding, State
from tests.characters.stage import sandbox_at
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port

STATS = {
    "system": {"comfyui_version": "0.28.0"},
    "devices": [{"name": "cuda:0 RTX 4090", "type": "cuda", "vram_total": 24e9, "vram_free": 20e9}],
}
QUEUE = {"queue_running": [[0, "a", {}, {}, []]], "queue_pending": [[1, "b", {}, {}, []]]}


def use(settings: Any, *urls: str) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=urls)


def servers(finding: Finding) -> list[dict[str, Any]]:
    return list(finding.details["servers"])


def test_a_server_tells_version_devices_queue_and_answer_time(settings: Any) -> None:
    with ScriptedServer().running() as server:
        server.answer(STATS)
        server.answer(QUEUE)
        use(settings, server.url)
        finding = comfyui.check(False)
    assert finding.state is State.OK
    assert "Version 0.28.0 answers" in finding.message
    assert "2 in the queue" in finding.message
    [facts] = servers(finding)
    assert facts["devices"][0]["name"] == "cuda:0 RTX 4090"
    assert facts["queue"] == {"running": 1, "pending": 1}
    assert facts["answerMs"] >= 0


def test_the_stand_in_is_marked_as_such(data_dir: Path) -> None:
    with sandbox_at(data_dir):
        finding = comfyui.check(False)
    assert finding.state is State.SANDBOX
    assert "COMFYUI_URL" in finding.message
    assert servers(finding)[0]["state"] == "sandbox"


def test_one_silent_server_of_two_is_degraded_and_named(settings: Any) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"
    with ScriptedServer().running() as server:
        server.answer(STATS)
        server.answer(QUEUE)
        use(settings, server.url, gone)
        finding = comfyui.check(False)
    assert finding.state is State.DEGRADED
    assert "1 of 2 servers answer" in finding.message
    assert gone in finding.message
    assert [facts["state"] for facts in servers(finding)] == ["ok", "down"]


def test_no_server_that_answers_is_down_with_the_fix(settings: Any) -> None:
    use(settings, f"http://127.0.0.1:{closed_port()}")
    finding = comfyui.check(False)
    assert finding.state is State.DOWN
    assert "Start ComfyUI there" in finding.message
    assert servers(finding)[0]["error"] == finding.message


def test_one_that_answers_html_is_down(settings: Any) -> None:
    with ScriptedServer().running() as server:
        server.answer(b"<html>", Content_Type="text/html")
        use(settings, server.url)
        assert comfyui.check(False).state is State.DOWN


def test_one_that_hangs_is_left_behind(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfyui, "SECONDS", 0.1)
    with ScriptedServer().running() as server:
        server.stay_silent()
        use(settings, server.url)
        finding = comfyui.check(False)
    assert finding.state is State.DOWN
    assert "did not answer in 0.1 s" in finding.message


def test_a_password_or_token_in_an_address_is_not_shown(settings: Any) -> None:
    use(settings, f"http://me:hunter2@127.0.0.1:{closed_port()}/comfy?token=hunter3")
    shown = str(comfyui.check(False))
    assert "/comfy" in shown
    assert "hunter" not in shown


def test_without_server_and_sandbox_it_is_not_configured(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    with pytest.raises(Unavailable) as refused:
        comfyui.check(False)
    assert refused.value.code == "not_configured"
