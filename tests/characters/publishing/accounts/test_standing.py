"""Held, paused, resumed: what an account's standing says, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from characters.publishing.accounts import standing
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Answer, Call, PlatformError
from influencer.clients.x_errors import problem
from influencer.clients.x_errors import rule_for as x_rule_for
from influencer.errors import Conflict
from tests.characters.publishing.course import refusal

pytestmark = pytest.mark.django_db

KEY = "instagram:17841400000000000"


def in_minutes(minutes: float) -> object:
    return timezone.now() + timedelta(minutes=minutes)


def test_an_account_nobody_knows_anything_of_is_open() -> None:
    standing.require_open(KEY)
    assert standing.held_until(KEY) is None
    assert not standing.of(KEY).is_paused
    assert not AccountStanding.objects.exists()


def test_a_hold_lasts_until_its_time() -> None:
    later = in_minutes(15)
    standing.hold(KEY, later, "X's limit of requests is reached.", "rate_limit")
    assert standing.held_until(KEY) == later
    assert standing.of(KEY).hold_reason == "X's limit of requests is reached."
    standing.require_open(KEY)


def test_of_two_holds_the_longer_one_stays() -> None:
    longer = in_minutes(60)
    standing.hold(KEY, longer, "No credits left.", "credits")
    standing.hold(KEY, in_minutes(15), "Limit reached.", "rate_limit")
    assert (standing.held_until(KEY), standing.of(KEY).hold_code) == (longer, "credits")


def test_a_hold_whose_time_has_come_is_none() -> None:
    standing.hold(KEY, in_minutes(-1), "Limit reached.", "rate_limit")
    assert standing.held_until(KEY) is None


def test_an_account_that_works_again_waits_for_nothing() -> None:
    standing.hold(KEY, in_minutes(60), "No credits left.", "credits")
    standing.free(KEY)
    assert (standing.held_until(KEY), standing.of(KEY).hold_reason) == (None, "")


def test_a_success_ends_the_hold_and_the_count() -> None:
    standing.refused(KEY, refusal(190))
    standing.hold(KEY, in_minutes(60), "No credits left.", "credits")
    standing.worked(KEY)
    row = standing.of(KEY)
    assert (row.refusals, row.held_until) == (0, None)


def test_two_refusals_of_the_token_pause_nothing() -> None:
    standing.refused(KEY, refusal(190, 463))
    standing.refused(KEY, refusal(190, 463))
    assert not standing.of(KEY).is_paused


def test_the_third_refusal_of_the_token_pauses_the_account() -> None:
    for _ in range(3):
        standing.refused(KEY, refusal(190, 463))
    with pytest.raises(Conflict, match=r"paused: The token has expired.*Resume it") as refused:
        standing.require_open(KEY)
    assert (refused.value.code, refused.value.details) == ("account_paused", {"reason": "190/463"})


def test_a_success_between_them_starts_the_count_again() -> None:
    for _ in range(2):
        standing.refused(KEY, refusal(190))
    standing.worked(KEY)
    standing.refused(KEY, refusal(190))
    assert not standing.of(KEY).is_paused


@pytest.mark.parametrize(("code", "subcode"), [(4, 2207051), (25, 2207050), (368, None)])
def test_a_restriction_pauses_the_account_at_once_for_a_day(code: int, subcode: int | None) -> None:
    standing.refused(KEY, refusal(code, subcode))
    row = standing.of(KEY)
    assert row.is_paused
    assert row.resume_after == row.paused_at + timedelta(hours=24)


def test_x_taking_the_posting_for_automated_pauses_the_account() -> None:
    answer = problem(403, {"detail": "This request looks automated."})
    standing.refused("x:1", PlatformError(x_rule_for(answer), Call("X", "post"), Answer(403)))
    assert standing.of("x:1").pause_code == "looks_automated"


@pytest.mark.parametrize(("code", "subcode"), [(4, None), (36003, 2207009), (2, None)])
def test_other_refusals_say_nothing_about_the_account(code: int, subcode: int | None) -> None:
    for _ in range(4):
        standing.refused(KEY, refusal(code, subcode))
    assert not standing.of(KEY).is_paused


def test_the_first_reason_for_a_pause_stays() -> None:
    standing.pause(KEY, "25/2207050", "Instagram has restricted the account.")
    standing.pause(KEY, "190", "Instagram refused the token.")
    assert standing.of(KEY).pause_code == "25/2207050"


def test_a_resumed_account_is_open_and_counts_from_0() -> None:
    for _ in range(3):
        standing.refused(KEY, refusal(190))
    assert standing.resume(KEY).refusals == 0
    standing.require_open(KEY)


def test_an_account_that_should_rest_is_resumed_only_by_one_who_is_sure() -> None:
    standing.refused(KEY, refusal(4, 2207051))
    with pytest.raises(Conflict, match="rest for 24 h") as early:
        standing.resume(KEY)
    assert early.value.code == "too_early"
    assert not standing.resume(KEY, sure=True).is_paused


def test_an_account_that_is_not_paused_cannot_be_resumed() -> None:
    with pytest.raises(Conflict, match="not paused"):
        standing.resume(KEY)


def test_days_are_counted_as_a_person_does() -> None:
    now = timezone.now()
    days = [
        AccountStanding(key=KEY, expires_at=now + timedelta(hours=hours)).days_left
        for hours in (140, 24.5, 1, -1)
    ]
    assert days == [6, 2, 1, 0]
    assert AccountStanding(key=KEY).days_left is None
