"""Every row of X's error table, and every way to get no answer, through real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from influencer.clients.credentials import XCredentials
from influencer.clients.platform import Action, PlatformError, Rule
from influencer.clients.x import X
from influencer.clients.x_errors import HOUR, RULES
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port

R, N, W, A, G = Action.RETRY, Action.START_OVER, Action.WAIT, Action.REAUTHORISE, Action.GIVE_UP
OLD, NEW = "https://api.twitter.com/2/problems", "https://api.x.com/2/problems"
INVALID = "One or more parameters to your request was invalid."
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    status: int
    body: dict[str, Any]
    code: str
    action: Action
    headers: dict[str, str] = field(default_factory=dict)


def invalid(message: str) -> dict[str, Any]:
    return {
        "errors": [{"message": message, "parameters": {"text": ["…"]}}],
        "title": "Invalid Request",
        "detail": INVALID,
        "type": f"{OLD}/invalid-request",
    }


def forbidden(detail: str, type: str = "about:blank", title: str = "Forbidden") -> dict[str, Any]:
    return {"detail": detail, "type": type, "title": title, "status": 403}


CASES = [
    Case(400, invalid("`text` is wrong"), "invalid_request", G),
    Case(400, invalid("Your media IDs are invalid."), "media_unknown", N),
    Case(400, {"title": "Invalid", "detail": "Your media IDs are invalid."}, "media_unknown", N),
    Case(400, invalid("The file size is too large."), "media_refused", G),
    Case(413, {"title": "Payload Too Large"}, "media_refused", G),
    Case(401, {"title": "Unauthorized", "type": "about:blank", "status": 401}, "unauthorized", A),
    Case(
        402, {"title": "CreditsDepleted", "type": f"{OLD}/credits", "account_id": 20510960978}, "credits", W
    ),
    Case(403, forbidden("No credits", f"{OLD}/credits", "CreditsDepleted"), "credits", W),
    Case(403, forbidden("You are not allowed to create a Tweet with duplicate content."), "duplicate", G),
    Case(403, forbidden("You are not permitted to perform this action."), "forbidden", G),
    Case(
        403,
        forbidden("App-only is forbidden", f"{NEW}/unsupported-authentication", "Unsupported Authentication"),
        "unsupported_authentication",
        A,
    ),
    Case(403, forbidden("Not configured", f"{NEW}/oauth1-permissions"), "read_only_keys", A),
    Case(403, forbidden("Not configured", f"{OLD}/oauth1-permissions/"), "read_only_keys", A),
    Case(
        403,
        forbidden("has reached its billing cycle spend cap.", f"{OLD}/credits", "SpendCapReached"),
        "spend_cap",
        W,
    ),
    Case(
        403,
        forbidden("…", f"{OLD}/client-forbidden") | {"reason": "client-not-enrolled"},
        "app_not_enrolled",
        A,
    ),
    Case(403, forbidden("User is suspended", f"{NEW}/user-suspended"), "account_suspended", G),
    Case(403, forbidden("This request looks automated"), "looks_automated", G),
    Case(404, {"title": "Not Found", "type": "about:blank", "status": 404}, "not_found", G),
    Case(429, {"title": "Too Many Requests", "type": "about:blank", "status": 429}, "rate_limit", W),
    Case(429, {"title": "UsageCapExceeded", "type": f"{NEW}/usage-capped"}, "usage_capped", W),
    Case(503, {"title": "Service Unavailable", "status": 503}, "out_of_order", R),
]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def client(url: str, seconds: float = 5) -> X:
    return X(XCredentials("a", "b", "c", "d"), base_url=url, seconds=seconds)


def error_of(x: X, *, decisive: bool = False) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        x.create_post("Hi", ("1",)) if decisive else x.upload(b"jpeg")
    assert caught.value.service == "X"
    return caught.value


def test_every_row_of_the_table_is_tried() -> None:
    assert {case.code for case in CASES} == {rule.code for rule in RULES}
    tried = {(case.status if case.status < 500 else 0, case.code) for case in CASES}
    assert tried == {(rule.status, rule.code) for rule in RULES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status}-{case.code}")
def test_an_answer_says_what_to_do(server: ScriptedServer, case: Case) -> None:
    server.answer(case.body, status=case.status)
    error = error_of(client(server.url))
    assert (error.code, error.action, error.http_status) == (case.code, case.action, case.status)
    assert case.body["title"] in error.details["said"]
    assert error.message.endswith(".") and error.fix.endswith(".")
    assert not error.outcome_unknown


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status}-{case.code}")
def test_only_a_failing_server_leaves_a_post_uncertain(server: ScriptedServer, case: Case) -> None:
    server.answer(case.body, status=case.status)
    error = error_of(client(server.url), decisive=True)
    assert error.outcome_unknown is (case.status >= 500)
    assert error.code == ("outcome_unknown" if case.status >= 500 else case.code)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.status}-{rule.code}")
def test_a_row_reads_as_sentences(rule: Rule) -> None:
    assert rule.sentence[0].isupper() and not rule.sentence.endswith(".")
    assert rule.fix.endswith(".") and len(rule.fix) > 10


def test_an_unlisted_status_is_given_up_on(server: ScriptedServer) -> None:
    server.answer({"title": "I am a teapot"}, status=418)
    error = error_of(client(server.url))
    assert (error.code, error.action) == ("418", G)
    assert error.message == "X refused the request (code 418)."


# How long to wait


def rest_of(server: ScriptedServer, body: dict[str, Any], status: int, **headers: str) -> float | None:
    server.answer(body, status=status, Date=format_datetime(NOW, usegmt=True), **headers)
    return error_of(client(server.url)).retry_after


def test_a_used_up_limit_rests_until_its_reset_by_xs_own_clock(server: ScriptedServer) -> None:
    reset = str(int(NOW.timestamp()) + 600)
    rest = rest_of(server, {"title": "Too Many"}, 429, x_rate_limit_reset=reset, x_rate_limit_remaining="0")
    assert rest is not None and 600 < rest <= 605


def test_the_longest_used_up_limit_counts(server: ScriptedServer) -> None:
    soon, late = str(int(NOW.timestamp()) + 600), str(int(NOW.timestamp()) + 40_000)
    headers = {
        "x_rate_limit_reset": soon,
        "x_rate_limit_remaining": "83",
        "x_user_limit_24hour_reset": late,
        "x_user_limit_24hour_remaining": "0",
        "x_app_limit_24hour_reset": "99999999999",
        "x_app_limit_24hour_remaining": "9",
    }
    rest = rest_of(server, {"title": "Too Many"}, 429, **headers)
    assert rest is not None and 40_000 < rest <= 40_005


def test_a_reset_in_the_past_rests_a_moment(server: ScriptedServer) -> None:
    rest = rest_of(server, {}, 429, x_rate_limit_reset="100")
    assert rest is not None and 0 < rest <= 5


@pytest.mark.parametrize("reset", ["", "soon", "-5"])
def test_without_a_reset_a_limit_rests_a_quarter_of_an_hour(server: ScriptedServer, reset: str) -> None:
    assert rest_of(server, {"title": "Too Many"}, 429, x_rate_limit_reset=reset) == 900


def test_a_spend_cap_rests_until_its_date(server: ScriptedServer) -> None:
    body = {"title": "SpendCapReached", "reset_date": "2026-11-24", "type": f"{OLD}/credits"}
    rest = rest_of(server, body, 403)
    assert rest is not None and 38 * HOUR < rest <= 38 * HOUR + 5
    assert rest_of(server, body | {"reset_date": "soon"}, 403) == HOUR


def test_a_clock_without_a_date_is_our_own(server: ScriptedServer) -> None:
    server.answer({"title": "Too Many"}, status=429, Date="once", x_rate_limit_reset="100")
    rest = error_of(client(server.url)).retry_after
    assert rest is not None and 0 < rest <= 5


# Odd bodies, no answer


@pytest.mark.parametrize(
    "body",
    [
        {"errors": "no list", "title": 1, "detail": {}, "type": None},
        {"errors": [1, None, "text", {"message": 5}], "error": []},
        {"errors": None, "detail": ["a"], "reset_date": 5},
    ],
)
def test_an_odd_body_is_still_an_error(server: ScriptedServer, body: dict[str, Any]) -> None:
    server.answer(body, status=403)
    assert error_of(client(server.url)).code == "forbidden"


@pytest.mark.parametrize(
    ("status", "content", "unknown", "reason"),
    [
        (200, b"<html>Sign in to this network</html>", True, "bad_answer"),
        (201, b"[]", True, "bad_answer"),
        (201, b'{"data": {}}', True, "bad_answer"),
        (201, b'{"data": "no object"}', True, "bad_answer"),
        (201, b"", True, "bad_answer"),
        (502, b"<html>Bad Gateway</html>", True, "out_of_order"),
        (302, b"", False, "wrong_address"),
        (403, b"<html>Checking your browser</html>", False, "wrong_address"),
        (401, b"", False, "unauthorized"),
        (413, b"<html>nginx</html>", False, "media_refused"),
        (429, b"", False, "rate_limit"),
    ],
)
def test_an_answer_that_is_not_the_apis(
    server: ScriptedServer, status: int, content: bytes, unknown: bool, reason: str
) -> None:
    server.answer(content, status=status, Location=f"{server.url}/elsewhere")
    error = error_of(client(server.url), decisive=True)
    assert (error.outcome_unknown, error.details["reason"]) == (unknown, reason)
    assert len(server.asked) == 1


def test_a_refused_connection_never_leaves_a_post_uncertain() -> None:
    error = error_of(client(f"http://127.0.0.1:{closed_port()}"), decisive=True)
    assert (error.code, error.outcome_unknown, error.action) == ("unreachable", False, R)


@pytest.mark.parametrize("decisive", [True, False])
def test_silence_leaves_a_post_uncertain_and_nothing_else(server: ScriptedServer, decisive: bool) -> None:
    server.stay_silent()
    error = error_of(client(server.url, seconds=0.2), decisive=decisive)
    assert (error.outcome_unknown, error.details["reason"]) == (decisive, "timeout")


@pytest.mark.parametrize("decisive", [True, False])
def test_a_broken_connection_leaves_a_post_uncertain_and_nothing_else(
    server: ScriptedServer, decisive: bool
) -> None:
    server.reset()
    error = error_of(client(server.url), decisive=decisive)
    assert (error.outcome_unknown, error.details["reason"]) == (decisive, "connection_lost")
