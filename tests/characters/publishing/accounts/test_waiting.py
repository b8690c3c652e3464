"""Quota, limits and credits: the account's posts wait as the platform says, and go on one first."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import posting
from characters.publishing.accounts import standing, waiting
from characters.publishing.models import Attempt, Post, PostState
from characters.publishing.posting import Intention
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.jobs import Wait, worker
from influencer.jobs import services as jobs
from influencer.jobs.models import OPEN, Job, JobState
from tests.characters.people import someone
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.publishing.course import due, over
from tests.characters.stage import Stage, attempt, drawn, see_through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(start: Any) -> list[Post]:
    return [start("x", f"Number {number}", force=True) for number in range(3)]


# --- credits gone ----------------------------------------------------------------------------


def test_without_credits_every_post_of_the_account_waits_and_says_why(
    stage: Stage, three: list[Post]
) -> None:
    stage.order("x", "credits", times=0)
    for post in three:
        job = due(post)
        assert (job.state, job.reason) == (JobState.WAITING, "quota")
        assert job.message == "The X developer account has no credits left."
        assert 3590 < (job.until - timezone.now()).total_seconds() < 3610
    assert (stage.log("x", "GET", "/users/me"), stage.log("x", "POST", "/upload")) == (1, 0), "asked once"


def test_when_the_time_is_over_one_post_tries_it_and_the_others_wait_for_that(
    stage: Stage, three: list[Post]
) -> None:
    stage.order("x", "credits", times=0)
    for post in three:
        due(post)
    over(three[0].account)
    asked = stage.log("x", "GET", "/users/me")
    states = [due(post) for post in three]
    assert stage.log("x", "GET", "/users/me") == asked + 1
    assert [job.reason for job in states] == ["quota"] * 3


def test_when_one_gets_through_the_others_follow_at_once(stage: Stage, three: list[Post]) -> None:
    stage.order("x", "upload.credits")
    for post in three:
        due(post)
    over(three[0].account)
    assert due(three[0]).state == JobState.SUCCEEDED
    assert standing.of(three[0].account).held_until is None
    assert [due(post).state for post in three[1:]] == [JobState.SUCCEEDED] * 2
    assert stage.publish_calls("x") == 3


def test_a_person_who_bought_credits_need_not_wait(stage: Stage, three: list[Post]) -> None:
    stage.order("x", "upload.credits")
    for post in three:
        due(post)
    assert waiting.release(three[0].account) == 3
    assert due(three[0]).state == JobState.SUCCEEDED


def test_waiting_spends_no_tries(stage: Stage, start: Any) -> None:
    stage.order("x", "tweet.credits", times=12)
    post = start("x")
    job = see_through(post.job_id)
    assert job.state == JobState.SUCCEEDED, job.error
    assert not (job.memo.get("tries") or {})


def test_another_account_does_not_wait(stage: Stage, three: list[Post], start: Any) -> None:
    stage.order("x", "upload.credits")
    due(three[0])
    post = start("instagram", "Elsewhere", force=True)
    assert see_through(post.job_id).state == JobState.SUCCEEDED


def test_a_post_that_waits_for_its_account_can_be_cancelled(stage: Stage, three: list[Post]) -> None:
    stage.order("x", "credits", times=0)
    due(three[0])
    due(three[1])
    jobs.cancel(three[1].job_id)
    three[1].refresh_from_db()
    assert (three[1].state, three[1].error["code"]) == (PostState.FAILED, "cancelled")


def test_a_container_that_was_not_published_waits_too_when_its_account_is_held(
    stage: Stage, start: Any
) -> None:
    stage.order("instagram", "error_before")
    post = start("instagram")
    for _ in range(10):
        attempt(post.job_id)
        post.refresh_from_db()
        if Attempt.objects.filter(post=post, step="look_up").count() == 2:
            break
    standing.hold(post.account, timezone.now() + timedelta(hours=1), "The limit is reached", "4")
    Job.objects.update(not_before=timezone.now())
    job = due(post)
    assert (job.state, job.reason, job.message) == (JobState.WAITING, "rate limit", "The limit is reached")
    assert (post.state, stage.publish_calls("instagram")) == (PostState.PREPARED, 1)
    assert jobs.cancel(post.job_id).state == JobState.CANCELLED


def test_a_paused_account_posts_nothing_and_says_why(stage: Stage, start: Any) -> None:
    post = start("x")
    standing.pause(post.account, "token", "The keys were refused three times")
    job = see_through(post.job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "account_paused")
    standing.resume(post.account)
    jobs.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert stage.publish_calls("x") == 1


def test_three_refusals_of_the_keys_pause_the_account(stage: Stage, three: list[Post]) -> None:
    stage.order("x", "tweet.read_only", times=3)
    for post in three:
        see_through(post.job_id)
    assert standing.of(three[0].account).is_paused


# --- Instagram's 24 hours --------------------------------------------------------------------


@pytest.fixture
def full(stage: Stage, start: Any) -> tuple[Post, Post]:
    """Instagram allows one post in 24 h: one that is out, and the one after it, which was refused."""
    stage.control("POST", "limits", {"instagram_quota": 1})
    first, second = (start("instagram", f"Number {number}", force=True) for number in range(2))
    assert see_through_due(first).state == JobState.SUCCEEDED
    assert see_through_due(second).reason == "quota"
    return first, second


def test_a_used_up_quota_is_waited_for_until_the_oldest_post_leaves_the_24_hours(
    stage: Stage, full: tuple[Post, Post]
) -> None:
    job = jobs.get(full[1].job_id)
    out_since = stage.posts("instagram")[0]["created"]
    words = "The account has published as many posts as Instagram allows in 24 h (code 9/2207042)."
    assert job.message == words
    assert job.until.timestamp() == pytest.approx(min(out_since + 86_400, _tomorrow()), abs=60)
    known = standing.of(full[0].account)
    assert (known.held_until, known.posts_left) == (job.until, 0)
    assert abs(known.quota_until - job.until) < timedelta(seconds=60)
    assert stage.publish_calls("instagram") == 2


def _tomorrow() -> float:
    """The stand-in's clock runs ahead; ours is what a hold is counted by."""
    return (timezone.now() + timedelta(days=1)).timestamp()


def test_when_the_time_has_come_the_quota_is_asked_before_anything_is_published(
    stage: Stage, full: tuple[Post, Post]
) -> None:
    over(full[0].account)
    job = due(full[1])
    assert (job.state, job.reason) == (JobState.WAITING, "quota")
    assert (job.until - timezone.now()).total_seconds() > 3600, "not every hour"
    assert stage.publish_calls("instagram") == 2, "nothing is published in vain"
    stage.control("POST", "clock", {"advance": 86_400})
    over(full[0].account)
    for _ in range(10):
        if see_through_due(full[1]).is_final:
            break
        over(full[0].account)
    full[1].refresh_from_db()
    assert full[1].state == PostState.PUBLISHED
    assert len(stage.posts("instagram")) == 2


# --- one after the other ---------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_posts_of_one_account_keep_their_distance(
    stage: Stage, start: Any, settings: Any, platform: str
) -> None:
    settings.PUBLISHING = {"gap": 60}
    first, second = (start(platform, f"Number {number}", force=True) for number in range(2))
    see_through_due(first)
    job = see_through_due(second)
    first.refresh_from_db()
    assert (job.state, job.reason) == (JobState.WAITING, "rate limit")
    name = first.get_platform_display()
    assert job.message == f"Leaves 60 s between posts on {name}"
    assert job.until == first.publishing_at + timedelta(seconds=60)
    assert (first.state, second.state) == (PostState.PUBLISHED, PostState.PREPARED)
    jobs.cancel(second.job_id)
    assert len(stage.posts(platform)) == 1


def test_one_that_waited_for_another_to_begin_sees_that_it_has(
    start: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLISHING = {"gap": 60}
    first, second = (start("x", f"Number {number}", force=True) for number in range(2))
    real = waiting._locked

    def locked_late(account: str) -> AccountStanding:
        Post.objects.filter(pk=first.pk).update(publishing_at=timezone.now())
        return real(account)

    monkeypatch.setattr(waiting, "_locked", locked_late)
    with pytest.raises(Wait), transaction.atomic():
        waiting.take_turn(second)


def see_through_due(post: Post) -> Job:
    """Attempts through the waits for the picture, up to any other."""
    for _ in range(20):
        Job.objects.filter(pk=post.job_id, reason="following").update(not_before=timezone.now())
        job = due(post)
        if job.reason != "following":
            return job
    raise AssertionError(str(job))


def test_what_x_says_is_used_up_is_not_asked_for_again_before_its_time(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_posts_per_window": 1})
    first, second = (start("x", f"Number {number}", force=True) for number in range(2))
    see_through_due(first)
    job = see_through_due(second)
    assert (job.state, job.reason) == (JobState.WAITING, "rate limit")
    assert job.message == "What X allows for now is as good as used up"
    assert 880 < (job.until - timezone.now()).total_seconds() < 910
    assert stage.publish_calls("x") == 1


# --- fifty at once ---------------------------------------------------------------------------

ACCOUNTS, EACH = 10, 5
GAP = 0.5


@pytest.fixture
def fifty(stage: Stage) -> list[Post]:
    """Five posts on each of ten accounts, half of them on X, due at the same minute."""
    people = [
        someone(name=f"Person {number}", instagram_handle="", twitter_handle="") for number in range(10)
    ]
    minute, made = timezone.now().replace(second=0, microsecond=0), []
    for number, person in enumerate(people):
        image, platform = images.add(person.pk, drawn(320, 400)), Platform(PLATFORMS[number % 2])
        for which in range(EACH):
            made.append(_at(minute, person, image, Intention(platform, f"{person.pk} says {which}")))
    return made


def _at(minute: Any, person: Character, image: Image, intention: Intention) -> Post:
    from dataclasses import replace

    return posting.start(person, replace(intention, image_id=image.pk, force=True, due_at=minute))


def test_fifty_posts_at_the_same_minute_on_ten_accounts_go_out_once_each_at_each_ones_pace(
    stage: Stage, fifty: list[Post], settings: Any
) -> None:
    settings.PUBLISHING = {"gap": GAP}
    workers = [threading.Thread(target=_work_until_done) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert Counter(Post.objects.values_list("state", flat=True)) == {PostState.PUBLISHED: ACCOUNTS * EACH}
    for platform in PLATFORMS:
        there = stage.posts(platform)
        ours = Post.objects.filter(platform=platform)
        assert {post["id"]: post["text"] for post in there} == dict(ours.values_list("remote_id", "caption"))
        assert (len(there), stage.publish_calls(platform)) == (25, 25)
        times: dict[str, list[float]] = {}
        for post in sorted(there, key=lambda post: post["seq"]):
            times.setdefault(post["account"], []).append(post["created"])
        assert [len(each) for each in times.values()] == [EACH] * 5
    for account in Post.objects.order_by().values_list("account", flat=True).distinct():
        begun = sorted(Post.objects.filter(account=account).values_list("publishing_at", flat=True))
        gaps = [(later - earlier).total_seconds() for earlier, later in zip(begun, begun[1:], strict=False)]
        assert min(gaps) >= GAP, account


def _work_until_done() -> None:
    """A worker and a clock in one: whatever is due is taken, until nothing is open."""
    try:
        while ids := list(Job.objects.filter(state__in=OPEN).values_list("pk", flat=True)):
            now = timezone.now()
            Job.objects.filter(state=JobState.WAITING, not_before__lte=now).update(state=JobState.QUEUED)
            for job_id in ids:
                worker.run(job_id)
    finally:
        connection.close()
