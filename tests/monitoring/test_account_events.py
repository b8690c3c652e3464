"""What happens to an account stands in the log of events, though no page is open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters.images import services as images
from characters.models import Character
from characters.publishing import posting
from characters.publishing.accounts import attending, happenings, standing
from characters.publishing.posting import Intention
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.jobs.models import Job, JobState
from monitoring.models import Event, Kind, Level
from tests.characters.people import someone
from tests.characters.publishing.conftest import stage
from tests.characters.publishing.course import due, over, refusal
from tests.characters.publishing.realm import TOKEN, X_KEYS, aged, owner_of, place, pretend
from tests.characters.stage import Stage, drawn, see_through

__all__ = ["stage"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def real(stage: Stage, settings: Any) -> Stage:
    pretend(settings, stage)
    return stage


@pytest.fixture
def kai() -> Character:
    return someone("Kai", **X_KEYS)


@pytest.fixture
def luna() -> Character:
    return owner_of()


def told(kind: Kind = Kind.ACCOUNT) -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in Event.objects.filter(kind=kind).order_by("pk")]


def posted(character: Character, platform: Platform = Platform.X, words: str = "Hello") -> Any:
    image = images.add(character.pk, drawn(320, 400))
    return posting.start(character, Intention(platform, words, image_id=image.pk, force=True))


def test_credits_that_are_gone_are_told_once_and_that_it_goes_on_too(stage: Stage, kai: Character) -> None:
    stage.order("x", "tweet.credits", times=2)
    post = posted(kai)
    for _ in range(3):
        due(post)
        over(post.account)
        over(standing.of(post.account).app)
    assert told() == [
        (
            "warn",
            "X: The X developer account has no credits left; every account of this X app waits for that.",
        ),
        ("ok", "X: It posts again."),
    ]
    event = Event.objects.filter(kind=Kind.ACCOUNT).first()
    assert event and (event.service, event.names_a_job) == ("X credits", False)


def test_a_quota_that_is_reached_is_told_with_the_account(stage: Stage, luna: Character) -> None:
    standing.hold(place(luna).key, timezone.now() + timedelta(hours=9), "No more posts today.", "9/2207042")
    standing.hold(place(luna).key, timezone.now() + timedelta(hours=9), "No more posts today.", "9/2207042")
    assert told() == [("warn", "Instagram of Luna: No more posts today.")]


def test_a_hold_of_minutes_is_not_worth_a_line(luna: Character) -> None:
    standing.hold(place(luna).key, timezone.now() + timedelta(minutes=9), "Limit reached.", "rate_limit")
    standing.free(place(luna).key)
    assert told() == []


def test_keys_that_are_refused_and_the_pause_are_told_by_the_worker(stage: Stage, kai: Character) -> None:
    stage.order("x", "tweet.read_only", times=3)
    for number in range(3):
        see_through(posted(kai, words=f"Number {number}").job_id)
    [refused, paused] = told()
    assert (refused[0], paused[0]) == ("bad", "bad")
    assert refused[1].startswith("X of Kai: ") and "generate the access token again" in refused[1]
    assert paused[1].startswith("X of Kai: Paused until somebody resumes it: ")


def test_a_token_the_daily_check_finds_refused_is_told_and_when_it_is_taken_again(
    stage: Stage, luna: Character
) -> None:
    stage.order("instagram", "me.token_revoked")
    for _ in range(3):
        AccountStanding.objects.update(checked_at=None)
        attending.look(timezone.now())
        for job in Job.objects.filter(state=JobState.QUEUED):
            see_through(job.pk)
    assert [level for level, _ in told()] == ["bad", "ok"]
    assert told()[1][1] == "Instagram of Luna: The account is taken again."


def test_a_token_that_is_renewed_is_told(stage: Stage, luna: Character) -> None:
    aged(luna, stage)
    attending.look(timezone.now())
    [job] = Job.objects.filter(kind="renew_token")
    see_through(job.pk)
    [(level, text)] = told(Kind.JOB)
    assert level == Level.OK
    assert text.startswith("Renew token for Luna: The token was renewed; it ends on ")


def test_a_token_that_can_not_be_renewed_is_told_once(stage: Stage) -> None:
    luna = owner_of(TOKEN.replace("IGAA", "EAA"))
    aged(luna, stage)
    for _ in range(2):
        attending.look(timezone.now())
        AccountStanding.objects.update(refresh_tried_at=None)
    [(level, text)] = told()
    assert level == "warn"
    assert text.startswith("Instagram of Luna: The token ends soon and could not be renewed: ")
    assert "INSTAGRAM_APP_ID" in text


def test_a_renewal_that_fails_is_told_by_its_job(stage: Stage, luna: Character) -> None:
    aged(luna, stage)
    stage.order("instagram", "refresh.token_revoked")
    attending.look(timezone.now())
    see_through(Job.objects.get(kind="renew_token").pk)
    [(level, text)] = told(Kind.JOB)
    assert (level, "removed the app" in text) == (Level.BAD, True)


def test_whoever_listens_keeps_no_account_from_being_paused(
    luna: Character, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(**_: object) -> None:
        raise RuntimeError("no")

    happenings.happened.connect(breaks)
    try:
        standing.refused(place(luna).key, refusal(4, 2207051))
    finally:
        happenings.happened.disconnect(breaks)
    assert standing.of(place(luna).key).is_paused
    assert "could not be told" in caplog.text


def test_an_account_in_the_sandbox_is_named_as_such() -> None:
    mei = someone("Mei")
    standing.pause(f"sandbox:x:{mei.pk}", "looks_automated", "X takes the posting for automated.")
    [(_, text)] = told()
    assert text.startswith("X of Mei (sandbox): Paused")
