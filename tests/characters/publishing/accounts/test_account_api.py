"""`/api/accounts` as `docs/api.md` describes it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from characters.publishing.accounts import standing
from characters.publishing.standing_models import AccountStanding
from influencer.web import tokens
from tests.characters.people import someone
from tests.characters.publishing.course import refusal
from tests.characters.publishing.realm import ID, TOKEN, owner_of, place
from tests.characters.stage import Stage

pytestmark = pytest.mark.django_db
URL = "/api/accounts"


@pytest.fixture
def stage(pretended: Stage) -> Stage:
    return pretended


@pytest.fixture
def api() -> Any:
    User.objects.create(username="owner")
    headers = {"Authorization": f"Bearer {tokens.make('test', username='owner')}"}

    def call(query: str = "", **body: Any) -> Any:
        if not body:
            return Client().get(URL + query, headers=headers)
        return Client().post(URL, json.dumps(body), content_type="application/json", headers=headers)

    return call


def test_every_account_of_everyone_is_listed(api: Any, stage: Stage) -> None:
    owner_of()
    someone("Kai")
    found = api().json()["accounts"]
    assert [(one["platform"], one["kind"], one["state"]) for one in found] == [
        ("instagram", "none", "none"),
        ("x", "none", "none"),
        ("instagram", "real", "set"),
        ("x", "none", "none"),
    ]


def test_the_accounts_of_one_character(api: Any, stage: Stage) -> None:
    luna, _ = owner_of(), someone("Kai")
    assert {one["characterId"] for one in api(f"?characterId={luna.pk}").json()["accounts"]} == {luna.pk}
    assert api("?characterId=char_nobody").status_code == 404


def test_a_check_answers_with_the_account_as_it_stands(api: Any, stage: Stage) -> None:
    luna = owner_of(f"IGAA-{ID}-SANDBOX-luna_mystic")
    found = api(action="check", characterId=luna.pk, platform="instagram").json()
    assert (found["ok"], found["message"]) == (True, "Instagram answers: @luna_mystic.")
    account = found["account"]
    assert (account["username"], account["quota"], account["state"]) == (
        "luna_mystic",
        {"used": 0, "limit": 100},
        "ok",
    )
    assert account["expiresAt"] and not account["expiryKnown"]


def test_a_failed_check_is_an_answer_not_a_failure(api: Any, stage: Stage) -> None:
    luna = owner_of("IGAA-REVOKED")
    answer = api(action="check", characterId=luna.pk, platform="instagram")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert answer.json()["account"]["error"]["code"] == "190/458"


def test_an_ending_token_is_told(api: Any, stage: Stage) -> None:
    luna = owner_of()
    AccountStanding.objects.create(key=place(luna).key, expires_at=timezone.now() + timedelta(days=2.5))
    assert api(f"?characterId={luna.pk}").json()["accounts"][0]["state"] == "expiring"


def test_a_paused_account_is_resumed_with_force_where_it_should_rest(api: Any, stage: Stage) -> None:
    luna = owner_of()
    wish = {"action": "resume", "characterId": luna.pk, "platform": "instagram"}
    assert api(**wish).json()["code"] == "not_paused"
    standing.refused(place(luna).key, refusal(4, 2207051))
    early = api(**wish)
    assert (early.status_code, early.json()["code"]) == (409, "too_early")
    assert early.json()["details"]["resumeAfter"]
    assert api(**wish, force=True).json()["account"]["pausedAt"] is None


def test_a_renewal_is_a_job(api: Any, stage: Stage) -> None:
    luna = owner_of()
    wish = {"action": "renew", "characterId": luna.pk, "platform": "instagram"}
    assert api(**wish).json()["code"] == "too_young"
    AccountStanding.objects.update(token_since=timezone.now() - timedelta(days=2))
    answer = api(**wish)
    assert answer.status_code == 202 and answer.json()["jobId"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "dance"},
        {"action": "check", "platform": "myspace"},
        {"action": "check", "characterId": None},
        {"action": "check", "characterId": ["luna"]},
        {"action": "resume", "force": "yes"},
    ],
)
def test_what_can_not_be_done_is_refused(api: Any, body: dict[str, Any]) -> None:
    answer = api(**{"platform": "x", "characterId": someone().pk, **body})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_no_secret_leaves(api: Any, stage: Stage) -> None:
    luna = owner_of()
    answer = api(action="check", characterId=luna.pk, platform="instagram")
    assert TOKEN not in answer.content.decode()


def test_a_stranger_is_turned_away() -> None:
    assert Client().get(URL).status_code == 401
