"""Nobody knows whether it went out: the platform is asked, the text sent once more, a person asked last."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from characters.publishing import accounts, ledger, services
from characters.publishing.models import Attempt, MediaLink, Post, PostState
from characters.publishing.pace import pace
from influencer.clients.instagram import Instagram
from influencer.errors import Conflict, Invalid
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.stage import Died, Stage, attempt, doom, see_through, take_over

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = ["error_after", "reset_after", "timeout_after"]
BEFORE = ["error_before", "reset_before", "timeout_before"]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second without an answer is silence."""
    monkeypatch.setitem(accounts.publisher.__kwdefaults__, "seconds", 0.5)


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


def seconds_until(job: Job) -> float:
    return (job.until - timezone.now()).total_seconds()


def steps(post: Post) -> list[str]:
    """What was called, without those before publishing and what a poll repeats."""
    names = list(Attempt.objects.filter(post=post).values_list("step", flat=True))
    return [name for name in names if name in {"publish", "look_up"}]


# --- its answer was lost, and it is there ----------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", AFTER)
def test_a_post_whose_answer_was_lost_is_found_and_never_sent_again(
    stage: Stage, start: Any, hasty: None, platform: str, fault: str
) -> None:
    stage.order(platform, fault)
    post = start(platform, f"Found {fault}")
    ended(post, PostState.PUBLISHED)
    [there] = stage.posts(platform)
    assert post.remote_id == there["id"]
    assert post.permalink
    assert stage.publish_calls(platform) == 1
    assert steps(post) == ["publish", "look_up"]


def test_it_is_asked_about_after_5_20_and_60_seconds(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post, times = start("x"), []
    for _ in range(3):
        times.append(seconds_until(waits(post, "following")))
    assert times == [pytest.approx(seconds, abs=1) for seconds in (5, 15, 40)]


def test_while_the_platform_is_asked_the_job_says_so_and_can_not_be_cancelled(
    stage: Stage, start: Any
) -> None:
    stage.order("x", "error_before")
    post = start("x")
    waiting = waits(post, "following")
    assert waiting.message == "Asking X whether the post exists"
    assert post.state == PostState.PUBLISHING
    with pytest.raises(Conflict) as caught:
        jobs.cancel(post.job_id)
    assert caught.value.code == "too_late"


def test_a_timeline_that_lags_is_asked_again(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x")
    for _ in range(2):
        waits(post, "following")
    stage.control("POST", "limits", {"x_timeline_lag": 0})
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls("x") == 1


def test_a_text_x_shows_with_other_signs_and_short_links_is_found(stage: Stage, start: Any) -> None:
    stage.order("x", "error_after")
    post = start("x", "Cafe\u0301 & <tea> at https://example.com/a?b=1  👩‍👩‍👧")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("influencer.clients.x._post", _without_its_media(patch))
        ended(post, PostState.PUBLISHED)
    assert post.remote_id == stage.posts("x")[0]["id"]


def _without_its_media(_patch: Any) -> Any:
    from dataclasses import replace

    from influencer.clients import x

    real = x._post
    return lambda row: replace(real(row), media_keys=())


def test_another_post_of_the_ledger_is_never_taken_for_it(stage: Stage, start: Any) -> None:
    """Two captions that differ by their link are one text to a look-up; X takes both."""
    first = start("x", "New today https://example.com/1")
    ended(first, PostState.PUBLISHED)
    stage.order("x", "error_before")
    second = start("x", "New today https://example.com/2", force=True)
    ended(second, PostState.PUBLISHED)
    assert first.remote_id != second.remote_id
    assert len(stage.posts("x")) == 2


# --- it did not get through ------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", BEFORE)
def test_a_post_that_did_not_get_through_is_sent_once_more(
    stage: Stage, start: Any, hasty: None, platform: str, fault: str
) -> None:
    stage.order(platform, fault)
    post = start(platform, f"Lost {fault}")
    ended(post, PostState.PUBLISHED)
    assert (len(stage.posts(platform)), stage.publish_calls(platform)) == (1, 2)
    assert steps(post) == ["publish", *["look_up"] * len(pace().looks), "publish"]


def test_x_refuses_what_it_has_already_and_then_it_is_found(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x")
    for _ in range(4):  # three looks, the last of them followed by the same text once more
        waits(post, "following")
    assert steps(post) == ["publish", *["look_up"] * 3, "publish"]
    stage.control("POST", "limits", {"x_timeline_lag": 0})
    ended(post, PostState.PUBLISHED)
    assert (len(stage.posts("x")), stage.publish_calls("x")) == (1, 2)
    assert post.remote_id == stage.posts("x")[0]["id"]


def test_an_answer_that_was_heard_but_never_kept_is_an_open_outcome_too(stage: Stage, start: Any) -> None:
    """The log says "ok", the post has no id: X refusing the second one does not make it fail."""
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    post = start("x")
    with doom(ledger, "accept", "before", number=3), pytest.raises(Died):
        see_through(post.job_id)
    take_over(post.job_id)
    for _ in range(4):
        attempt(post.job_id)
    assert stage.publish_calls("x") == 2, "sent once more, and refused as a duplicate"
    stage.control("POST", "limits", {"x_timeline_lag": 0})
    ended(post, PostState.PUBLISHED)
    assert [there["id"] for there in stage.posts("x")] == [post.remote_id]


def test_what_x_says_it_has_but_never_shows_is_unknown(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x")
    job = ended(post, PostState.UNKNOWN)
    assert "has this text already" in job.error["message"]
    assert (len(stage.posts("x")), stage.publish_calls("x")) == (1, 2)


def test_x_is_sent_the_same_text_once_more_and_not_a_third_time(stage: Stage, start: Any) -> None:
    stage.order("x", "error_before", times=2)
    post = start("x")
    ended(post, PostState.UNKNOWN)
    assert (len(stage.posts("x")), stage.publish_calls("x")) == (0, 2)


def test_a_post_without_words_is_not_sent_again_as_x_would_take_it_twice(stage: Stage, unknown: Post) -> None:
    job = jobs.get(unknown.job_id)
    assert (unknown.state, unknown.error["code"]) == (PostState.UNKNOWN, "outcome_unknown")
    assert (job.error["code"], job.error["retryable"]) == ("outcome_unknown", False)
    assert job.error["fix"] == "Look at the account before anything is tried again."
    assert steps(unknown) == ["publish", *["look_up"] * 3]
    with pytest.raises(Conflict) as caught:
        jobs.retry(job.pk)
    assert caught.value.code == "outcome_unknown"


def test_instagram_is_certain_and_fails_a_post_it_never_publishes(stage: Stage, start: Any) -> None:
    stage.order("instagram", "error_before", times=0)
    post = start("instagram")
    job = ended(post, PostState.FAILED)
    assert (job.error["code"], job.error["retryable"]) == ("not_published", True)
    assert (stage.posts("instagram"), stage.publish_calls("instagram")) == ([], 5)
    assert stage.log("instagram", "POST", "/media") == 1, "the same container each time"
    stage.clear_faults()
    jobs.retry(job.pk)
    ended(post, PostState.PUBLISHED)


def test_a_container_that_expired_meanwhile_is_made_anew(stage: Stage, start: Any) -> None:
    stage.order("instagram", "error_before")
    post = start("instagram")
    while post.state != PostState.PUBLISHING:
        waits(post, "following")
    stage.control("POST", "clock", {"advance": 25 * 3600})
    ended(post, PostState.PUBLISHED)
    assert (len(stage.posts("instagram")), stage.log("instagram", "POST", "/media")) == (1, 2)


# --- the second call is refused --------------------------------------------------------------


@pytest.mark.parametrize("fault", ["tweet.rate", "tweet.credits", "quota"])
def test_a_limit_at_the_second_call_says_nothing_about_the_first(
    stage: Stage, start: Any, fault: str
) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x")
    for _ in range(3):
        waits(post, "following")
    stage.order("x", fault)
    job = attempt(post.job_id)
    assert job.reason in {"quota", "rate limit"}
    post.refresh_from_db()
    assert post.state == PostState.PUBLISHING
    stage.control("POST", "limits", {"x_timeline_lag": 0})
    ended(post, PostState.PUBLISHED)
    assert len(stage.posts("x")) == 1


def test_a_limit_put_off_does_not_use_up_the_second_call(stage: Stage, start: Any) -> None:
    stage.order("x", "error_before")
    post = start("x")
    for _ in range(3):
        waits(post, "following")
    stage.order("x", "tweet.rate")
    attempt(post.job_id)
    ended(post, PostState.PUBLISHED)
    assert (len(stage.posts("x")), stage.publish_calls("x")) == (1, 3)


def test_keys_refused_at_the_second_call_leave_the_first_unknown(stage: Stage, start: Any) -> None:
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x")
    for _ in range(3):
        waits(post, "following")
    stage.order("x", "tweet.read_only")
    ended(post, PostState.UNKNOWN)
    assert (len(stage.posts("x")), stage.publish_calls("x")) == (1, 2)


def test_a_container_instagram_refuses_is_asked_about_before_another_is_made(
    stage: Stage, start: Any
) -> None:
    """ "Does not exist" may also be its word for a container it has published already."""
    post = start("instagram")
    real = Instagram.publish

    def published_and_refused(self: Instagram, container: str) -> Any:
        real(self, container)
        return real(self, container)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Instagram, "publish", published_and_refused)
        ended(post, PostState.PUBLISHED)
    assert (len(stage.posts("instagram")), stage.log("instagram", "POST", "/media")) == (1, 1)


# --- it can't be asked -----------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_that_can_not_even_be_asked_leaves_it_unknown(
    stage: Stage, start: Any, platform: str
) -> None:
    ended(unasked(stage, start, platform), PostState.UNKNOWN)
    assert stage.publish_calls(platform) == len(stage.posts(platform)) == 1


def unasked(stage: Stage, start: Any, platform: str) -> Post:
    """It went out, its answer was lost, and no question is answered any more."""
    post = start(platform)
    stage.order(platform, "error_after")
    while post.state != PostState.PUBLISHING:
        waits(post, "following")
    question = "status" if platform == "instagram" else "me"
    stage.order(platform, f"{question}.error_before", times=0)
    return post


def test_a_question_put_off_is_asked_later_and_counts_for_nothing(stage: Stage, start: Any) -> None:
    stage.order("x", "error_after")
    post = start("x")
    waits(post, "following")
    stage.order("x", "me.credits")
    waits(post, "quota")
    assert post.state == PostState.PUBLISHING
    ended(post, PostState.PUBLISHED)
    assert stage.publish_calls("x") == 1


def test_what_is_out_but_not_listed_yet_is_unknown_with_these_words(stage: Stage, start: Any) -> None:
    stage.order("instagram", "error_after")
    post = start("instagram")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Instagram, "recent", lambda self, limit=5: [])
        job = ended(post, PostState.UNKNOWN)
    assert "says it is out, but not which" in job.error["message"]
    assert stage.publish_calls("instagram") == 1


# --- settling what is unknown ----------------------------------------------------------------


def test_somebody_who_looked_says_that_it_is_published(unknown: Post) -> None:
    post = services.resolve(unknown.pk, published=True, permalink="https://x.com/i/web/status/1")
    assert (post.state, post.permalink, post.error) == ("published", "https://x.com/i/web/status/1", None)
    assert (post.remote_id, post.published_at is not None) == ("1", True)


def test_somebody_who_looked_says_that_it_is_not_and_leaves_it(stage: Stage, unknown: Post) -> None:
    post = services.resolve(unknown.pk, published=False)
    assert (post.state, post.error["code"]) == ("failed", "not_published")
    assert jobs.get(post.job_id).error["code"] == "not_published"
    assert stage.publish_calls("x") == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_somebody_who_looked_has_it_posted_after_all(stage: Stage, start: Any, platform: str) -> None:
    post = unasked(stage, start, platform)
    ended(post, PostState.UNKNOWN)
    stage.clear_faults()
    stage.control("DELETE", "posts")
    assert services.resolve(post.pk, published=False, retry=True).state == PostState.RESERVED
    ended(post, PostState.PUBLISHED)
    assert len(stage.posts(platform)) == 1


def test_somebody_who_looked_and_did_not_see_it_is_put_right_by_x(stage: Stage, start: Any) -> None:
    post = unasked(stage, start, "x")
    ended(post, PostState.UNKNOWN)
    stage.clear_faults()
    services.resolve(post.pk, published=False, retry=True)
    ended(post, PostState.PUBLISHED)
    [there] = stage.posts("x")
    assert (post.remote_id, stage.publish_calls("x")) == (there["id"], 2)


def test_only_an_unknown_outcome_can_be_settled(unknown: Post) -> None:
    services.resolve(unknown.pk, published=True)
    with pytest.raises(Conflict) as caught:
        services.resolve(unknown.pk, published=False)
    assert caught.value.code == "not_unknown"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "x.com/1", "https://x.com/" + "1" * 300, "ftp://x.com/1"]
)
def test_a_link_that_is_no_web_address_is_refused(unknown: Post, link: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.resolve(unknown.pk, published=True, permalink=link)
    assert "permalink" in caught.value.fields
    unknown.refresh_from_db()
    assert unknown.state == PostState.UNKNOWN
