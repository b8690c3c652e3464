"""Renewing and examining Instagram's tokens, against real HTTP answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from influencer.clients.instagram_tokens import App, Login, Tokens, login_of
from influencer.clients.platform import Action, PlatformError
from influencer.errors import Invalid
from tests.influencer.clients.scripted_server import ScriptedServer

INSTAGRAM, FACEBOOK = "IGAAtopsecrettoken", "EAAtopsecrettoken"
APP = App("1234", "the-app-secret")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def tokens(server: ScriptedServer, token: str = INSTAGRAM) -> Tokens:
    return Tokens(token, base_url=server.url)


def refusal(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, **more}}


def days_from_now(moment: datetime | None) -> int:
    assert moment is not None
    return round((moment - datetime.now(UTC)) / timedelta(days=1))


def test_a_token_of_instagram_login_is_refreshed_without_a_version(server: ScriptedServer) -> None:
    server.answer(
        {"access_token": "IGAAfresh", "token_type": "bearer", "expires_in": 5183944, "permissions": "a,b"}
    )
    fresh = tokens(server).refresh()
    assert (fresh.token, fresh.scopes, days_from_now(fresh.expires_at)) == ("IGAAfresh", ("a", "b"), 60)
    assert server.last.path == "/refresh_access_token"
    assert server.last.query == {"grant_type": "ig_refresh_token"}
    assert server.last.headers["Authorization"] == f"Bearer {INSTAGRAM}"


def test_permissions_may_come_as_a_list(server: ScriptedServer) -> None:
    server.answer({"access_token": "IGAAfresh", "expires_in": 5183944, "permissions": ["a", "b"]})
    assert tokens(server).refresh().scopes == ("a", "b")


def test_a_token_without_a_time_does_not_end_by_time(server: ScriptedServer) -> None:
    server.answer({"access_token": "EAAfresh", "token_type": "bearer"})
    assert tokens(server, FACEBOOK).exchange(APP).expires_at is None


def test_a_facebook_token_is_exchanged_in_the_body_of_a_post(server: ScriptedServer) -> None:
    server.answer({"access_token": "EAAfresh", "token_type": "bearer", "expires_in": 5183944})
    assert tokens(server, FACEBOOK).exchange(APP).token == "EAAfresh"
    assert (server.last.method, server.last.path, server.last.query) == (
        "POST",
        "/v25.0/oauth/access_token",
        {},
    )
    assert server.last.form == {
        "grant_type": "fb_exchange_token",
        "client_id": "1234",
        "client_secret": "the-app-secret",
        "fb_exchange_token": FACEBOOK,
    }


def test_a_facebook_token_is_examined_as_its_app(server: ScriptedServer) -> None:
    ends = int(datetime.now(UTC).timestamp()) + 10 * 86_400
    server.answer({"data": {"app_id": "1234", "is_valid": True, "expires_at": ends, "scopes": ["a"]}})
    found = tokens(server, FACEBOOK).examine(APP)
    assert (found.valid, days_from_now(found.expires_at), found.scopes) == (True, 10, ("a",))
    assert server.last.headers["Authorization"] == "Bearer 1234|the-app-secret"


def test_a_page_token_ends_at_no_time(server: ScriptedServer) -> None:
    server.answer({"data": {"type": "PAGE", "is_valid": True, "expires_at": 0, "scopes": []}})
    assert tokens(server, FACEBOOK).examine(APP).expires_at is None


def test_a_revoked_token_is_refused_with_its_rule(server: ScriptedServer) -> None:
    server.answer(refusal(190, "revoked", error_subcode=458), status=401)
    with pytest.raises(PlatformError) as refused:
        tokens(server).refresh()
    assert (refused.value.code, refused.value.action) == ("190/458", Action.REAUTHORISE)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1, "Error validating client secret."),
        (101, "Error validating application."),
        (100, "an app access token"),
    ],
)
def test_a_refused_app_is_said_as_such(server: ScriptedServer, code: int, message: str) -> None:
    server.answer(refusal(code, message), status=400)
    with pytest.raises(PlatformError, match="refused the app's id or secret") as refused:
        tokens(server, FACEBOOK).exchange(APP)
    assert "INSTAGRAM_APP_SECRET" in refused.value.fix


def test_an_answer_without_a_token_is_no_answer(server: ScriptedServer) -> None:
    server.answer({"token_type": "bearer"})
    with pytest.raises(PlatformError, match="can't be read"):
        tokens(server).refresh()


def test_an_examination_without_data_is_no_answer(server: ScriptedServer) -> None:
    server.answer({})
    with pytest.raises(PlatformError, match="can't be read"):
        tokens(server, FACEBOOK).examine(APP)


def test_no_secret_is_printed_or_told(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server.answer(refusal(190, f"bad {APP.id}|{APP.secret}"), status=400)
    with pytest.raises(PlatformError) as refused:
        tokens(server, FACEBOOK).exchange(APP)
    server.answer({"access_token": "EAAfresh", "expires_in": 5183944})
    told = [repr(APP), repr(tokens(server, FACEBOOK).exchange(APP)), str(refused.value.details), caplog.text]
    assert not any(secret in " ".join(told) for secret in (APP.secret, FACEBOOK, "EAAfresh"))


def test_the_kind_of_login_shows_in_the_token() -> None:
    assert (login_of("IGAAx"), login_of("IGQVx"), login_of("EAAx")) == (
        Login.INSTAGRAM,
        Login.INSTAGRAM,
        Login.FACEBOOK,
    )
    with pytest.raises(Invalid):
        login_of("hello")
