"""Gemini's line: key, model, and how rarely it is asked."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from influencer.errors import Unavailable
from monitoring import answers
from monitoring.checks import gemini
from monitoring.report import State
from tests.characters.stage import sandbox_at
from tests.influencer.clients.scripted_server import closed_port
from tests.influencer.clients.writers.gemini_stage import API_KEY, Stage, staged


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("sandbox")) as stage:
        yield stage


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the SDK's import may take on a busy machine."""
    monkeypatch.setattr(gemini, "SECONDS", 20.0)
    monkeypatch.setattr(gemini, "CALL_SECONDS", 20.0)


def configure(settings: Any, **fields: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, **fields)


@pytest.fixture
def stage(running: Stage, settings: Any) -> Stage:
    """A server that plays the real Gemini."""
    running.forget()
    configure(settings, gemini_api_key=API_KEY, gemini_api_url=running.url)
    return running


def test_a_key_and_a_model_that_answer_are_ok(stage: Stage) -> None:
    finding = gemini.check(False)
    assert finding.state is State.OK
    assert finding.message.startswith("gemini-3.5-flash-lite answers in ")
    assert finding.details["model"] == "gemini-3.5-flash-lite"
    assert finding.details["askedAt"].endswith("Z")
    assert [method for method, _, _ in stage.asked()] == ["GET"], "nothing is written for it"


def test_without_a_key_it_is_not_configured_and_says_who_writes() -> None:
    finding = gemini.check(True)
    assert finding.state is State.UNCONFIGURED
    assert "without AI" in finding.message
    assert "in the settings" in finding.message


def test_it_is_not_asked_on_each_look(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for fresh in (False, False, True):
        gemini.check(fresh)
    assert len(stage.asked()) == 1
    monkeypatch.setattr(answers, "FRESH_FOR", 0.0)
    gemini.check(False)
    assert len(stage.asked()) == 1
    gemini.check(True)
    assert len(stage.asked()) == 2


def test_another_key_or_model_is_asked_about_at_once(stage: Stage, settings: Any) -> None:
    gemini.check(False)
    configure(settings, gemini_model="gemini-3-of-nobody")
    finding = gemini.check(False)
    assert finding.state is State.DOWN
    assert "no model gemini-3-of-nobody" in finding.message
    assert len(stage.asked()) == 2


def test_a_refused_key_is_down_with_the_fix_and_never_shown(stage: Stage, settings: Any) -> None:
    key = "AIza-GEMINI-BAD-KEY-0123456789"
    configure(settings, gemini_api_key=key)
    stage.fault("key_invalid")
    finding = gemini.check(False)
    assert finding.state is State.DOWN
    assert "key" in finding.message
    assert key not in str(finding)


def test_a_gemini_that_can_not_be_reached_is_down(settings: Any) -> None:
    configure(settings, gemini_api_key=API_KEY, gemini_api_url=f"http://127.0.0.1:{closed_port()}")
    finding = gemini.check(False)
    assert finding.state is State.DOWN
    assert "can't be reached" in finding.message


def test_one_that_hangs_is_left_behind_and_counts_when_it_answers(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, noted = threading.Event(), threading.Event()

    class Hanging:
        def check(self) -> Any:
            go_on.wait(20)
            raise Unavailable("Gemini did not answer.")

    def ask(place: Any) -> bool:
        done = gemini_ask(place)
        noted.set()
        return done

    gemini_ask = gemini._ask
    monkeypatch.setattr(gemini, "writer_for", lambda *_, **__: Hanging())
    monkeypatch.setattr(gemini, "_ask", ask)
    monkeypatch.setattr(gemini, "SECONDS", 0.05)
    configure(settings, gemini_api_key=API_KEY)
    waiting = gemini.check(False)
    assert waiting.state is State.DEGRADED
    assert "has not answered" in waiting.message
    go_on.set()
    assert noted.wait(10)
    assert gemini.check(False).state is State.DOWN


def test_where_everything_is_a_stand_in_it_is_the_sandbox(data_dir: Path, settings: Any) -> None:
    configure(settings, sandbox="on")
    with pytest.raises(Unavailable):
        gemini.check(False)
    with sandbox_at(data_dir):
        finding = gemini.check(False)
    assert finding.state is State.SANDBOX
