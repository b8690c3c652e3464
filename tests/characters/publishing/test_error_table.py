"""`docs/errors.md` says what the code does, and each of its answers is given by a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from characters.publishing import error_table
from characters.publishing.error_table import Row
from characters.publishing.management.commands import error_table as command
from influencer.clients import instagram_errors, network, picture, platform, x_errors
from influencer.clients.credentials import InstagramCredentials, XCredentials
from influencer.clients.errors import ServiceError
from influencer.clients.instagram import Instagram
from influencer.clients.platform import Action, Draft, PlatformError, Rule
from influencer.clients.writers import errors as writers
from influencer.clients.writers import gemini_errors
from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.gemini import Gemini
from influencer.clients.x import X
from influencer.config import PROJECT
from tests.characters.stage import Stage, sandbox_at
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port
from tests.influencer.clients.test_instagram_errors import ROWS
from tests.influencer.clients.writers.asks import ask

DOCUMENT = (PROJECT / "docs" / "errors.md").read_text()
X_PROBLEMS = "https://api.twitter.com/2/problems"
WHAT_HAPPENS = {
    Action.RETRY: "Takes the step again",
    Action.START_OVER: "Begins with a new upload",
    Action.WAIT: "Waits as long as it names",
    Action.REAUTHORISE: "the account is broken",
    Action.GIVE_UP: "Stops",
}


@dataclass(frozen=True)
class Case:
    """A fault the stand-in is told to commit, and what the client must make of it."""

    code: str
    fault: str = "refuse"
    args: dict[str, Any] = field(default_factory=dict)
    action: Action = Action.GIVE_UP
    sentence: str = ""


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptedServer]:
    """Where the sandbox's Instagram may fetch pictures from."""
    with ScriptedServer().running() as host:
        yield host


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, host: ScriptedServer) -> Iterator[Stage]:
    """One sandbox for all rows."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "run").mkdir()
    with sandbox_at(folder, host.url) as stage:
        yield stage


def refusal(deed: Callable[[], object]) -> Any:
    with pytest.raises(ServiceError) as caught:
        deed()
    return caught.value


def documented(service: str, code: str, sentence: str) -> Row:
    """The row of that code that says so; its line is in the document."""
    rows = error_table.sections()[service]
    found = [row for row in rows if f"`{code}`" in row.answer and sentence.startswith(row.means)]
    assert len(found) == 1, (code, sentence, found)
    assert found[0].line() in DOCUMENT
    return found[0]


def agrees(service: str, error: PlatformError, rule: str, action: Action) -> None:
    """What was raised is what the document says."""
    row = documented(service, rule, error.message)
    assert error.action is action
    assert WHAT_HAPPENS[action] in row.does
    assert error.fix == row.fix


def test_the_document_is_what_the_command_writes() -> None:
    assert error_table.text() == DOCUMENT, "Run `python3 manage.py error_table`."


def test_the_command_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(command, "PROJECT", tmp_path)
    call_command("error_table")
    count = sum(map(len, error_table.sections().values()))
    assert capsys.readouterr().out == f"docs/errors.md: {count} rows.\n"
    assert (tmp_path / "docs" / "errors.md").read_text() == DOCUMENT
    assert count >= 100


def test_no_sentence_is_left_unfilled() -> None:
    assert "{" not in DOCUMENT


# --- Instagram -------------------------------------------------------------------------------


def instagram(stage: Stage, token: str = "IGAA-x") -> Instagram:
    given = InstagramCredentials("17841400000000001", token)
    return Instagram(given, base_url=f"{stage.url}/instagram", seconds=5)


def rule_of(code: int | None, subcode: int | None) -> str:
    """Under which code the document has it."""
    codes = {rule.code for rule in instagram_errors.RULES}
    names = (f"{code}/{subcode}", f"*/{subcode}", str(code))
    return next((name for name in names if name in codes), "200-299")


@pytest.mark.parametrize(
    ("status", "code", "subcode", "action"),
    [row for row in ROWS if row[1] is not None],
    ids=[f"{row[1]}-{row[2]}" for row in ROWS if row[1] is not None],
)
def test_each_answer_of_instagram(
    stage: Stage, status: int, code: int, subcode: int | None, action: Action
) -> None:
    args = {"code": code, "status": status} | ({"subcode": subcode} if subcode else {})
    stage.order("instagram", "me.refuse", **args)
    agrees("Instagram", refusal(instagram(stage).account), rule_of(code, subcode), action)


def test_no_rule_for_instagram_is_without_its_answer() -> None:
    asked = {rule_of(code, subcode) for _, code, subcode, _ in ROWS}
    without_code = {rule.code for rule in instagram_errors.RULES if rule.code.startswith("*/")}
    assert {rule.code for rule in instagram_errors.RULES} - without_code <= asked


@pytest.mark.parametrize("subcode", [2207076, 2207077, 2207081, 2207082])
def test_answers_of_instagram_that_come_under_changing_codes(stage: Stage, subcode: int) -> None:
    action = Action.GIVE_UP if subcode == 2207081 else Action.START_OVER
    stage.order("instagram", "me.refuse", code=-1, subcode=subcode)
    agrees("Instagram", refusal(instagram(stage).account), f"*/{subcode}", action)


@pytest.mark.parametrize(
    ("token", "code", "action"),
    [
        ("IGAA-EXPIRED", "190/463", Action.REAUTHORISE),
        ("IGAA-REVOKED", "190/458", Action.REAUTHORISE),
        ("IGAA-RATE", "4", Action.WAIT),
    ],
)
def test_instagrams_own_words_for_tokens(stage: Stage, token: str, code: str, action: Action) -> None:
    agrees("Instagram", refusal(instagram(stage, token).account), code, action)


# --- containers ------------------------------------------------------------------------------


def processing(stage: Stage, host: ScriptedServer) -> Callable[[], Any]:
    """The question what has become of a new container, whose picture the stand-in has fetched."""
    client = instagram(stage)
    host.answer(picture.dot(), Content_Type="image/jpeg")
    container = client.create_container(f"{host.url}/m/dot.jpg", "Hi")
    step = next(step for step in client.steps if step.gives == "container_status")
    return lambda: step.call(Draft(b""), {"container_id": container})


def test_a_container_instagram_could_not_use(stage: Stage, host: ScriptedServer) -> None:
    stage.order("instagram", "container_error")
    ask_now = processing(stage, host)
    stage.control("POST", "clock", {"advance": 60})
    error = refusal(ask_now)
    row = documented("Instagram", error.code, error.message)
    assert WHAT_HAPPENS[error.action] in row.does and error.fix == row.fix


def test_a_container_that_was_not_published_in_time(stage: Stage, host: ScriptedServer) -> None:
    ask_now = processing(stage, host)
    stage.control("POST", "clock", {"advance": 25 * 3600})
    agrees("Instagram", refusal(ask_now), "container_expired", Action.START_OVER)


def test_a_container_that_is_never_ready(stage: Stage, host: ScriptedServer) -> None:
    stage.order("instagram", "never_ready")
    assert not processing(stage, host)().ready
    assert platform.poll_delay(len(platform.POLL_DELAYS) + 1) is None
    error, row = (
        platform.never_ready("Instagram"),
        error_table.platform_row("The platform", platform.NEVER_READY),
    )
    assert (error.code, error.fix) == ("never_ready", row.fix)
    assert WHAT_HAPPENS[error.action] in row.does and row.line() in DOCUMENT


# --- X ---------------------------------------------------------------------------------------

A, G, N, R, W = Action.REAUTHORISE, Action.GIVE_UP, Action.START_OVER, Action.RETRY, Action.WAIT
X_CASES = [
    Case("media_unknown", args={"message": "Your media IDs are invalid."}, action=N),
    Case("media_refused", args={"message": "The file size is too large."}, sentence="X refused the image"),
    Case("invalid_request", args={"message": "The `text` is wrong."}),
    Case("unauthorized", "token_expired", action=A),
    Case("credits", "credits", action=W),
    Case("credits", args={"title": "CreditsDepleted", "type": f"{X_PROBLEMS}/credits"}, action=W),
    Case("spend_cap", "spend_cap", action=W),
    Case("duplicate", args={"detail": "You are not allowed to create a Tweet with duplicate content."}),
    Case("forbidden", args={"detail": "You are not permitted to perform this action."}),
    Case("unsupported_authentication", args={"type": f"{X_PROBLEMS}/unsupported-authentication"}, action=A),
    Case("read_only_keys", "read_only", action=A),
    Case(
        "app_not_enrolled",
        args={"type": f"{X_PROBLEMS}/client-forbidden", "reason": "client-not-enrolled"},
        action=A,
    ),
    Case("account_suspended", args={"type": f"{X_PROBLEMS}/user-suspended"}),
    Case("looks_automated", args={"detail": "This request looks automated."}),
    Case("not_found", args={"status": 404, "title": "Not Found"}),
    Case(
        "media_refused", args={"status": 413, "title": "Payload Too Large"}, sentence="The image is too large"
    ),
    Case("usage_capped", args={"status": 429, "type": f"{X_PROBLEMS}/usage-capped"}, action=W),
    Case("rate_limit", "rate", action=W),
    Case("out_of_order", "error_before", action=R),
]


@pytest.mark.parametrize("case", X_CASES, ids=lambda case: case.code)
def test_each_answer_of_x(stage: Stage, case: Case) -> None:
    stage.order("x", f"me.{case.fault}", **case.args)
    keys = XCredentials("app-key", "app-secret", "2244994945-x", "access-secret")
    error = refusal(X(keys, base_url=f"{stage.url}/x", seconds=5).account)
    assert error.code == case.code and error.message.startswith(case.sentence)
    row = documented_x(error)
    assert error.action is case.action and WHAT_HAPPENS[case.action] in row.does
    assert error.fix == row.fix


def documented_x(error: PlatformError) -> Row:
    """Two of X's codes stand under two statuses: the status decides."""
    status = "5xx" if (error.http_status or 0) >= 500 else error.http_status
    [row] = [row for row in error_table.sections()["X"] if row.answer == f"{status} `{error.code}`"]
    assert row.line() in DOCUMENT and error.message.startswith(row.means)
    return row


def test_no_rule_for_x_is_without_its_answer() -> None:
    assert sorted(case.code for case in X_CASES) == sorted(rule.code for rule in x_errors.RULES)


def test_a_restriction_is_said_to_pause_the_account() -> None:
    for service, code in (("Instagram", "4/2207051"), ("Instagram", "25/2207050"), ("X", "looks_automated")):
        [row] = [row for row in error_table.sections()[service] if f"`{code}`" in row.answer]
        assert row.does == "Stops, and pauses the account for at least 24 h."


# --- no usable answer ------------------------------------------------------------------------


def speaking(server: ScriptedServer, *, seconds: float = 5) -> Callable[[], object]:
    given = InstagramCredentials("17841400000000001", "IGAA-x")
    return Instagram(given, base_url=server.url, seconds=seconds).account


def silence(server: ScriptedServer) -> Any:
    server.stay_silent()
    return refusal(speaking(server, seconds=0.2))


def broken(server: ScriptedServer) -> Any:
    server.reset()
    return refusal(speaking(server))


def page(status: int) -> Callable[[ScriptedServer], Any]:
    def answered(server: ScriptedServer) -> Any:
        server.answer(b"<html>hello</html>", status=status)
        return refusal(speaking(server))

    return answered


def nobody(_: ScriptedServer) -> Any:
    given = InstagramCredentials("17841400000000001", "IGAA-x")
    return refusal(Instagram(given, base_url=f"http://127.0.0.1:{closed_port()}", seconds=5).account)


def metadata(_: ScriptedServer) -> Any:
    given = InstagramCredentials("17841400000000001", "IGAA-x")
    return refusal(Instagram(given, base_url="http://169.254.169.254", seconds=5).account)


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        (network.UNREACHABLE, nobody),
        (network.SILENT, silence),
        (network.LOST, broken),
        (network.GARBLED, page(200)),
        (network.TURNED_AWAY, page(429)),
        (network.MISDIRECTED, page(404)),
        (network.FORBIDDEN, metadata),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_each_way_to_get_no_answer(rule: Rule, failure: Callable[[ScriptedServer], Any]) -> None:
    with ScriptedServer().running() as server:
        error = failure(server)
    row = next(row for row in error_table.sections()["No usable answer of either"] if rule.code in row.answer)
    assert (error.code, error.action) == (rule.code, rule.action)
    assert WHAT_HAPPENS[rule.action] in row.does and row.line() in DOCUMENT


# --- Gemini ----------------------------------------------------------------------------------


def denied(message: str = "No.", reason: str = "") -> dict[str, Any]:
    return {"code": 403, "status": "PERMISSION_DENIED", "message": message, "reason": reason}


GEMINI_CASES = [
    Case("key_expired", "key_expired"),
    Case("key_invalid", "key_invalid", sentence="Google does not know"),
    Case("region", "region"),
    Case("billing", args={"status": "FAILED_PRECONDITION", "message": "Please enable billing."}),
    Case("image_refused", args={"message": "Unable to process input image."}),
    Case("invalid_request", args={"message": 'Unknown name "responseSchema"'}),
    Case("key_invalid", args={"code": 401, "status": "UNAUTHENTICATED"}, sentence="Google refused"),
    Case("key_leaked", "key_leaked"),
    Case("api_disabled", args=denied(reason="SERVICE_DISABLED")),
    Case("key_restricted", args=denied("Requests are blocked.", "API_KEY_SERVICE_BLOCKED")),
    Case("key_refused", args=denied()),
    Case("model_unknown", args={"code": 404, "status": "NOT_FOUND"}),
    Case("too_large", args={"code": 413}),
    Case("no_allowance", args={"code": 429, "message": "Quota exceeded, limit: 0, model: x"}),
    Case("daily_limit", "day"),
    Case("rate_limit", "minute"),
    Case("overloaded", "overloaded"),
    Case("too_slow", "error_before", {"status": 504}),
    Case("out_of_order", "error_before", {"status": 500}),
]
GEMINI_ENDINGS = [
    Case("prompt_blocked", "prohibited"),
    Case("image_blocked", "blocked_image"),
    Case("answer_blocked", "safety"),
    Case("cut", "cut"),
    Case("stopped", "other"),
    Case("empty", "no_candidates"),
    Case("recitation", "recitation"),
    Case("language", "language"),
    Case("bad_answer", "nonsense"),
    Case("unreadable", "page"),
]


@pytest.mark.parametrize("case", [*GEMINI_CASES, *GEMINI_ENDINGS], ids=lambda case: case.code)
def test_each_answer_of_gemini(stage: Stage, case: Case) -> None:
    stage.order("gemini", case.fault, **case.args)
    writer = Gemini("AIza-key-of-the-tests-0123456789", base_url=f"{stage.url}/gemini", seconds=20)
    error: WriterError = refusal(lambda: writer.write_caption(ask()))
    assert error.code == case.code and error.message.startswith(case.sentence)
    status = "5xx" if (error.http_status or 0) >= 500 and case.code == "out_of_order" else error.http_status
    rows = [row for row in error_table.sections()["Gemini"] if f"`{case.code}`" in row.answer]
    row = rows[0] if len(rows) == 1 else next(row for row in rows if row.answer.startswith(str(status)))
    assert row.line() in DOCUMENT
    assert ("may be asked for again" in row.does) == error.retryable


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        (writers.UNREACHABLE, lambda server: gemini_at(f"http://127.0.0.1:{closed_port()}")),
        (writers.SILENT, lambda server: server.stay_silent() or gemini_at(server.url, seconds=0.5)),
        (writers.LOST, lambda server: server.reset() or gemini_at(server.url)),
        (writers.GARBLED, lambda server: server.answer(b"<html>") or gemini_at(server.url)),
        (writers.MISDIRECTED, lambda server: server.answer(b"<html>", status=405) or gemini_at(server.url)),
        (writers.FORBIDDEN, lambda server: gemini_at("http://169.254.169.254")),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_each_way_to_get_no_answer_of_gemini(
    rule: writers.Rule, failure: Callable[[ScriptedServer], Any]
) -> None:
    with ScriptedServer().running() as server:
        error = failure(server)
    assert error.code == rule.code
    line = error_table.writer_row(rule).line()
    assert line in DOCUMENT and ("may be asked for again" in line) == error.retryable


def gemini_at(url: str, seconds: float = 20) -> Any:
    writer = Gemini("AIza-key-of-the-tests-0123456789", base_url=url, seconds=seconds)
    return refusal(lambda: writer.write_caption(ask()))


def test_no_rule_for_gemini_is_without_its_answer() -> None:
    assert sorted(case.code for case in GEMINI_CASES) == sorted(rule.code for rule in gemini_errors.RULES)
