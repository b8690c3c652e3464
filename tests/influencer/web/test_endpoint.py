"""The JSON endpoint: who may, what is taken, how a failure is worded."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from influencer.web import body, endpoint, tokens
from influencer.web.models import ApiToken

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def bearer(owner: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.make('test')}"}


def put(client: Client, content: Any, kind: str = JSON, **more: Any) -> Any:
    return client.put("/api/echo", content, content_type=kind, **more)


def test_a_session_may_call_it(signed_in: Client) -> None:
    answer = signed_in.get("/api/echo?q=luna")
    assert answer.json() == {"success": True, "json": {}, "user": "owner", "q": "luna"}
    assert answer["Content-Type"] == JSON


def test_the_trailing_slash_is_optional(signed_in: Client) -> None:
    assert signed_in.get("/api/echo/").status_code == 200


def test_a_token_acts_as_its_user_without_csrf(bearer: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = put(client, {"name": "Luna 🌙"}, headers=bearer)
    assert answer.json()["json"] == {"name": "Luna 🌙"}
    assert answer.json()["user"] == "owner"


def test_a_session_without_the_csrf_token_is_refused(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    refused = put(client, {})
    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf"
    assert client.get("/api/echo").status_code == 200


def test_a_session_with_the_csrf_token_is_served(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    token = client.get("/page/").context["csrf_token"]
    assert put(client, {}, headers={"X-CSRFToken": str(token)}).status_code == 200


@pytest.mark.parametrize("path", ["/api/echo", "/api/make", "/api/plain", "/api/nowhere"])
def test_without_either_the_answer_is_401(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    body = answer.json()
    assert (body["success"], body["code"]) == (False, "unauthorized")


def test_an_unknown_address_below_api_is_json_too(signed_in: Client, bearer: dict[str, str]) -> None:
    for answer in (signed_in.get("/api/nowhere"), Client().get("/api/nowhere", headers=bearer)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("change", ["revoked_at", "expires_at", "user"])
def test_a_token_that_ended_is_401_also_beside_a_session(signed_in: Client, change: str) -> None:
    header = {"Authorization": f"Bearer {tokens.make('ends')}"}
    past = timezone.now() - timedelta(seconds=1)
    if change == "user":
        token = ApiToken.objects.get()
        token.user.is_active = False
        token.user.save()
    else:
        ApiToken.objects.update(**{change: past})
    assert Client().get("/api/echo", headers=header).status_code == 401
    assert signed_in.get("/api/echo", headers=header).status_code == 401


def test_guessing_tokens_is_slowed_down(bearer: dict[str, str]) -> None:
    wrong = {"Authorization": "Bearer inf_guess"}
    answers = [Client().get("/api/echo", headers=wrong).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    refused = Client().get("/api/echo", headers=wrong)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert Client().get("/api/echo", headers=wrong, REMOTE_ADDR="10.0.0.9").status_code == 401


def test_a_good_token_is_not_held_back_by_wrong_ones(bearer: dict[str, str]) -> None:
    for _ in range(12):
        Client().get("/api/echo", headers={"Authorization": "Bearer inf_guess"})
    assert Client().get("/api/echo", headers=bearer).status_code == 200


def test_another_method_is_405_with_the_right_ones(signed_in: Client) -> None:
    answer = signed_in.delete("/api/echo")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, PUT")
    assert answer.json()["code"] == "method_not_allowed"
    assert signed_in.head("/api/echo").status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_another_kind_of_body_is_415(signed_in: Client, kind: str) -> None:
    assert put(signed_in, b'{"a": 1}', kind).status_code == 415


def test_a_charset_beside_json_is_fine(signed_in: Client) -> None:
    assert put(signed_in, b"{}", "application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize("content", [b"{", b"[1]", b'"x"', b"null", b'{"a": NaN}', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_object_is_400(signed_in: Client, content: bytes) -> None:
    answer = put(signed_in, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")


@pytest.mark.parametrize(("number", "status"), [(2**64 - 1, 200), (2**64, 400), (-(2**63) - 1, 400)])
def test_a_number_that_would_be_kept_changed_is_400(signed_in: Client, number: int, status: int) -> None:
    assert put(signed_in, b'{"a": [%d]}' % number).status_code == status
    assert put(signed_in, b'{"a": "%d"}' % number).status_code == 200


@pytest.mark.parametrize(("depth", "status"), [(90, 200), (200, 400), (900, 400)])
def test_a_deeply_nested_body_does_no_harm(signed_in: Client, depth: int, status: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    assert put(signed_in, nested).status_code == status


@pytest.mark.parametrize("text", ["nul\x00", "bell\x07", "line\rfeed", "delete\x7f", "next\x85"])
def test_control_characters_are_400(signed_in: Client, text: str) -> None:
    answer = put(signed_in, {"list": [{"name": text}]})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["name"]
    assert put(signed_in, {text: "key"}).status_code == 400
    assert signed_in.get("/api/echo", {"q": text}).status_code == 400


def test_half_a_surrogate_pair_is_400(signed_in: Client) -> None:
    assert put(signed_in, b'{"name": "\\ud83d"}').status_code == 400


@pytest.mark.parametrize(
    "text", ["tab\there", "new\nline", "Windows\r\nline", "emoji 👩‍🎤", "עברית", "e\u0301"]
)
def test_ordinary_text_passes(signed_in: Client, text: str) -> None:
    assert put(signed_in, {"name": text}).json()["json"]["name"] == text


def test_a_text_over_100_kb_is_400_unless_it_carries_a_file(signed_in: Client) -> None:
    assert put(signed_in, {"name": "x" * 100_000}).status_code == 200
    assert put(signed_in, {"name": "é" * 50_001}).status_code == 400
    assert put(signed_in, {"image": "x" * 200_000}).status_code == 200


def test_a_body_over_its_limit_is_413(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert body.JSON_LIMIT == 30 * 1024 * 1024
    monkeypatch.setattr(body, "JSON_LIMIT", 20)
    answer = put(signed_in, {"name": "a longer name"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_files_come_by_multipart_where_it_is_allowed(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [SimpleUploadedFile(f"{n}.png", b"x" * 40) for n in range(2)]
    answer = signed_in.post("/api/make", {"images": images, "captions": "[]"})
    assert (answer.status_code, answer.json()["files"]) == (201, 2)
    monkeypatch.setattr(body, "FILE_LIMIT", 30)
    assert signed_in.post("/api/make", {"images": SimpleUploadedFile("a", b"x" * 40)}).status_code == 413
    monkeypatch.setattr(body, "MULTIPART_LIMIT", 30)
    assert signed_in.post("/api/make", {"images": SimpleUploadedFile("a", b"x")}).status_code == 413


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("invalid", 400, "invalid"),
        ("missing", 404, "not_found"),
        ("denied", 403, "forbidden"),
        ("conflict", 409, "changed_since"),
        ("service", 502, "service_failed"),
        ("bug", 500, "internal"),
    ],
)
def test_each_failure_has_its_status_and_code(signed_in: Client, what: str, status: int, code: str) -> None:
    answer = signed_in.get(f"/api/broken/{what}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["success"] is False
    assert answer.json()["error"].endswith(".")


def test_a_failure_carries_what_helps_and_nothing_empty(signed_in: Client) -> None:
    assert signed_in.get("/api/broken/invalid").json()["fields"] == {"name": ["A name is needed."]}
    assert signed_in.get("/api/broken/conflict").json()["details"] == {"current": {"name": "Luna"}}
    service = signed_in.get("/api/broken/service").json()
    assert service["retryable"] is True
    assert "fields" not in service
    assert "details" not in service


def test_an_unexpected_failure_is_logged_once_and_not_shown(
    signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = signed_in.get("/api/broken/bug")
    assert "secret detail" not in answer.content.decode()
    assert sum("secret detail" in (record.exc_text or "") for record in caplog.records) == 1


def test_an_answer_may_have_a_status_and_headers(signed_in: Client) -> None:
    answer = signed_in.get("/api/broken/nothing")
    assert (answer.status_code, answer["X-Extra"], answer.json()["fine"]) == (202, "yes", True)


def test_no_cross_origin_header_is_ever_sent(signed_in: Client) -> None:
    answer = signed_in.get("/api/echo", headers={"Origin": "https://evil.example"})
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


def test_at_most_four_requests_wait_at_once() -> None:
    inside: list[bool] = []

    def enter(depth: int) -> None:
        with endpoint.waiting_slot() as granted:
            inside.append(granted)
            if depth:
                enter(depth - 1)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(enter, 5).result()
    assert inside == [True] * 4 + [False] * 2
    with endpoint.waiting_slot() as granted:
        assert granted


def test_the_last_use_of_a_token_is_noted(bearer: dict[str, str]) -> None:
    assert ApiToken.objects.get().last_used_at is None
    Client().get("/api/echo", headers=bearer)
    assert ApiToken.objects.get().last_used_at is not None
