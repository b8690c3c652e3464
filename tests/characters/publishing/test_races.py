"""Two workers, a person and a crash in each other's way: one post, and a ledger that tells the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.exceptions import TimeoutException

from characters import services as characters
from characters.models import Character
from characters.publishing import ledger, posting, running, services
from characters.publishing.models import MediaLink, Post, PostState
from influencer.clients.instagram import Instagram
from influencer.clients.x import X
from influencer.errors import Conflict, Problem
from influencer.jobs import services as jobs
from influencer.jobs import sweep
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.stage import Died, Stage, attempt, doom, see_through, take_over

pytestmark = pytest.mark.django_db(transaction=True)

DECISIVE = {"instagram": (Instagram, "publish"), "x": (X, "create_post")}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, platform: str, deed: Callable[[], None], *, first: bool
) -> None:
    """A worker stands still right before its decisive call, or with the answer, while `deed` happens."""
    owner, name = DECISIVE[platform]
    real, stood = getattr(owner, name), []

    def call(self: Any, *args: Any, **more: Any) -> Any:
        if stood:
            return real(self, *args, **more)
        stood.append(True)
        if first:
            deed()
        try:
            return real(self, *args, **more)
        finally:
            if not first:
                deed()

    monkeypatch.setattr(owner, name, call)


def by_another_worker(post: Post) -> Callable[[], None]:
    """Its lease runs out and another worker sees the post through."""

    def deed() -> None:
        past = timezone.now() - timedelta(minutes=2)
        Job.objects.filter(pk=post.job_id).update(lease_until=past)
        take_over(post.job_id)
        see_through(post.job_id)

    return deed


def published(stage: Stage, post: Post) -> None:
    post.refresh_from_db()
    [there] = stage.posts(post.platform)
    assert (post.state, post.remote_id) == (PostState.PUBLISHED, there["id"])
    assert jobs.get(post.job_id).state == JobState.SUCCEEDED


# --- two workers -----------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_frozen_worker_that_is_refused_leaves_the_others_post_published(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    post = start(platform)
    meanwhile(monkeypatch, platform, by_another_worker(post), first=True)
    with suppress(AssertionError):
        see_through(post.job_id)
    published(stage, post)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_frozen_worker_that_was_first_does_not_undo_what_the_other_found(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    post = start(platform)
    meanwhile(monkeypatch, platform, by_another_worker(post), first=False)
    see_through(post.job_id)
    published(stage, post)
    assert stage.publish_calls(platform) == 1


def test_what_the_platform_has_answered_counts_though_the_lease_is_lost(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = start("x")

    def lose() -> None:
        Job.objects.filter(pk=post.job_id).update(owner="default:other:1:b")

    meanwhile(monkeypatch, "x", lose, first=False)
    attempt(post.job_id)
    post.refresh_from_db()
    assert (post.state, post.remote_id) == (PostState.PUBLISHED, stage.posts("x")[0]["id"])
    take_over(post.job_id)
    see_through(post.job_id)
    published(stage, post)
    assert stage.publish_calls("x") == 1


def test_it_counts_even_after_the_post_was_given_up_as_unknown(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    post = start("x")
    meanwhile(monkeypatch, "x", by_another_worker(post), first=False)
    attempt(post.job_id)
    see_through(post.job_id)
    published(stage, post)
    assert post.permalink


def test_the_lease_is_looked_at_once_more_right_before_the_decisive_call(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, renewals = start("x"), []
    real = JobContext.renew

    def renew(self: JobContext) -> None:
        renewals.append(Post.objects.get().state)
        if renewals.count("publishing") == 1:
            Job.objects.filter(pk=post.job_id).update(owner="default:other:1:b")
        real(self)

    monkeypatch.setattr(JobContext, "renew", renew)
    attempt(post.job_id)
    assert stage.publish_calls("x") == 0


# --- a person and a worker -------------------------------------------------------------------


def unknown_by_a_crash(start: Any, platform: str = "x") -> Post:
    """The worker died with the answer, five times, and the job was given up without asking."""
    post = start(platform)
    with doom(*DECISIVE[platform], "after"), pytest.raises(Died):
        see_through(post.job_id)
    Job.objects.filter(pk=post.job_id).update(crashes=10, lease_until=timezone.now() - timedelta(minutes=2))
    sweep.requeue_orphans(timezone.now())
    post.refresh_from_db()
    assert post.state == PostState.UNKNOWN
    return post


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_post_somebody_found_there_is_not_sent_again_by_a_retry_of_its_job(
    stage: Stage, start: Any, platform: str
) -> None:
    post = unknown_by_a_crash(start, platform)
    services.resolve(post.pk, published=True)
    with suppress(Problem):
        jobs.retry(post.job_id)
    see_through(post.job_id)
    post.refresh_from_db()
    assert post.state == PostState.PUBLISHED
    assert len(stage.posts(platform)) == stage.publish_calls(platform) == 1


def closed_but_not_ended(start: Any, state: PostState) -> Post:
    """The ledger has its last word and the job has not: another worker will take it up."""
    post = start("x")
    jobs_row = Job.objects.filter(pk=post.job_id)
    jobs_row.update(state=JobState.RUNNING, owner="default:dead:1:a", step="publish")
    Post.objects.filter(pk=post.pk).update(state=state, publishing_at=timezone.now())
    post.refresh_from_db()
    return post


@pytest.mark.parametrize("published", [True, False])
def test_what_is_still_asked_about_can_not_be_settled(stage: Stage, start: Any, published: bool) -> None:
    post = closed_but_not_ended(start, PostState.UNKNOWN)
    with pytest.raises(Conflict) as caught:
        services.resolve(post.pk, published=published)
    assert caught.value.code == "still_asking"
    post.refresh_from_db()
    assert post.state == PostState.UNKNOWN


def test_a_post_left_alone_can_be_sent_later_by_retrying_its_job(stage: Stage, start: Any) -> None:
    stage.order("x", "error_before", times=0)
    post = start("x")
    see_through(post.job_id)
    stage.clear_faults()
    services.resolve(post.pk, published=False)
    jobs.retry(post.job_id)
    see_through(post.job_id)
    published(stage, post)


# --- a crash at the end ----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "cancelled", None])
def test_a_post_whose_job_has_ended_without_it_is_closed_by_the_sweeper(
    start: Any, state: str | None
) -> None:
    post = start("x")
    if state:
        error = {"code": "internal", "message": "Something went wrong inside.", "fix": "Retry."}
        Job.objects.update(state=state, error=error)
    else:
        Job.objects.all().delete()
    running.sweep(timezone.now())
    post.refresh_from_db()
    assert post.state == PostState.FAILED
    assert post.error["code"] == {"failed": "internal", "cancelled": "cancelled", None: "job_lost"}[state]


def test_one_that_may_have_gone_out_is_unknown_then(start: Any) -> None:
    post = start("x")
    Post.objects.update(state=PostState.PUBLISHING)
    Job.objects.all().delete()
    running.sweep(timezone.now())
    post.refresh_from_db()
    assert post.state == PostState.UNKNOWN


def test_the_sweeper_leaves_posts_at_work_alone(start: Any) -> None:
    post = start("x")
    running.sweep(timezone.now())
    post.refresh_from_db()
    assert post.state == PostState.RESERVED


def test_post_and_job_end_together(stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.order("x", "tweet.token_expired")
    post, seen = start("x"), []
    real = JobContext.fail

    def fail(self: JobContext, error: dict[str, Any]) -> None:
        seen.append(Post.objects.get().state)
        real(self, error)

    monkeypatch.setattr(JobContext, "fail", fail)
    see_through(post.job_id)
    assert (seen, Post.objects.get().state) == (["prepared"], PostState.FAILED)


# --- the same intention twice ----------------------------------------------------------------


def test_of_two_that_see_no_earlier_one_the_key_lets_only_one_in(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start("x", nonce="n")
    monkeypatch.setattr(posting, "_known", lambda key: None)
    assert start("x", nonce="n", force=True).pk == first.pk
    assert (Post.objects.count(), Job.objects.count()) == (1, 1)


# --- the worker stumbles ---------------------------------------------------------------------


@pytest.mark.parametrize("stumble", [OperationalError("database is locked"), TimeoutException("too long")])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_answer_that_can_not_be_kept_is_asked_for_again(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch, platform: str, stumble: Exception
) -> None:
    post, real, stood = start(platform), ledger.accept, []

    def accept(job: JobContext, post: Post, ids: dict[str, str]) -> None:
        if "remote_id" in ids and not stood:
            stood.append(True)
            raise stumble
        real(job, post, ids)

    monkeypatch.setattr(ledger, "accept", accept)
    see_through(post.job_id)
    published(stage, post)
    assert stage.publish_calls(platform) == 1


def test_a_fault_that_does_not_end_leaves_it_unknown(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(X, "create_post", locked)
    monkeypatch.setattr(X, "look_up", locked)
    post = start("x")
    job = see_through(post.job_id)
    post.refresh_from_db()
    assert (job.state, post.state) == (JobState.FAILED, PostState.UNKNOWN)


def test_a_post_that_is_out_is_done_though_its_account_has_changed_meanwhile(
    stage: Stage, start: Any, luna: Character
) -> None:
    post = start("instagram")
    with doom(Instagram, "permalink", "before"), pytest.raises(Died):
        see_through(post.job_id)
    characters.delete(luna.pk)
    take_over(post.job_id)
    published(stage, post)
    assert not MediaLink.objects.filter(revoked_at=None).exists()


# --- the same meanwhile ----------------------------------------------------------------------


def test_a_failed_post_is_not_tried_again_once_the_same_has_gone_out(stage: Stage, start: Any) -> None:
    stage.order("x", "upload.refuse", message="No.")
    earlier = start("x")
    see_through(earlier.job_id)
    later = start("x")
    see_through(later.job_id)
    with pytest.raises(Conflict) as refusal:
        services.retry(earlier.pk)
    assert (refusal.value.code, refusal.value.details["postId"]) == ("duplicate", later.pk)
    jobs.retry(earlier.job_id)  # by the job's own page
    assert see_through(earlier.job_id).error["code"] == "duplicate"
    assert len(stage.posts("x")) == 1


def test_one_meant_to_be_the_same_again_can_be_tried_again(stage: Stage, start: Any) -> None:
    see_through(start("instagram").job_id)
    stage.order("instagram", "container.refuse", code=100)
    again = start("instagram", force=True)
    see_through(again.job_id)
    services.retry(again.pk)
    see_through(again.job_id)
    again.refresh_from_db()
    assert (again.state, len(stage.posts("instagram"))) == (PostState.PUBLISHED, 2)
