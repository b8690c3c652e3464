"""Refusals, limits and crashes: said or waited for, and never posted twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.publishing import accounts, delivery
from characters.publishing.models import Attempt, MediaLink, Post, PostState
from influencer.clients.instagram import Instagram
from influencer.clients.x import X
from influencer.jobs import Wait, sweep
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.stage import Died, Stage, attempt, doom, see_through, take_over

pytestmark = pytest.mark.django_db(transaction=True)

DECISIVE = {"instagram": (Instagram, "publish"), "x": (X, "create_post")}


def ended(post: Post, state: PostState) -> Job:
    job = see_through(post.job_id)
    post.refresh_from_db()
    assert post.state == state, (post.error, job.error)
    assert job.state == (JobState.SUCCEEDED if state == PostState.PUBLISHED else JobState.FAILED)
    assert not MediaLink.objects.filter(revoked_at=None).exists()
    return job


def waits(post: Post, reason: str) -> Job:
    job = attempt(post.job_id)
    assert (job.state, job.reason) == (JobState.WAITING, reason), job.as_json()
    post.refresh_from_db()
    return job


def until(job: Job) -> float:
    """Seconds from now."""
    return (job.until - timezone.now()).total_seconds()


# --- the worker dies -------------------------------------------------------------------------


def die(post: Post, owner: Any, name: str, when: str) -> None:
    with doom(owner, name, when), pytest.raises(Died):
        see_through(post.job_id)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_worker_that_dies_after_the_decisive_call_costs_no_second_post(
    stage: Stage, start: Any, platform: str
) -> None:
    post = start(platform)
    die(post, *DECISIVE[platform], "after")
    assert Post.objects.get().state == PostState.PUBLISHING
    take_over(post.job_id)
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls(platform) == len(stage.posts(platform)) == 1
    assert post.remote_id == stage.posts(platform)[0]["id"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_worker_that_dies_right_before_the_decisive_call_costs_nothing_but_time(
    stage: Stage, start: Any, platform: str
) -> None:
    post = start(platform)
    die(post, *DECISIVE[platform], "before")
    take_over(post.job_id)
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls(platform) == len(stage.posts(platform)) == 1


EARLIER = {
    "before the container": ("instagram", Instagram, "create_container", "before"),
    "after the container": ("instagram", Instagram, "create_container", "after"),
    "while it is processed": ("instagram", Instagram, "container_status", "after"),
    "before the upload": ("x", X, "upload", "before"),
    "after the upload": ("x", X, "upload", "after"),
    "before the link": ("x", X, "permalink", "before"),
    "after the link": ("instagram", Instagram, "permalink", "after"),
    "before the first state": ("x", delivery, "_commit_before", "before"),
}


@pytest.mark.parametrize("point", EARLIER)
def test_a_worker_that_dies_elsewhere_costs_nothing(stage: Stage, start: Any, point: str) -> None:
    platform, owner, name, when = EARLIER[point]
    post = start(platform)
    die(post, owner, name, when)
    take_over(post.job_id)
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls(platform) == len(stage.posts(platform)) == 1
    assert post.permalink


def test_a_call_whose_answer_died_with_the_worker_stays_open_in_the_log(stage: Stage, start: Any) -> None:
    post = start("x")
    die(post, X, "upload", "after")
    take_over(post.job_id)
    ended(post, PostState.PUBLISHED)
    uploads = Attempt.objects.filter(post=post, step="upload")
    assert [entry.open for entry in uploads] == [True, False]


def test_what_may_have_gone_out_stays_unknown_when_the_character_is_deleted_meanwhile(
    stage: Stage, start: Any, luna: Character
) -> None:
    post = start("x")
    die(post, X, "create_post", "after")
    characters.delete(luna.pk)
    take_over(post.job_id)
    job = ended(post, PostState.UNKNOWN)
    assert job.error["code"] == "outcome_unknown"
    assert "There is no character" in job.error["message"]


def test_a_job_that_ends_without_its_handler_leaves_an_open_outcome_unknown(stage: Stage, start: Any) -> None:
    post = start("x")
    die(post, X, "create_post", "after")
    past = timezone.now() - timedelta(minutes=2)
    Job.objects.filter(pk=post.job_id).update(crashes=10, lease_until=past)
    sweep.requeue_orphans(timezone.now())
    post.refresh_from_db()
    assert (post.state, post.error["code"]) == (PostState.UNKNOWN, "worker_died")
    jobs.retry(post.job_id)
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls("x") == 1


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_expired_token_fails_with_the_fix_and_a_retry_goes_on_where_it_stopped(
    stage: Stage, start: Any, platform: str
) -> None:
    stage.order(platform, f"{'publish' if platform == 'instagram' else 'tweet'}.token_expired")
    post = start(platform)
    job = ended(post, PostState.FAILED)
    code = {"instagram": "190/463", "x": "unauthorized"}[platform]
    assert (job.error["code"], job.error["step"], job.error["retryable"]) == (code, "publish", False)
    fix = {"instagram": "Reconnect the account", "x": "Check the four keys"}[platform]
    assert job.error["fix"].startswith(fix)
    assert post.error["fix"] == job.error["fix"]
    prepared = dict(post.remote_ids)
    assert prepared
    jobs.retry(job.pk)
    ended(post, PostState.PUBLISHED)
    assert prepared.items() <= post.remote_ids.items()
    assert len(stage.posts(platform)) == 1


@pytest.mark.parametrize(
    ("platform", "fault", "code"),
    [
        ("instagram", "spam", "4/2207051"),
        ("instagram", "restricted", "25/2207050"),
        ("x", "duplicate", "duplicate"),
    ],
)
def test_a_refusal_for_good_fails_at_once(
    stage: Stage, start: Any, platform: str, fault: str, code: str
) -> None:
    stage.order(platform, fault)
    job = ended(start(platform), PostState.FAILED)
    assert job.error["code"] == code
    assert job.error["fix"]


@pytest.mark.parametrize(
    ("platform", "fault", "reason", "seconds"),
    [
        ("instagram", "quota", "quota", 3600),
        ("instagram", "publish.rate", "rate limit", 19 * 60),
        ("x", "quota", "quota", 86_400),
        ("x", "tweet.rate", "rate limit", 900),
        ("x", "tweet.credits", "quota", 3600),
        ("x", "tweet.spend_cap", "quota", None),
    ],
)
def test_a_limit_is_waited_for_and_then_the_post_goes_out_once(
    stage: Stage, start: Any, platform: str, fault: str, reason: str, seconds: int | None
) -> None:
    stage.order(platform, fault)
    post = start(platform)
    waiting = waits_at_the_end(post, reason)
    assert post.state == PostState.PREPARED
    if seconds:
        assert until(waiting) == pytest.approx(seconds, abs=15)
    ended(post, PostState.PUBLISHED)
    assert len(stage.posts(platform)) == 1


def waits_at_the_end(post: Post, reason: str) -> Job:
    """Through the waits for the picture to the one for the limit."""
    for _ in range(20):
        job = attempt(post.job_id)
        if job.reason != "following":
            break
    assert (job.state, job.reason) == (JobState.WAITING, reason), job.as_json()
    post.refresh_from_db()
    return job


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_post_that_waits_for_its_quota_can_still_be_cancelled(
    stage: Stage, start: Any, platform: str
) -> None:
    stage.order(platform, "quota")
    post = start(platform)
    waits_at_the_end(post, "quota")
    jobs.cancel(post.job_id)
    post.refresh_from_db()
    assert (post.state, post.error["code"]) == (PostState.FAILED, "cancelled")
    assert stage.posts(platform) == []


# --- the picture -----------------------------------------------------------------------------


def test_a_picture_instagram_could_not_use_is_sent_in_a_new_container(stage: Stage, start: Any) -> None:
    stage.order("instagram", "container_error")
    post = start("instagram")
    ended(post, PostState.PUBLISHED)
    assert stage.log("instagram", "POST", "/media") == 2
    assert stage.publish_calls("instagram") == 1


def test_a_picture_instagram_can_never_use_fails_after_three_containers(stage: Stage, start: Any) -> None:
    stage.order("instagram", "container_error", times=0)
    ended(start("instagram"), PostState.FAILED)
    assert stage.log("instagram", "POST", "/media") == 3
    assert stage.publish_calls("instagram") == 0


def test_a_picture_that_is_never_ready_is_sent_once_more_and_then_given_up(stage: Stage, start: Any) -> None:
    stage.order("instagram", "never_ready", times=0)
    post = start("instagram")
    job = ended(post, PostState.FAILED)
    assert (job.error["code"], job.error["retryable"]) == ("never_ready", True)
    assert stage.log("instagram", "POST", "/media") == 2
    stage.clear_faults()
    jobs.retry(job.pk)
    ended(post, PostState.PUBLISHED)


def test_a_picture_that_takes_a_while_is_asked_for_again(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"instagram_ready_seconds": 400 * 3600})
    post = start("instagram")
    waiting = waits(post, "following")
    assert waiting.message == "Instagram is processing the image"
    assert post.state == PostState.PREPARED
    links = MediaLink.objects.filter(revoked_at=None).count()
    waits(post, "following")
    assert links == MediaLink.objects.filter(revoked_at=None).count() == 1
    assert stage.log("instagram", "POST", "/media") == 1
    stage.control("POST", "clock", {"advance": 3600})
    ended(post, PostState.PUBLISHED)


def test_a_container_that_expired_while_waiting_is_made_anew(stage: Stage, start: Any) -> None:
    stage.order("instagram", "quota")
    post = start("instagram")
    waits_at_the_end(post, "quota")
    stage.control("POST", "clock", {"advance": 25 * 3600})
    ended(post, PostState.PUBLISHED)
    assert stage.log("instagram", "POST", "/media") == 2
    assert len(stage.posts("instagram")) == 1


def test_an_upload_x_no_longer_has_is_made_again(stage: Stage, start: Any) -> None:
    stage.order("x", "quota")
    post = start("x")
    waits_at_the_end(post, "quota")
    stage.control("POST", "clock", {"advance": 25 * 3600})
    ended(post, PostState.PUBLISHED)
    assert stage.log("x", "POST", "/upload") == 2
    assert len(stage.posts("x")) == 1


def test_an_image_that_can_not_be_fetched_is_said_with_what_to_check(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery.links, "create", lambda post, jpeg: "http://192.168.0.9/m/x.jpg")
    job = ended(start("instagram"), PostState.FAILED)
    assert job.error["code"] == "9004/2207052"
    assert "could not fetch the image" in job.error["message"]
    assert "opens from outside" in job.error["fix"]
    assert stage.log("instagram", "POST", "/media") == 2


# --- before the decisive call, trying again is safe ------------------------------------------


@pytest.mark.parametrize(
    ("platform", "call"), [("instagram", "container"), ("instagram", "status"), ("x", "upload")]
)
@pytest.mark.parametrize("fault", ["error_before", "reset_after", "html"])
def test_trouble_before_the_decisive_call_is_tried_again(
    stage: Stage, start: Any, platform: str, call: str, fault: str
) -> None:
    stage.order(platform, f"{call}.{fault}")
    post = start(platform)
    waits(post, "backoff")
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls(platform) == len(stage.posts(platform)) == 1


def test_trouble_that_does_not_end_fails_the_post(stage: Stage, start: Any) -> None:
    stage.order("x", "upload.error_before", times=0)
    job = ended(start("x"), PostState.FAILED)
    assert job.error["code"] == "out_of_order"
    assert stage.publish_calls("x") == 0


def test_alt_text_x_does_not_take_is_tried_again(stage: Stage, start: Any) -> None:
    stage.order("x", "alt_text.error_before")
    ended(start("x", alt_text="A woman"), PostState.PUBLISHED)
    assert stage.posts("x")[0]["pictures"][0]["alt"] == "A woman"


@pytest.mark.parametrize("fault", ["permalink.error_before", "permalink.html"])
def test_a_link_that_can_not_be_read_does_not_fail_a_post_that_is_out(
    stage: Stage, start: Any, fault: str
) -> None:
    stage.order("instagram", fault, times=0)
    post = start("instagram")
    ended(post, PostState.PUBLISHED)
    assert (post.permalink, bool(post.remote_id)) == ("", True)


def test_a_service_that_can_not_be_reached_at_the_decisive_call_did_not_get_it(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = start("x")
    real = accounts.publisher

    def unplugged(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        if Post.objects.get().remote_ids.get("alt_text"):
            found._base_url = "http://127.0.0.1:9"
        return found

    monkeypatch.setattr(accounts, "publisher", unplugged)
    monkeypatch.setattr(delivery, "next_step", _one_a_turn(delivery.next_step))
    for _ in range(2):
        attempt(post.job_id)
    waiting = waits(post, "backoff")
    assert "can't be reached" in waiting.message
    assert post.state == PostState.PREPARED
    monkeypatch.undo()
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls("x") == 1


def _one_a_turn(real: Any) -> Any:
    """One step in each attempt: the client is built anew for the next."""
    seen: list[dict[str, str]] = []

    def step(steps: Any, ids: dict[str, str]) -> Any:
        if ids and ids not in seen:
            seen.append(dict(ids))
            raise Wait(timezone.now(), "following")
        return real(steps, ids)

    return step


# --- the account changes ---------------------------------------------------------------------


def test_a_post_for_an_account_that_changed_meanwhile_is_not_sent_to_the_other(
    stage: Stage, start: Any, luna: Character, settings: Any
) -> None:
    post = start("x")
    Character.objects.change(luna.pk, _with_keys)
    job = ended(post, PostState.FAILED)
    assert job.error["code"] == "account_changed"
    assert stage.publish_calls("x") == 0


def _with_keys(record: Character) -> None:
    for name in ("twitter_app_key", "twitter_app_secret", "twitter_access_token", "twitter_access_secret"):
        setattr(record, name, "12345-a-key-of-its-own")


def test_a_sandbox_that_stopped_is_said_and_a_retry_posts(data_dir: Any, stage: Stage, start: Any) -> None:
    run_file = data_dir / "run" / "sandbox.json"
    facts = run_file.read_text()
    run_file.unlink()
    post = start("x")
    job = ended(post, PostState.FAILED)
    assert (job.error["code"], post.error["code"]) == ("sandbox_down", "sandbox_down")
    run_file.write_text(facts)
    jobs.retry(job.pk)
    ended(post, PostState.PUBLISHED)
