"""Every row of Instagram's error table, and every way to get no answer, through real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from influencer.clients.credentials import InstagramCredentials
from influencer.clients.instagram import Instagram
from influencer.clients.instagram_errors import HOUR, RULES
from influencer.clients.platform import Action, PlatformError, Rule
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port

TOKEN = "IGAAtopsecrettoken"
R, N, W, A, G = Action.RETRY, Action.START_OVER, Action.WAIT, Action.REAUTHORISE, Action.GIVE_UP

# (HTTP status, code, subcode, action) as Meta documents them.
ROWS: list[tuple[int, int | None, int | None, Action]] = [
    (400, -2, 2207003, N),
    (400, -2, 2207020, N),
    (400, -1, 2207001, N),
    (400, -1, 2207032, N),
    (400, -1, 2207053, N),
    (400, 1, None, R),
    (400, 1, 2207057, G),
    (500, 2, None, R),
    (400, 4, None, W),
    (400, 4, 2207051, G),
    (400, 9, 2207042, W),
    (403, 10, None, A),
    (400, 17, None, W),
    (400, 24, 2207006, N),
    (400, 24, 2207008, R),
    (400, 25, 2207050, G),
    (400, 32, None, W),
    (400, 100, None, G),
    (400, 100, 33, A),
    (400, 100, 2207023, G),
    (400, 100, 2207028, G),
    (400, 100, 2207040, G),
    (401, 102, None, A),
    (401, 190, None, A),
    (401, 190, 458, A),
    (401, 190, 459, A),
    (401, 190, 460, A),
    (401, 190, 463, A),
    (401, 190, 464, A),
    (401, 190, 467, A),
    (401, 190, 492, A),
    (403, 200, None, A),
    (403, 299, None, A),
    (400, 341, None, W),
    (400, 352, 2207026, G),
    (400, 368, None, G),
    (400, 613, None, W),
    (400, 9004, 2207052, N),
    (400, 9007, 2207027, R),
    (400, 36000, 2207004, G),
    (400, 36001, 2207005, G),
    (400, 36003, 2207009, G),
    (400, 36004, 2207010, G),
    (400, None, 2207076, N),
    (400, -1, 2207077, N),
    (400, None, 2207081, G),
    (400, None, 2207082, N),
    (400, 80002, None, W),
]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def client(url: str, seconds: float = 5) -> Instagram:
    return Instagram(InstagramCredentials("178", TOKEN), base_url=url, seconds=seconds)


def error_of(instagram: Instagram, *, decisive: bool = False) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        instagram.publish("1") if decisive else instagram.create_container("https://a/b.jpg", "c")
    assert caught.value.service == "Instagram"
    return caught.value


def body(code: int | None, subcode: int | None, **more: Any) -> dict[str, Any]:
    error = {"message": "some words", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return {"error": {key: value for key, value in {**error, **more}.items() if value is not None}}


def row_of(code: int | None, subcode: int | None) -> Rule:
    wanted = [f"{code}/{subcode}", f"*/{subcode}", str(code)]
    wanted += ["200-299"] if code in {200, 299} else []
    rules = {rule.code: rule for rule in RULES}
    return next(rules[name] for name in wanted if name in rules)


def test_every_row_of_the_table_is_tried() -> None:
    assert {row_of(code, subcode).code for _, code, subcode, _ in ROWS} == {rule.code for rule in RULES}


@pytest.mark.parametrize(("status", "code", "subcode", "action"), ROWS)
def test_a_code_says_what_to_do(
    server: ScriptedServer, status: int, code: int | None, subcode: int | None, action: Action
) -> None:
    server.answer(body(code, subcode), status=status)
    error, rule = error_of(client(server.url)), row_of(code, subcode)
    shown = "/".join(str(part) for part in (code, subcode) if part is not None)
    assert (error.action, error.code, error.http_status) == (action, shown, status)
    assert error.message == f"{rule.sentence} (code {shown})."
    assert (error.fix, error.tries, error.then) == (rule.fix, rule.tries, rule.then)
    assert error.details["said"] == "some words"
    assert not error.outcome_unknown


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_row_reads_as_sentences(rule: Rule) -> None:
    assert rule.sentence[0].isupper() and not rule.sentence.endswith(".")
    assert rule.fix.endswith(".") and len(rule.fix) > 10
    assert rule.action is not Action.WAIT or rule.wait >= HOUR


@pytest.mark.parametrize(
    ("status", "code", "subcode", "unknown"),
    [
        (500, 2, None, True),
        (400, 2, None, True),
        (400, 1, None, True),
        (400, -1, 2207001, True),
        (500, 190, None, True),
        (400, 9, 2207042, False),
        (400, 9007, 2207027, False),
        (401, 190, 463, False),
        (400, 4, None, False),
        (400, 25, 2207050, False),
    ],
)
def test_only_a_failing_server_leaves_a_post_uncertain(
    server: ScriptedServer, status: int, code: int, subcode: int | None, unknown: bool
) -> None:
    server.answer(body(code, subcode), status=status)
    error = error_of(client(server.url), decisive=True)
    assert error.outcome_unknown is unknown
    assert (error.code == "outcome_unknown") is unknown
    assert not (unknown and error.retryable)


def test_an_unlisted_code_goes_by_status_and_transience(server: ScriptedServer) -> None:
    for status, more, action in [
        (400, {}, G),
        (400, {"is_transient": True}, R),
        (401, {}, A),
        (503, {}, R),
    ]:
        server.answer(body(4711, 1, **more), status=status)
        error = error_of(client(server.url))
        assert (error.action, error.code) == (action, "4711/1")


def test_an_error_without_a_code_shows_the_status(server: ScriptedServer) -> None:
    server.answer({"error": {}}, status=400)
    assert error_of(client(server.url)).code == "400"


def test_a_limit_rests_as_long_as_the_header_says(server: ScriptedServer) -> None:
    usage = {"178": [{"call_count": 100, "estimated_time_to_regain_access": 19}]}
    server.answer(body(4, None), status=400, X_Business_Use_Case_Usage=json.dumps(usage))
    server.answer(body(9, 2207042), status=400)
    instagram = client(server.url)
    assert error_of(instagram).retry_after == 19 * 60
    assert error_of(instagram).retry_after == HOUR


# No answer, or none that can be read


def test_a_refused_connection_never_leaves_a_post_uncertain() -> None:
    error = error_of(client(f"http://127.0.0.1:{closed_port()}"), decisive=True)
    assert (error.code, error.outcome_unknown, error.action) == ("unreachable", False, R)
    assert error.message == "Instagram can't be reached."


def test_an_impossible_address_never_leaves_a_post_uncertain() -> None:
    for url in ("http://", "http://[::1", "htp://127.0.0.1"):
        assert error_of(client(url), decisive=True).code == "unreachable"


def test_an_unknown_host_never_leaves_a_post_uncertain() -> None:
    assert error_of(client("http://nowhere.invalid"), decisive=True).code == "unreachable"


@pytest.mark.parametrize("decisive", [True, False])
def test_silence_leaves_a_post_uncertain_and_nothing_else(server: ScriptedServer, decisive: bool) -> None:
    server.stay_silent()
    error = error_of(client(server.url, seconds=0.2), decisive=decisive)
    assert error.outcome_unknown is decisive
    assert error.details["reason"] == "timeout"
    assert error.message.startswith("Instagram did not answer in 0.2 s")
    assert error.retryable is not decisive


@pytest.mark.parametrize("decisive", [True, False])
def test_a_broken_connection_leaves_a_post_uncertain_and_nothing_else(
    server: ScriptedServer, decisive: bool
) -> None:
    server.reset()
    error = error_of(client(server.url), decisive=decisive)
    assert error.outcome_unknown is decisive
    assert error.details["reason"] == "connection_lost"


def test_half_an_answer_leaves_a_post_uncertain(server: ScriptedServer) -> None:
    server.answer(b'{"id"', Content_Length="500", Connection="close")
    assert error_of(client(server.url, seconds=1), decisive=True).outcome_unknown


@pytest.mark.parametrize(
    ("status", "content", "unknown", "reason"),
    [
        (200, b"<html>Sign in to this network</html>", True, "bad_answer"),
        (200, b"[]", True, "bad_answer"),
        (200, b"{}", True, "bad_answer"),
        (200, b"", True, "bad_answer"),
        (200, b"[" * 100_000, True, "bad_answer"),
        (502, b"<html>Bad Gateway</html>", True, "502"),
        (302, b"", False, "wrong_address"),
        (404, b"<html>Not Found</html>", False, "wrong_address"),
        (403, b"{}", False, "wrong_address"),
        (429, b"<html>Slow down</html>", False, "429"),
    ],
)
def test_an_answer_that_is_not_the_apis(
    server: ScriptedServer, status: int, content: bytes, unknown: bool, reason: str
) -> None:
    server.answer(content, status=status, Location=f"{server.url}/elsewhere")
    error = error_of(client(server.url), decisive=True)
    assert (error.outcome_unknown, error.details["reason"], error.http_status) == (unknown, reason, status)
    assert len(server.asked) == 1
