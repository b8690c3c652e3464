"""Troubles of the stand-in: ordered as faults, or by a word in the prompt or the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from influencer.sandbox.gemini.service import ANSWERS, REFUSALS
from tests.influencer.sandbox_gemini.conftest import Caller, asking, text_of

Way = Callable[[Caller, str], requests.Response]


def by_order(caller: Caller, name: str) -> requests.Response:
    assert caller.order(name).status_code == 201
    return caller.generate(asking())


def by_prompt(caller: Caller, name: str) -> requests.Response:
    return caller.generate(asking(f"A day with GEMINI-{name.upper().replace('_', '-')} in it"))


ways = pytest.mark.parametrize("way", [by_order, by_prompt])


@ways
@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "LANGUAGE", "OTHER"])
def test_an_answer_is_held_back(caller: Caller, way: Way, reason: str) -> None:
    (candidate,) = way(caller, reason.lower()).json()["candidates"]
    assert candidate["finishReason"] == reason and "content" not in candidate
    assert candidate["safetyRatings"]


@ways
def test_a_prompt_is_blocked_without_any_candidate(caller: Caller, way: Way) -> None:
    answer = way(caller, "prohibited")
    assert answer.status_code == 200 and "candidates" not in answer.json()
    assert answer.json()["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}


@ways
def test_an_answer_is_cut_in_mid_json(caller: Caller, way: Way) -> None:
    answer = way(caller, "cut")
    assert answer.json()["candidates"][0]["finishReason"] == "MAX_TOKENS"
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(text_of(answer))


@ways
@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("key_invalid", 400, "API_KEY_INVALID"),
        ("key_expired", 400, "API key expired"),
        ("key_leaked", 403, "leaked"),
        ("region", 400, "FAILED_PRECONDITION"),
        ("minute", 429, "GenerateRequestsPerMinute"),
        ("day", 429, "GenerateRequestsPerDay"),
        ("overloaded", 503, "UNAVAILABLE"),
    ],
)
def test_a_call_is_refused(caller: Caller, way: Way, name: str, status: int, word: str) -> None:
    answer = way(caller, name)
    assert answer.status_code == status and word in answer.text
    assert answer.json()["error"]["code"] == status


def test_a_key_can_force_the_same(caller: Caller) -> None:
    assert caller.get("/v1beta/models", key="GEMINI-KEY-EXPIRED").status_code == 400
    assert caller.get("/v1beta/models/gemini-3.5-flash", key="GEMINI-OVERLOADED").status_code == 503


@pytest.mark.parametrize("seconds", [7, 2.5])
def test_a_limit_names_the_delay_that_was_ordered(caller: Caller, seconds: float) -> None:
    caller.order("minute", seconds=seconds)
    details: list[dict[str, Any]] = caller.generate(asking()).json()["error"]["details"]
    assert f"{seconds:g}s" in [row.get("retryDelay") for row in details]


@ways
@pytest.mark.parametrize("name", ["no_candidates", "no_text", "nonsense", "answer_html", "wrong_types"])
def test_an_answer_holds_nothing_useful(caller: Caller, way: Way, name: str) -> None:
    answer = way(caller, name)
    assert answer.status_code == 200
    assert "candidates" not in answer.json() or "Lovely" in answer.text or len(text_of(answer)) < 90


def test_html_comes_with_an_error_and_without(caller: Caller) -> None:
    caller.order("html")
    assert caller.generate(asking()).status_code == 502
    caller.order("page")
    answer = caller.generate(asking())
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


def test_a_fault_comes_once_and_for_the_call_it_was_ordered_for(caller: Caller) -> None:
    caller.order("models.minute")
    assert caller.generate(asking()).status_code == 200
    assert caller.get("/v1beta/models").status_code == 429
    assert caller.get("/v1beta/models").status_code == 200


@pytest.mark.parametrize("status", [500, 503, 504])
def test_the_server_can_be_in_trouble(caller: Caller, status: int) -> None:
    caller.order("error_before", status=status)
    assert caller.generate(asking()).json()["error"]["code"] == status


def test_every_fault_is_known_to_the_control_endpoint(caller: Caller) -> None:
    for name in (*ANSWERS, *REFUSALS, "drip", "slow", "timeout_before", "reset_before"):
        assert caller.order(name).status_code == 201
    assert caller.order("toothache").status_code == 400
