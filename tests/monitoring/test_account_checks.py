"""Instagram's and X's line: where each character posts, and whether real accounts answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts as posting_accounts
from characters.publishing.accounts import standing
from characters.publishing.models import Post
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform, Quota
from influencer.errors import Unavailable
from influencer.jobs.models import iso
from monitoring import answers
from monitoring.checks import accounts
from monitoring.report import Finding, State
from tests.characters.people import INSTAGRAM, X, someone
from tests.characters.stage import Stage, sandbox_at
from tests.influencer.clients.scripted_server import ScriptedServer, closed_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platforms(data_dir: Path, settings: Any) -> Iterator[Stage]:
    """A server that plays the real Instagram and X."""
    with sandbox_at(data_dir, name="platforms") as stage:
        settings.INFLUENCER = dataclasses.replace(
            settings.INFLUENCER,
            instagram_graph_url=f"{stage.url}/instagram",
            x_api_url=f"{stage.url}/x",
        )
        yield stage


def entries(finding: Finding) -> dict[str, dict[str, Any]]:
    return {entry["character"]: entry for entry in finding.details["accounts"]}


def states(finding: Finding) -> dict[str, str]:
    return {name: entry["state"] for name, entry in entries(finding).items()}


def asked(stage: Stage, service: str, ending: str = "/me") -> int:
    return stage.log(service, "GET", ending)


@pytest.mark.parametrize("platform", Platform)
def test_without_credentials_the_sandbox_stands_in(data_dir: Path, platform: Platform) -> None:
    someone("Luna")
    with sandbox_at(data_dir):
        finding = accounts.check(platform, False)
    assert finding.state is State.SANDBOX
    assert states(finding) == {"Luna": "sandbox"}


def test_a_sandbox_that_should_run_and_does_not_is_told() -> None:
    with pytest.raises(Unavailable) as refused:
        accounts.x(False)
    assert refused.value.code == "sandbox_down"


@pytest.mark.parametrize("platform", Platform)
def test_without_sandbox_and_credentials_it_is_not_configured(settings: Any, platform: Platform) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    someone("Luna")
    finding = accounts.check(platform, False)
    assert finding.state is State.UNCONFIGURED
    assert "Add them to a character" in finding.message
    assert states(finding) == {"Luna": "none"}


def test_real_accounts_are_asked_whose_they_are(platforms: Stage) -> None:
    someone("Luna", **INSTAGRAM, **X)
    someone("Nova")
    for finding in (accounts.instagram(False), accounts.x(False)):
        assert finding.state is State.OK
        assert finding.message == "1 of 1 accounts answered."
        assert states(finding) == {"Luna": "ok", "Nova": "none"}
        assert entries(finding)["Luna"]["username"]
        assert entries(finding)["Luna"]["checkedAt"]


def test_an_account_is_asked_once_and_again_when_its_credentials_change(platforms: Stage) -> None:
    luna = someone("Luna", **X)
    accounts.x(False)
    accounts.x(False)
    accounts.x(True)
    assert asked(platforms, "x") == 1
    Character.objects.change(luna.pk, lambda one: setattr(one, "twitter_access_secret", "another"))
    accounts.x(False)
    assert asked(platforms, "x") == 2


def test_asked_anew_after_a_while_it_is_asked_again(
    platforms: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone("Luna", **X)
    accounts.x(False)
    monkeypatch.setattr(answers, "FRESH_FOR", 0.0)
    accounts.x(False)
    assert asked(platforms, "x") == 1
    accounts.x(True)
    assert asked(platforms, "x") == 2


def test_two_characters_with_one_account_ask_once(platforms: Stage, settings: Any) -> None:
    for name in ("Luna", "Nova"):
        someone(name, instagram_account_id="1784", instagram_api_key="INSTAGRAM_API_KEY")
    named = {"INSTAGRAM_API_KEY": "IGAA-from-the-environment"}
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, credentials=named)
    assert states(accounts.instagram(False)) == {"Luna": "ok", "Nova": "ok"}
    assert asked(platforms, "instagram") == 1


def test_an_expired_token_is_down_with_the_platforms_words_and_the_fix(platforms: Stage) -> None:
    someone("Luna", instagram_account_id="1784", instagram_api_key="IGAA-EXPIRED-1")
    finding = accounts.instagram(False)
    assert finding.state is State.DOWN
    assert finding.message.startswith("Luna: ")
    assert "expired" in finding.message
    assert states(finding) == {"Luna": "down"}
    assert "IGAA-EXPIRED-1" not in str(finding)


def test_one_broken_account_of_two_is_degraded(platforms: Stage) -> None:
    someone("Luna", instagram_account_id="1784", instagram_api_key="IGAA-EXPIRED-1")
    someone("Nova", instagram_account_id="1785", instagram_api_key="IGAA-fine")
    finding = accounts.instagram(False)
    assert finding.state is State.DEGRADED
    assert states(finding) == {"Luna": "down", "Nova": "ok"}


def test_a_platform_that_can_not_be_reached_is_down(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER, x_api_url=f"http://127.0.0.1:{closed_port()}"
    )
    someone("Luna", **X)
    finding = accounts.x(False)
    assert finding.state is State.DOWN
    assert "can't be reached" in finding.message


def test_one_that_hangs_is_left_behind_and_counts_when_it_answers(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SECONDS", 0.1)
    with ScriptedServer().running() as server:
        server.stay_silent()
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, x_api_url=server.url)
        someone("Luna", **X)
        finding = accounts.x(False)
    assert finding.state is State.DOWN
    assert "No answer within 0.1 s" in finding.message


def test_many_accounts_are_asked_a_few_at_a_time(platforms: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "AT_ONCE", 2)
    for number in range(3):
        someone(f"C{number}", instagram_account_id=f"178{number}", instagram_api_key="IGAA-fine")
    first = accounts.instagram(False)
    assert sorted(states(first).values()) == ["ok", "ok", "unchecked"]
    assert first.state is State.OK
    assert set(states(accounts.instagram(False)).values()) == {"ok"}


def test_a_secret_nobody_can_open_is_told_and_hides_no_other(
    platforms: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone("Luna", **X)
    someone("Nova", **{**X, "twitter_access_token": "777-nova"})
    account = posting_accounts.account

    def unreadable(character: Character, platform: Platform, **more: Any) -> Any:
        if character.name == "Luna":
            raise Unavailable("This key does not open it.", code="wrong_key")
        return account(character, platform, **more)

    monkeypatch.setattr(posting_accounts, "account", unreadable)
    finding = accounts.x(False)
    assert finding.state is State.DEGRADED
    assert finding.message == "Luna: This key does not open it."
    assert states(finding) == {"Luna": "down", "Nova": "ok"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "Set PUBLIC_BASE_URL"),
        ("http://192.168.1.5:8000", "this network only"),
        ("media.example.org", "It must look like"),
    ],
)
def test_an_address_instagram_can_not_fetch_from_is_a_warning(
    settings: Any, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, public_base_url=url)
    monkeypatch.setattr(accounts, "_answer_of", lambda seat: answers.Answer({"username": "luna"}))
    someone("Luna", **INSTAGRAM, **X)
    finding = accounts.instagram(False)
    assert finding.state is State.DEGRADED
    assert said in finding.message
    assert accounts.x(False).state is State.OK, "X is sent the picture itself"


def test_practice_needs_no_public_address(data_dir: Path) -> None:
    someone("Luna")
    with sandbox_at(data_dir):
        assert accounts.instagram(False).state is State.SANDBOX


def test_what_was_posted_today_the_quota_and_the_last_error_are_told(platforms: Stage) -> None:
    luna = someone("Luna", **INSTAGRAM, **X)
    for platform in Platform:
        account = posting_accounts.account(luna, platform)
        common = {"character_id": luna.pk, "platform": str(platform), "account": account.key}
        Post.objects.create(key=f"{platform} 1", state="published", **common)
        error = {"code": "190", "message": "Instagram refused the token.", "fix": "Reconnect."}
        Post.objects.create(key=f"{platform} 2", state="failed", error=error, **common)
    instagram, x = accounts.instagram(False), accounts.x(False)
    assert entries(instagram)["Luna"]["postedToday"] == entries(x)["Luna"]["postedToday"] == 1
    assert entries(instagram)["Luna"]["quota"]["limit"] > 0
    assert "quota" not in entries(x)["Luna"], "X tells it to whoever posts, and to nobody else"
    AccountStanding.objects.create(key=account.key)
    standing.posted(account.key, Quota(97, 100))
    assert entries(accounts.x(False))["Luna"]["quota"] == {"used": 97, "limit": 100}
    assert (instagram.details["lastError"]["code"], x.details["lastError"]["code"]) == ("190", "190")


def test_the_tokens_end_a_wait_and_a_pause_are_told(platforms: Stage) -> None:
    luna, soon = someone("Luna", **X), timezone.now() + timedelta(days=3)
    key = posting_accounts.account(luna, Platform.X).key
    AccountStanding.objects.create(key=key, expires_at=soon, held_until=soon)
    told = entries(accounts.x(False))["Luna"]
    assert (told["state"], told["tokenExpiresSoon"]) == ("ok", True)
    assert told["heldUntil"] == told["tokenExpiresAt"] == iso(soon)
    AccountStanding.objects.update(paused_at=timezone.now(), pause_reason="The token was refused.")
    finding = accounts.x(False)
    assert finding.state is State.DOWN
    assert "Paused: The token was refused. Resume it" in finding.message


def test_no_secret_is_in_what_is_shown(platforms: Stage) -> None:
    someone("Luna", **INSTAGRAM, **X)
    shown = f"{accounts.instagram(False)}{accounts.x(False)}"
    assert not [secret for secret in (*INSTAGRAM.values(), *X.values())[1:] if secret in shown]


def test_a_token_that_ends_soon_is_a_warning(platforms: Stage) -> None:
    luna = someone("Luna", **INSTAGRAM)
    key = posting_accounts.account(luna, Platform.INSTAGRAM).key
    AccountStanding.objects.create(
        key=key, expires_at=timezone.now() + timedelta(days=2.5), expiry_known=True
    )
    finding = accounts.instagram(False)
    assert (finding.state, finding.message) == (State.DEGRADED, "Luna: The token expires in 3 d.")
