"""What characters share: one account with a token each, and one X app with an account each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.publishing import accounts, posting
from characters.publishing.accounts import attending, connection, standing, tokens, wording
from characters.publishing.checks import asking, preflight
from characters.publishing.checks.checklist import Proposal
from characters.publishing.models import Post
from characters.publishing.posting import Intention
from characters.publishing.standing_models import AccountStanding, OtherToken
from influencer.clients.platform import Platform
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.people import someone
from tests.characters.publishing.course import due, over, refusal
from tests.characters.publishing.realm import ID, TOKEN, X_KEYS, enter, owner_of, place, pretend
from tests.characters.stage import Stage, drawn, see_through

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = f"IGAA-{ID}-second"


@pytest.fixture(autouse=True)
def real(stage: Stage, settings: Any) -> Stage:
    pretend(settings, stage)
    return stage


@pytest.fixture
def luna() -> Character:
    return owner_of(TOKEN)


@pytest.fixture
def twin() -> Character:
    return owner_of(OTHER, "Twin")


def known(character: Character) -> AccountStanding:
    found = place(characters.get(character.pk)).standing
    assert found is not None
    return found


def check(character: Character, platform: Platform = Platform.INSTAGRAM) -> connection.Checked:
    return connection.check(characters.get(character.pk), platform)


# --- one account, two tokens -----------------------------------------------------------------


def test_each_token_of_an_account_is_known_by_itself(luna: Character, twin: Character) -> None:
    check(luna)
    seen = timezone.now() - timedelta(days=20)
    AccountStanding.objects.update(token_since=seen, scopes=["instagram_business_content_publish"])
    before = known(luna)
    check(twin)
    check(luna)
    assert (known(luna).token_since, known(luna).scopes) == (seen, before.scopes)
    assert known(twin).token_since > seen
    assert (known(twin).scopes, known(twin).username) == ([], known(luna).username)


def test_a_token_that_is_refused_breaks_nothing_for_the_other(
    stage: Stage, luna: Character, twin: Character
) -> None:
    check(luna)
    stage.order("instagram", "me.token_revoked")
    check(twin)
    assert [place(one).chip for one in (luna, twin)] == [("ok", "ok"), ("broken", "bad")]


def test_the_clock_checks_each_token_and_resets_none(luna: Character, twin: Character) -> None:
    for _ in range(4):
        attending.look(timezone.now())
        for job in Job.objects.filter(state=JobState.QUEUED):
            see_through(job.pk)
    assert Job.objects.filter(kind="check_account").count() == 2
    assert known(luna).last_ok_at and known(twin).last_ok_at


def test_each_token_is_renewed_and_takes_its_own_place(
    stage: Stage, luna: Character, twin: Character
) -> None:
    for one in (luna, twin):
        accounts.publisher(one, place(one)).account()
        tokens.note(one, place(one))
    stage.control("POST", "clock", {"advance": 51 * 86_400})
    entered = timezone.now() - timedelta(days=51)
    facts = {"token_since": entered, "expires_at": entered + tokens.LIFE, "checked_at": timezone.now()}
    AccountStanding.objects.update(**facts)
    OtherToken.objects.update(**facts)
    for _ in range(2):
        attending.look(timezone.now())
        for job in Job.objects.filter(state=JobState.QUEUED):
            assert see_through(job.pk).state == JobState.SUCCEEDED
        OtherToken.objects.filter(refreshed_at=None).update(refresh_tried_at=None)
    held = [characters.get(one.pk).instagram_api_key.reveal() for one in (luna, twin)]
    assert held == [TOKEN.replace("IGAA", "IGAA.r1"), OTHER.replace("IGAA", "IGAA.r1")]
    assert [(known(one).days_left, known(one).expiry_known) for one in (luna, twin)] == [(60, True)] * 2


def test_another_token_begins_anew_and_the_other_character_s_stays(luna: Character, twin: Character) -> None:
    check(luna)
    check(twin)
    enter(twin, f"IGAA-{ID}-third")
    check(twin)
    assert OtherToken.objects.count() == 1, "nobody has the second token any more"
    enter(twin, TOKEN)
    enter(luna, f"IGAA-{ID}-fourth")
    check(luna)
    assert known(twin).last_ok_at and known(luna).last_ok_at
    assert known(twin).token_mark != known(luna).token_mark


def test_a_token_nobody_has_any_more_keeps_the_account_from_nothing(luna: Character, twin: Character) -> None:
    for one in (luna, twin):
        check(one)
    enter(luna, OTHER)
    attending.look(timezone.now())
    assert not OtherToken.objects.exists()
    assert known(luna).token_mark == known(twin).token_mark == accounts.mark_of(twin, Platform.INSTAGRAM)
    for _ in range(3):
        standing.refused(place(luna).key, refusal(190), known(luna).token_mark)
    assert known(twin).is_paused


def test_an_account_is_paused_only_when_all_its_tokens_are_refused(luna: Character, twin: Character) -> None:
    marks = []
    for one in (luna, twin):
        check(one)
        marks.append(known(one).token_mark)
    key = place(luna).key
    for _ in range(4):
        standing.refused(key, refusal(190), marks[1])
    assert not standing.of(key).is_paused
    assert (known(luna).refusals, known(twin).refusals) == (0, 4)
    for _ in range(3):
        standing.refused(key, refusal(190), marks[0])
    assert standing.of(key).is_paused
    standing.resume(key)
    assert (known(luna).refusals, known(twin).refusals) == (0, 0)


def test_a_refusal_that_names_the_end_puts_the_estimate_right(luna: Character) -> None:
    check(luna)
    assert known(luna).days_left == 60
    standing.refused(place(luna).key, refusal(190, 463))
    assert known(luna).has_expired


# --- one X app, two accounts -----------------------------------------------------------------


def on_x(name: str, number: int, **keys: str) -> Character:
    return someone(name, **{**X_KEYS, "twitter_access_token": f"{number}-real", **keys})


def posts_of(*people: Character) -> list[Post]:
    made = []
    for one in people:
        image = images.add(one.pk, drawn(320, 400))
        made.append(posting.start(one, Intention(Platform.X, f"{one.name} says hello", image_id=image.pk)))
    return made


@pytest.fixture
def kai() -> Character:
    return on_x("Kai", 2244994945)


@pytest.fixture
def mei() -> Character:
    return on_x("Mei", 2244994946)


def noted(*people: Character) -> None:
    for one in people:
        tokens.note(one, place(one, Platform.X))


REASON = "The X developer account has no credits left; every account of this X app waits for that."


def test_without_credits_every_account_of_the_app_waits_for_the_one_reason(
    stage: Stage, kai: Character, mei: Character
) -> None:
    noted(kai, mei)
    stage.order("x", "credits", times=0)
    waiting = [due(post) for post in posts_of(kai, mei)]
    assert [(job.state, job.reason, job.message) for job in waiting] == [
        (JobState.WAITING, "quota", REASON)
    ] * 2
    assert waiting[0].until == waiting[1].until
    assert stage.log("x", "GET", "/users/me") == 1, "only the first has asked"
    for one in (kai, mei):
        assert place(one, Platform.X).chip == ("waits", "warn")
        [trouble] = wording.troubles(place(one, Platform.X))
        assert trouble.message == f"Waiting: {REASON}"
        assert trouble.fix.startswith("Buy credits in the X developer console")


def test_when_the_time_is_over_one_tries_it_and_all_go_on_together(
    stage: Stage, kai: Character, mei: Character
) -> None:
    noted(kai, mei)
    stage.order("x", "tweet.credits")
    first, second = posts_of(kai, mei)
    due(first)
    assert due(second).reason == "quota"
    over(standing.of(first.account).app)
    assert due(first).state == JobState.SUCCEEDED
    assert due(second).state == JobState.SUCCEEDED, "woken by the first"
    assert standing.of(second.account).held_until is None
    assert place(mei, Platform.X).chip != ("waits", "warn")


def test_another_app_has_credits_of_its_own(stage: Stage, kai: Character) -> None:
    zoe = on_x("Zoe", 2244994947, twitter_app_key="another-app")
    noted(kai, zoe)
    first, second = posts_of(kai, zoe)
    stage.order("x", "tweet.credits")
    due(first)
    assert due(second).state == JobState.SUCCEEDED


def test_a_check_that_is_answered_lets_all_try_again(stage: Stage, kai: Character, mei: Character) -> None:
    noted(kai, mei)
    stage.order("x", "tweet.credits")
    first, second = posts_of(kai, mei)
    due(first)
    due(second)
    assert check(mei, Platform.X).level == "ok"
    assert not standing.of(first.account).held()
    assert [jobs.get(post.job_id).state for post in (first, second)] == [JobState.QUEUED] * 2
    assert [due(post).state for post in (second, first)] == [JobState.SUCCEEDED] * 2


def test_a_check_without_credits_says_so_with_the_fix_and_holds_the_app(
    stage: Stage, kai: Character, mei: Character
) -> None:
    noted(kai, mei)
    stage.order("x", "credits", times=0)
    checked = check(kai, Platform.X)
    assert (checked.level, checked.message) == ("warn", "The X developer account has no credits left.")
    assert "Buy credits" in checked.fix
    assert standing.of(place(mei, Platform.X).key).held()
    image = images.add(kai.pk, drawn(320, 400))
    lines = preflight.checks(Proposal(kai, place(kai, Platform.X), image, "Hello"))
    [said] = [line for line in lines if line.code == "credits"]
    assert said.title == "The X developer account has no credits left"
    assert said.detail.startswith("Buy credits in the X developer console")
    assert not [line for line in lines if line.code == "not_asked"]


def test_a_platform_that_could_not_be_asked_is_told_with_its_reason(stage: Stage, kai: Character) -> None:
    stage.order("x", "me.error_before", times=0)
    proposal = Proposal(kai, place(kai, Platform.X), images.add(kai.pk, drawn(320, 400)), "Hello")
    asking.ask(proposal)
    [line] = [line for line in asking.lines(proposal) if line.code == "not_asked"]
    assert line.title == "X could not be asked"
    assert line.detail.startswith("X is out of order for the moment.")
