"""Tokens about to end: renewed by the clock's turn, or said why not, and never put over another."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.publishing.accounts import attending, renewing, tokens
from characters.publishing.standing_models import AccountStanding
from influencer import paths
from influencer.clients.instagram_tokens import Renewed, Tokens
from influencer.clients.platform import Platform
from influencer.errors import Conflict
from influencer.jobs.models import Job, JobState
from tests.characters.people import someone
from tests.characters.publishing.realm import (
    ID,
    TOKEN,
    X_KEYS,
    aged,
    configure_app,
    enter,
    owner_of,
    place,
)
from tests.characters.stage import Died, Stage, attempt, doom, see_through, take_over

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stage(pretended: Stage) -> Stage:
    return pretended


@pytest.fixture
def ending(stage: Stage) -> Character:
    """A character whose token has 9 days left."""
    return aged(owner_of(), stage)


def turn() -> list[Job]:
    """The clock's turn now; the jobs it has started."""
    attending.look(timezone.now())
    return list(Job.objects.filter(state=JobState.QUEUED).order_by("created_at"))


def token_of(character: Character) -> str:
    return str(characters.get(character.pk).instagram_api_key.reveal())


def known(character: Character) -> AccountStanding:
    found = place(character).standing
    assert found is not None
    return found


def test_an_ending_token_is_renewed_by_itself(ending: Character) -> None:
    [job] = turn()
    assert job.kind == "renew_token"
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert token_of(ending) == TOKEN.replace("IGAA", "IGAA.r1")
    row = known(ending)
    assert (row.days_left, row.expiry_known, row.refresh_problem) == (60, True, None)
    assert "instagram_business_content_publish" in row.scopes


def test_the_new_token_is_sealed_in_the_file(ending: Character) -> None:
    see_through(turn()[0].pk)
    written = (paths.data_dir() / "characters.json").read_text()
    assert "sealed:v1:" in written and "IGAA" not in written
    assert "IGAA" not in str(Job.objects.get().__dict__)


def test_a_renewed_token_is_left_alone_by_the_next_turn(ending: Character) -> None:
    see_through(turn()[0].pk)
    assert turn() == []


def test_a_token_with_more_than_10_days_is_left_alone(stage: Stage) -> None:
    aged(owner_of(), stage, days=49)
    assert turn() == []


def test_a_token_entered_meanwhile_stays(ending: Character, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is faster: theirs is the one that counts."""
    refresh = Tokens.refresh

    def while_someone_edits(self: Tokens) -> Any:
        enter(ending, "IGAA-theirs")
        return refresh(self)

    [job] = turn()
    monkeypatch.setattr(Tokens, "refresh", while_someone_edits)
    assert see_through(job.pk).error["code"] == "token_changed"
    assert token_of(ending) == "IGAA-theirs"


def test_everyone_who_shares_the_account_gets_the_new_token(ending: Character) -> None:
    twin = owner_of(name="Twin")
    see_through(turn()[0].pk)
    assert token_of(twin) == token_of(ending) != TOKEN


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_renews_once_more(ending: Character, when: str) -> None:
    [job] = turn()
    with doom(renewing, "_renewed", when), pytest.raises(Died):
        attempt(job.pk)
    assert take_over(job.pk).state == JobState.SUCCEEDED
    assert token_of(ending) != TOKEN


def test_a_facebook_token_is_exchanged_by_its_app(settings: Any, stage: Stage) -> None:
    configure_app(settings)
    luna = aged(owner_of(f"EAA-{ID}-user"), stage)
    see_through(turn()[0].pk)
    assert token_of(luna) == f"EAA.r1-{ID}-user"
    assert known(luna).days_left == 60


# --- those that could not be -----------------------------------------------------------------


def test_a_facebook_token_without_an_app_says_what_it_needs(stage: Stage) -> None:
    luna = aged(owner_of(f"EAA-{ID}-user"), stage)
    assert turn() == []
    with pytest.raises(Conflict, match="INSTAGRAM_APP_ID") as refusal:
        renewing.start(luna)
    assert refusal.value.code == "no_app"


def test_a_token_from_the_environment_says_where_to_put_a_new_one(settings: Any, stage: Stage) -> None:
    given = {"INSTAGRAM_TOKEN": TOKEN}
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, credentials=given)
    luna = aged(owner_of("env:INSTAGRAM_TOKEN"), stage)
    assert turn() == []
    assert "INSTAGRAM_TOKEN" in known(luna).refresh_problem["message"]
    with pytest.raises(Conflict, match="can't be replaced from here") as refused:
        renewing.start(luna)
    assert refused.value.code == "token_in_environment"


def test_a_revoked_token_fails_with_the_fix_and_is_tried_again_later(ending: Character, stage: Stage) -> None:
    stage.order("instagram", "refresh.token_revoked")
    job = see_through(turn()[0].pk)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "190/458")
    assert "Reconnect the account" in known(ending).refresh_problem["fix"]
    assert token_of(ending) == TOKEN
    assert turn() == []
    AccountStanding.objects.update(refresh_tried_at=timezone.now() - timedelta(hours=7))
    assert [job.kind for job in turn()] == ["renew_token"]


def test_an_expired_token_is_not_sent_to_be_renewed(ending: Character) -> None:
    AccountStanding.objects.update(expires_at=timezone.now() - timedelta(days=1), expiry_known=True)
    assert turn() == []
    assert known(ending).refresh_problem["code"] == "expired"
    assert place(ending).chip == ("broken", "bad")


def test_a_young_token_is_not_renewed_on_demand_either() -> None:
    with pytest.raises(Conflict, match="24 h old"):
        renewing.start(owner_of())


def test_practice_and_x_have_nothing_to_renew(luna: Character) -> None:
    with pytest.raises(Conflict, match="needs no token"):
        renewing.start(luna)
    kai = place(someone("Kai", **X_KEYS), Platform.X)
    refusal = tokens.why_not(luna, kai, AccountStanding())
    assert refusal and refusal.code == "no_expiry"


def test_one_renewal_at_a_time(ending: Character) -> None:
    turn()
    with pytest.raises(Conflict, match="already"):
        renewing.start(ending)


# --- warned beforehand -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "chip"),
    [
        (8 * 24, ("ok", "ok")),
        (6.5 * 24, ("expires in 7 d (estimated)", "warn")),
        (5.9 * 24, ("expires in 6 d (estimated)", "warn")),
        (2.5 * 24, ("expires in 3 d (estimated)", "warn")),
        (12, ("expires in 1 d (estimated)", "bad")),
    ],
)
def test_the_card_warns_at_7_3_and_1_days(hours: float, chip: tuple[str, str]) -> None:
    luna = owner_of()
    tokens.note(luna, place(luna))
    ends = timezone.now() + timedelta(hours=hours)
    AccountStanding.objects.update(expires_at=ends, last_ok_at=timezone.now())
    assert place(luna).chip == chip


def test_a_known_end_is_not_called_an_estimate(ending: Character) -> None:
    see_through(turn()[0].pk)
    AccountStanding.objects.update(expires_at=timezone.now() + timedelta(days=5), last_ok_at=timezone.now())
    assert place(ending).chip == ("expires in 5 d", "warn")


def test_a_renewal_that_names_no_end_is_an_estimate_again(ending: Character) -> None:
    tokens.replaced(place(ending).key, TOKEN, Renewed("IGAA-new", None))
    assert (known(ending).days_left, known(ending).expiry_known) == (60, False)


# --- the daily check -------------------------------------------------------------------------


def test_a_new_account_is_checked_within_a_minute_then_once_a_day() -> None:
    luna = owner_of()
    [job] = turn()
    assert (job.kind, turn()) == ("check_account", [job])
    assert see_through(job.pk).result == {"ok": True, "message": "Instagram answers: @sandbox_000001."}
    assert turn() == []
    AccountStanding.objects.update(checked_at=timezone.now() - timedelta(hours=25))
    assert [job.kind for job in turn()] == ["check_account"]
    assert place(luna).chip == ("ok", "ok")


def test_a_check_that_finds_a_dead_token_ends_well_and_says_so() -> None:
    luna = owner_of("IGAA-REVOKED")
    job = see_through(turn()[0].pk)
    assert (job.state, job.result["ok"]) == (JobState.SUCCEEDED, False)
    assert place(luna).chip == ("broken", "bad")


def test_x_is_not_asked_unbidden() -> None:
    someone("Kai", **X_KEYS)
    assert turn() == []


def test_a_token_nobody_can_read_keeps_no_one_else_waiting() -> None:
    owner_of("hello")
    someone("Mei", instagram_account_id="17841400000000009", instagram_api_key="IGAA-x")
    assert [job.kind for job in turn()] == ["check_account", "check_account"]
