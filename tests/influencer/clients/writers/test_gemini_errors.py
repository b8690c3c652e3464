"""Every row of Gemini's error tables, through real HTTP and both SDKs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.gemini_errors import ENDINGS, RULES, Refusal, refusal, rest, rule_for
from tests.influencer.clients.scripted_server import ScriptedServer
from tests.influencer.clients.writers.asks import ask
from tests.influencer.clients.writers.gemini_stage import API_KEY, SDKS

TYPES = "type.googleapis.com/google.rpc"


@dataclass(frozen=True)
class Case:
    status: int
    body: Any
    code: str
    retryable: bool = False
    wait: float | None = None


def error(status: int, name: str, message: str = "…", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def reason(name: str) -> dict[str, Any]:
    return {"@type": f"{TYPES}.ErrorInfo", "reason": name, "domain": "googleapis.com"}


def quota(quota_id: str, value: str = "15") -> dict[str, Any]:
    violation = {"quotaId": quota_id, "quotaValue": value}
    return {"@type": f"{TYPES}.QuotaFailure", "violations": [violation]}


def delay(text: str) -> dict[str, Any]:
    return {"@type": f"{TYPES}.RetryInfo", "retryDelay": text}


PER_MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
PER_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
NO_QUOTA = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "0")
INVALID, DENIED, EXHAUSTED = "INVALID_ARGUMENT", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"
LOCATION = "User location is not supported for the API use."

CASES = [
    Case(400, error(400, INVALID, "API key not valid. Please…", reason("API_KEY_INVALID")), "key_invalid"),
    Case(400, error(400, INVALID, "Bad key", reason("API_KEY_INVALID")), "key_invalid"),
    Case(400, error(400, INVALID, "API key expired. Please renew the API key."), "key_expired"),
    Case(400, error(400, "FAILED_PRECONDITION", LOCATION), "region"),
    Case(400, error(400, "FAILED_PRECONDITION", "Please enable billing on project 1."), "billing"),
    Case(400, error(400, INVALID, "Unable to process input image."), "image_refused"),
    Case(400, error(400, INVALID, 'Unknown name "responseSchema"'), "invalid_request"),
    Case(400, [], "invalid_request"),
    Case(401, error(401, "UNAUTHENTICATED", "Request had invalid credentials."), "key_invalid"),
    Case(403, error(403, DENIED, "Your API key was reported as leaked."), "key_leaked"),
    Case(403, error(403, DENIED, "…", reason("SERVICE_DISABLED")), "api_disabled"),
    Case(
        403, error(403, DENIED, "Requests are blocked.", reason("API_KEY_SERVICE_BLOCKED")), "key_restricted"
    ),
    Case(403, error(403, DENIED, "No."), "key_refused"),
    Case(404, error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), "model_unknown"),
    Case(413, error(413, INVALID, "Request too large"), "too_large"),
    Case(429, error(429, EXHAUSTED, "Quota", PER_MINUTE, delay("34s")), "rate_limit", True, 34),
    Case(429, error(429, EXHAUSTED, "Quota", PER_MINUTE, delay("34.5s")), "rate_limit", True, 34.5),
    Case(429, error(429, EXHAUSTED, "Please retry in 12.25s."), "rate_limit", True, 12.25),
    Case(429, error(429, EXHAUSTED, "Resource has been exhausted"), "rate_limit", True, 60),
    Case(429, "slow down", "rate_limit", True, 60),
    Case(429, error(429, EXHAUSTED, "Quota", NO_QUOTA, delay("34s")), "no_allowance"),
    Case(429, error(429, EXHAUSTED, "Quota exceeded, limit: 0, model: x"), "no_allowance"),
    Case(500, error(500, "INTERNAL"), "out_of_order", True, 30),
    Case(502, b"<html>Bad gateway</html>", "out_of_order", True, 30),
    Case(503, error(503, "UNAVAILABLE", "The model is overloaded."), "overloaded", True, 30),
    Case(504, error(504, "DEADLINE_EXCEEDED"), "too_slow", True, 30),
    Case(404, b"<html>A router's login</html>", "model_unknown"),
    Case(302, b"", "wrong_address"),
    Case(418, {"error": "tea"}, "wrong_address"),
]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def failure(server: ScriptedServer, sdk: str, **more: Any) -> WriterError:
    writer = SDKS[sdk](API_KEY, **{"base_url": server.url, "seconds": 20, **more})
    with pytest.raises(WriterError) as caught:
        writer.write_caption(ask())
    return caught.value


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status}-{case.code}")
def test_an_error_answer_gets_its_code_its_sentence_and_its_fix(
    server: ScriptedServer, sdk: str, case: Case
) -> None:
    server.answer(case.body, status=case.status, Location="http://192.0.2.1/")
    found = failure(server, sdk)
    assert (found.code, found.retryable, found.retry_after) == (case.code, case.retryable, case.wait)
    assert (found.service, found.http_status, found.status) == ("Gemini", case.status, 502)
    assert found.message.endswith(".") and found.fix and "{" not in found.message + found.fix
    # No SDK asks again by itself, and none follows a redirect.
    assert len(server.asked) == 1


@pytest.mark.parametrize("sdk", SDKS)
def test_a_daily_limit_lasts_until_midnight_in_california(server: ScriptedServer, sdk: str) -> None:
    server.answer(error(429, EXHAUSTED, "Quota", PER_DAY, delay("34s")), status=429)
    found = failure(server, sdk)
    assert found.code == "daily_limit" and found.retryable
    assert found.retry_after is not None and 0 < found.retry_after <= 25 * 3600
    assert "California" in found.fix


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 23, 20, tzinfo=UTC), 12),
        (datetime(2026, 7, 1, 6, tzinfo=UTC), 1),
        # The day the clocks go back has 25 hours.
        (datetime(2026, 11, 1, 7, tzinfo=UTC), 25),
    ],
)
def test_californias_midnight_knows_summer_time(now: datetime, hours: float) -> None:
    answer = Refusal(429, words="perday", delay=34)
    assert rest(rule_for(answer), answer, now) == timedelta(hours=hours).total_seconds()


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("finish", [*ENDINGS, "OTHER", "MALFORMED_FUNCTION_CALL"])
def test_an_answer_that_ended_early_is_never_used(server: ScriptedServer, sdk: str, finish: str) -> None:
    text = '{"caption": "Half of it", "altText": "", "hashtags": []}'
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": finish}
    server.answer({"candidates": [candidate]})
    found = failure(server, sdk)
    assert found.code == (ENDINGS[finish].code if finish in ENDINGS else "stopped")


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("SAFETY", "prompt_blocked"),
        ("OTHER", "prompt_blocked"),
        ("BLOCKLIST", "prompt_blocked"),
        ("PROHIBITED_CONTENT", "prompt_blocked"),
        ("IMAGE_SAFETY", "image_blocked"),
    ],
)
def test_a_blocked_prompt_is_said_to_be_blocked(
    server: ScriptedServer, sdk: str, block: str, code: str
) -> None:
    server.answer({"promptFeedback": {"blockReason": block}, "usageMetadata": {"promptTokenCount": 3}})
    found = failure(server, sdk)
    assert (found.code, found.details["reason"], found.retryable) == (code, block, False)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("blockReason", "prompt_blocked"), ("finishReason", "stopped")],
)
def test_a_reason_newer_than_the_sdk_is_understood(server: ScriptedServer, kind: str, code: str) -> None:
    body = {"blockReason": "MOON_PHASE"}
    server.answer(
        {"promptFeedback": body}
        if kind == "blockReason"
        else {"candidates": [{"finishReason": "MOON_PHASE"}]}
    )
    with pytest.warns(UserWarning):
        found = failure(server, "google-genai")
    assert (found.code, found.details["reason"]) == (code, "MOON_PHASE")


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!doctype html><html></html>", "unreadable"),
        (b'{"candidates": [{"content"', "unreadable"),
        (b"\xff\xfe\x00", "unreadable"),
        ({"candidates": [{"content": {"parts": "none"}}]}, "unreadable"),
        ({}, "empty"),
        ({"candidates": []}, "empty"),
        ({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}, "empty"),
        ({"candidates": [{"content": {"parts": [{"text": " "}]}}]}, "empty"),
    ],
)
def test_a_200_with_something_else_in_it_is_an_error(
    server: ScriptedServer, sdk: str, body: Any, code: str
) -> None:
    server.answer(body)
    assert failure(server, sdk).code == code


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("body", [b"", {"candidates": "none"}, [], "text", 7])
def test_what_an_sdk_reads_as_nothing_is_an_error_all_the_same(
    server: ScriptedServer, sdk: str, body: Any
) -> None:
    server.answer(body)
    assert failure(server, sdk).code in {"unreadable", "empty"}


def test_what_a_model_thinks_is_not_part_of_what_it_says(server: ScriptedServer) -> None:
    said = '{"caption": "Lovely day", "altText": "", "hashtags": []}'
    parts = [{"text": "Let me think", "thought": True}, {"text": said[:20]}, {"text": said[20:]}]
    server.answer({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]})
    writer = SDKS["google-genai"](API_KEY, base_url=server.url)
    assert writer.write_caption(ask()).caption == "Lovely day"


def test_every_row_is_reached_by_a_case() -> None:
    reached = {rule_for(refusal(case.status, case.body)) for case in CASES if case.code != "wrong_address"}
    reached.add(rule_for(Refusal(429, words="perday")))
    assert set(RULES) <= reached


def test_secrets_in_an_answer_are_not_passed_on(server: ScriptedServer) -> None:
    server.answer(
        error(403, DENIED, f"Key {API_KEY} at https://example.org/a?key={API_KEY} is bad"), status=403
    )
    found = failure(server, "google-genai")
    assert API_KEY not in repr(found.details) + found.message and "example.org" in found.details["said"]
