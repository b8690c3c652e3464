"""The Instagram client against real HTTP answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from influencer.clients.credentials import InstagramCredentials
from influencer.clients.instagram import Instagram
from influencer.clients.instagram_graph import Graph, host_for
from influencer.clients.platform import (
    Account,
    Action,
    Draft,
    PlatformError,
    Quota,
    Stage,
    Verdict,
    next_step,
)
from influencer.errors import Invalid
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port

ACCOUNT, TOKEN = "17841400000000000", "IGAAtopsecrettoken"
PICTURE_URL = "https://img.example.org/m/signed-secret.jpg?sig=abc"
DRAFT = Draft(b"jpeg", PICTURE_URL, "Morning light #harbour", "A woman at a harbour")
SINCE = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def client(server: ScriptedServer, *, token: str = TOKEN, seconds: float = 5) -> Instagram:
    return Instagram(InstagramCredentials(ACCOUNT, token), base_url=server.url, seconds=seconds)


def refusal(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    error = {"message": f"(#{code}) words", "type": "OAuthException", "code": code, **more}
    return {"error": error if subcode is None else error | {"error_subcode": subcode}}


def test_a_post_runs_from_container_to_permalink(server: ScriptedServer) -> None:
    instagram, ids, stages = client(server), {}, []
    server.answer({"id": "17889455560051444"})
    server.answer({"status_code": "IN_PROGRESS", "id": "17889455560051444"})
    server.answer({"status_code": "FINISHED", "id": "17889455560051444"})
    server.answer({"id": "17920238422030506"})
    server.answer({"id": "17920238422030506", "permalink": "https://www.instagram.com/p/DRabc/"})
    while step := next_step(instagram.steps, ids):
        stages.append(step.before)
        ids |= step.call(DRAFT, ids).ids
    assert ids == {
        "container_id": "17889455560051444",
        "container_status": "FINISHED",
        "remote_id": "17920238422030506",
        "permalink": "https://www.instagram.com/p/DRabc/",
    }
    assert stages == [
        Stage.RESERVED,
        Stage.PREPARED,
        Stage.PREPARED,
        Stage.PUBLISHING,
        Stage.PUBLISHED,
    ]
    assert [step.name for step in instagram.steps if step.optional] == ["link"]
    assert [asked.path for asked in server.asked] == [
        f"/v25.0/{ACCOUNT}/media",
        "/v25.0/17889455560051444",
        "/v25.0/17889455560051444",
        f"/v25.0/{ACCOUNT}/media_publish",
        "/v25.0/17920238422030506",
    ]


def test_the_container_is_told_everything_in_the_body(server: ScriptedServer) -> None:
    server.answer({"id": "1"})
    client(server).create_container(PICTURE_URL, "a\r\n#b & c", alt_text=" d ", ai_label=True)
    assert server.last.method == "POST"
    assert server.last.target == f"/v25.0/{ACCOUNT}/media"
    assert server.last.form == {
        "image_url": PICTURE_URL,
        "caption": "a\n#b & c",
        "alt_text": "d",
        "is_ai_generated": "true",
    }


def test_label_and_alt_text_are_left_out_when_there_is_none(server: ScriptedServer) -> None:
    server.answer({"id": "1"})
    client(server).create_container(PICTURE_URL, "", alt_text="  ", ai_label=False)
    assert server.last.form == {"image_url": PICTURE_URL, "caption": ""}


def test_publishing_names_the_container_and_nothing_else(server: ScriptedServer) -> None:
    server.answer({"id": "2"})
    assert client(server).publish("1") == "2"
    assert server.last.form == {"creation_id": "1"}


def test_the_token_travels_in_the_header_only(server: ScriptedServer) -> None:
    server.answer({"id": "1"})
    client(server).publish("1")
    assert server.last.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in server.last.target
    assert TOKEN.encode() not in server.last.body


@pytest.mark.parametrize("version", ["v24.0", ""])
def test_the_version_is_a_setting(server: ScriptedServer, version: str) -> None:
    server.answer({"id": "1"})
    Instagram(InstagramCredentials(ACCOUNT, TOKEN), base_url=server.url, api_version=version).publish("1")
    assert server.last.path == f"/{version}/{ACCOUNT}/media_publish".replace("//", "/")


@pytest.mark.parametrize(
    ("token", "host"),
    [
        ("IGAAx", "https://graph.instagram.com"),
        ("IGQVx", "https://graph.instagram.com"),
        ("EAAx", "https://graph.facebook.com"),
    ],
)
def test_the_host_follows_from_the_token(token: str, host: str) -> None:
    assert host_for(token) == host
    assert Graph(token)._base == f"{host}/v25.0"


def test_a_token_of_neither_login_is_refused_without_being_shown() -> None:
    with pytest.raises(Invalid, match="IGAA") as caught:
        Instagram(InstagramCredentials(ACCOUNT, "sk-secret"))
    assert "sk-secret" not in str(caught.value)


def test_an_override_takes_any_token(server: ScriptedServer) -> None:
    server.answer({"id": "1"})
    assert client(server, token="practice").publish("1") == "1"


def test_proxies_of_the_environment_are_not_used(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    server.answer({"id": "1"})
    assert client(server).publish("1") == "1"


def test_a_post_without_a_permalink_has_none_yet(server: ScriptedServer) -> None:
    server.answer({"id": "2"})
    with pytest.raises(PlatformError) as caught:
        client(server).permalink("2")
    assert (caught.value.code, caught.value.retryable) == ("bad_answer", True)


# Account, quota, newest posts


def test_instagram_login_is_asked_who_it_is(server: ScriptedServer) -> None:
    server.answer({"user_id": ACCOUNT, "id": "25", "username": "luna", "name": "Luna"})
    assert client(server).account() == Account(ACCOUNT, "luna", "Luna")
    assert server.last.path == "/v25.0/me"
    assert server.last.query == {"fields": "user_id,id,username,name,profile_picture_url"}


def test_facebook_login_is_asked_for_the_account(server: ScriptedServer) -> None:
    server.answer({"id": ACCOUNT, "username": "luna", "profile_picture_url": "https://cdn/p.jpg"})
    account = client(server, token="EAAx").account()
    assert account == Account(ACCOUNT, "luna", picture_url="https://cdn/p.jpg")
    assert server.last.path == f"/v25.0/{ACCOUNT}"


def test_the_quota_is_instagrams_own_word(server: ScriptedServer) -> None:
    server.answer({"data": [{"quota_usage": 2, "config": {"quota_total": 50, "quota_duration": 86400}}]})
    assert client(server).quota() == Quota(used=2, limit=50)
    assert server.last.query == {"fields": "quota_usage,config"}


def test_figures_that_come_as_text_count_too(server: ScriptedServer) -> None:
    server.answer({"data": [{"quota_usage": "2", "config": {"quota_total": "50"}}]})
    assert client(server).quota() == Quota(used=2, limit=50)


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"quota_usage": None, "config": None}]},
        {"data": [{"quota_usage": "many", "config": {"quota_total": "-"}}]},
        {},
    ],
)
def test_a_quota_without_figures_has_no_limit(server: ScriptedServer, body: dict[str, Any]) -> None:
    server.answer(body)
    assert client(server).quota() == Quota(used=0, limit=None)


def used_up(server: ScriptedServer, used: int, limit: int, hours_ago: list[float]) -> float | None:
    """In how many hours there can be room, with the account's posts made so many hours ago."""
    server.answer({"data": [{"quota_usage": used, "config": {"quota_total": limit}}]})
    now = datetime.now(UTC)
    times = [(now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S+0000") for hours in hours_ago]
    server.answer({"data": [{"id": str(place), "timestamp": at} for place, at in enumerate(times)]})
    until = client(server).quota().until
    return until and (until - now).total_seconds() / 3600


@pytest.mark.parametrize(
    ("used", "limit", "hours_ago", "hours"),
    [
        (3, 3, [1, 5, 20], 4),  # the oldest of three leaves in 4 h
        (4, 3, [1, 5, 20, 23], 4),  # two have to leave
        (3, 3, [1, 5, 20, 23], 1),  # one was made in the app: the earliest that can be
        (3, 3, [1, 5], 19),  # one that counts was deleted
        (3, 3, [1, 5, 30], 19),  # what has left the window counts no more
        (1, 1, [23.998], 1 / 60),  # never sooner than in a minute
    ],
)
def test_a_used_up_quota_has_room_when_the_oldest_post_leaves_the_window(
    server: ScriptedServer, used: int, limit: int, hours_ago: list[float], hours: float
) -> None:
    assert used_up(server, used, limit, hours_ago) == pytest.approx(hours, abs=0.01)
    assert server.last.query["limit"] == str(used)


def test_a_used_up_quota_without_readable_posts_names_no_time(server: ScriptedServer) -> None:
    assert used_up(server, 2, 2, []) is None
    server.answer({"data": [{"quota_usage": 2, "config": {"quota_total": 2}}]})
    server.answer(refusal(2), status=500)
    assert client(server).quota().until is None


def test_load_is_read_from_the_headers(server: ScriptedServer) -> None:
    business = {"178": [{"type": "instagram", "call_count": 95, "estimated_time_to_regain_access": 19}]}
    server.answer({"data": []}, X_Business_Use_Case_Usage=json.dumps(business))
    quota = client(server).quota()
    assert (quota.busy, quota.retry_after) == (95, 19 * 60)


@pytest.mark.parametrize("header", ["", "nonsense", "[]", '{"call_count": "x"}', '{"call_count": 89}'])
def test_odd_or_low_load_asks_for_no_rest(server: ScriptedServer, header: str) -> None:
    server.answer({"data": []}, X_App_Usage=header, X_Business_Use_Case_Usage=header)
    assert client(server).quota().retry_after is None


def test_the_newest_posts_are_read(server: ScriptedServer) -> None:
    row = {"id": "1", "caption": "a", "permalink": "https://i/p/1/", "timestamp": "2026-11-22T10:00:00+0000"}
    server.answer({"data": [row, {"id": "2", "timestamp": "once"}]})
    first, second = client(server).recent()
    assert first.timestamp == SINCE
    assert (second.id, second.caption, second.timestamp) == ("2", "", None)
    assert server.last.query == {"fields": "id,caption,permalink,timestamp", "limit": "5"}


# The look-up after an unknown outcome


def media(id: str, caption: str, minute: int) -> dict[str, str]:
    link, when = f"https://i/p/{id}/", f"2026-11-22T10:{minute:02}:00+0000"
    return {"id": id, "caption": caption, "permalink": link, "timestamp": when}


def test_a_published_container_is_found_by_its_caption(server: ScriptedServer) -> None:
    server.answer({"status_code": "PUBLISHED"})
    server.answer({"data": [media("3", "other", 2), media("2", f"{DRAFT.caption}\n", 1)]})
    found = client(server).look_up(DRAFT, {"container_id": "9"}, since=SINCE)
    assert found.verdict is Verdict.PUBLISHED
    assert found.ids == {"remote_id": "2", "permalink": "https://i/p/2/"}


def test_the_only_new_post_is_it_though_its_caption_was_changed(server: ScriptedServer) -> None:
    server.answer({"status_code": "PUBLISHED"})
    server.answer(
        {"data": [media("2", "changed", 1), media("1", "old", 1) | {"timestamp": "2026-11-01T10:00:00Z"}]}
    )
    assert client(server).look_up(DRAFT, {"container_id": "9"}, since=SINCE).ids["remote_id"] == "2"


def test_a_published_container_that_is_not_listed_yet_has_no_ids(server: ScriptedServer) -> None:
    server.answer({"status_code": "PUBLISHED"})
    server.answer({"data": [media("2", "a", 1), media("3", "b", 2)]})
    found = client(server).look_up(DRAFT, {"container_id": "9"}, since=SINCE)
    assert (found.verdict, found.ids) == (Verdict.PUBLISHED, {})


@pytest.mark.parametrize("state", ["FINISHED", "IN_PROGRESS", "ERROR", "EXPIRED"])
def test_any_other_container_is_not_published(server: ScriptedServer, state: str) -> None:
    server.answer({"status_code": state})
    found = client(server).look_up(DRAFT, {"container_id": "9"}, since=SINCE)
    assert found.verdict is Verdict.NOT_PUBLISHED


# The state of a container


def processing(server: ScriptedServer, **body: str) -> PlatformError:
    server.answer(body)
    instagram = client(server)
    with pytest.raises(PlatformError) as caught:
        instagram.steps[1].call(DRAFT, {"container_id": "9"})
    return caught.value


def test_a_container_in_work_is_asked_for_again(server: ScriptedServer) -> None:
    server.answer({"status_code": "IN_PROGRESS"})
    server.answer({"status_code": ""})
    instagram = client(server)
    for _ in range(2):
        outcome = instagram.steps[1].call(DRAFT, {"container_id": "9"})
        assert (outcome.ready, outcome.ids) == (False, {})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Error: Media upload has failed with error code 2207076", "2207076"),
        ("Error: 2207052", "9004/2207052"),
        ("Error: something else", "container_error"),
        ("Error: 2207999", "container_error"),
    ],
)
def test_a_failed_container_gives_its_subcode(server: ScriptedServer, text: str, code: str) -> None:
    error = processing(server, status_code="ERROR", status=text)
    assert (error.code, error.action) == (code, Action.START_OVER)
    assert error.details["said"] == text


def test_an_expired_container_starts_over(server: ScriptedServer) -> None:
    error = processing(server, status_code="EXPIRED", status="Expired: Media has expired")
    assert (error.code, error.action, error.retryable) == ("container_expired", Action.START_OVER, True)


# Secrets


def test_no_secret_is_in_logs_or_errors(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer({"id": "1"})
    message = f"Malformed access token {TOKEN}; could not fetch {PICTURE_URL}"
    server.answer({"error": {"message": message, "code": 190, "error_user_msg": PICTURE_URL}}, status=400)
    server.reset()
    instagram, shown = client(server), []
    instagram.create_container(PICTURE_URL, DRAFT.caption)
    for _ in range(2):
        with pytest.raises(PlatformError) as caught:
            instagram.create_container(PICTURE_URL, DRAFT.caption)
        error = caught.value
        shown += [repr(error), str(error), repr(error.__cause__), repr(vars(error)), repr(instagram)]
    assert "could not fetch img.example.org" in "".join(shown)
    for text in (caplog.text, "".join(shown), repr(DRAFT), repr(instagram.steps)):
        for secret in (TOKEN, "signed-secret", "sig=abc"):
            assert secret not in text


def test_each_call_leaves_one_line_with_service_outcome_time_and_id(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.answer({"id": "17920238422030506"})
    server.answer(refusal(190, 463), status=400)
    instagram = client(server)
    instagram.publish("1")
    with pytest.raises(PlatformError):
        instagram.account()
    good, bad = caplog.messages
    assert good.startswith("Instagram publish: ok 17920238422030506, ") and good.endswith(" ms")
    assert bad.startswith("Instagram account: 190/463, ")
