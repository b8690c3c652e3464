"""A run: prompt → image → caption → publish, against the stand-ins; what survives, what is given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from characters.images import generation
from characters.images import services as images
from characters.images.models import Image
from characters.models import Character, Narrative
from characters.publishing import accounts, posting
from characters.publishing.accounts import standing
from characters.publishing.models import Post, PostState
from influencer.clients.comfyui import Pace
from influencer.clients.comfyui import follow as following
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState, JobStep
from prompts import claiming
from prompts.models import Prompt
from scheduling import children, delivering, review, runs
from scheduling.models import Task
from tests.characters.people import someone
from tests.characters.stage import Died, Stage, attempt, doom, drawn, sandbox_at, see_through, take_over
from tests.prompts.library import prompt as in_library
from tests.scheduling.plans import a_task

pytestmark = pytest.mark.django_db
TO_X = "generate_and_post_to_twitter"


@pytest.fixture(autouse=True)
def eager(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOBS = {"look": 0, "progress": 0}
    monkeypatch.setattr(following, "Pace", lambda: Pace(tick=0.02, look=0.05, look_while_live=0.1))


@pytest.fixture
def stage(data_dir: Path) -> Iterator[Stage]:
    with sandbox_at(data_dir) as stage:
        yield stage


@pytest.fixture
def luna() -> Character:
    return someone(width=128, height=128, steps=4, base_prompt="portrait of luna_character")


def start(task: Task) -> Job:
    """Begin a run as the clock does."""
    job = runs.start(task, due=timezone.now())
    runs.record(task, timezone.now(), runs.FiredState.FIRED, job_id=job.pk)
    return job


def run(task: Task) -> Job:
    return see_through(start(task).pk)


def steps(job: Job) -> dict[str, str]:
    return dict(JobStep.objects.filter(job=job).values_list("name", "state"))


def failure(job: Job) -> str:
    assert job.state == JobState.FAILED, job.as_json()
    assert job.error is not None
    return str(job.error["code"])


def post() -> Post:
    return Post.objects.get()


def until_review(task: Task) -> Job:
    job = start(task)
    for _ in range(50):
        for other in Job.objects.exclude(reason="review").filter(state__in=("queued", "waiting")):
            attempt(other.pk)
        job.refresh_from_db()
        if job.reason == "review" or job.is_final:
            return job
    raise AssertionError(job.as_json())


# --- the plain success --------------------------------------------------------------------------


def test_generate_only_ends_with_an_image(stage: Stage, luna: Character) -> None:
    job = run(a_task(config={"prompt": "by the sea"}, character=luna))
    assert job.state == JobState.SUCCEEDED, job.error
    image = Image.objects.get()
    assert job.result is not None and job.result["imageIds"] == [image.pk]
    assert image.prompt == "portrait of luna_character, by the sea"
    assert steps(job) == {
        "prompt": "succeeded",
        "image": "succeeded",
        "caption": "skipped",
        "publish": "skipped",
    }
    assert not Post.objects.exists()
    assert job.message == "Made an image"


def test_generate_and_post_goes_out_with_its_words(stage: Stage, luna: Character) -> None:
    config = {"prompt": "by the sea", "caption": "The tide. #sea", "altText": "Luna at the shore"}
    job = run(a_task(type=TO_X, config=config, character=luna))
    assert job.state == JobState.SUCCEEDED, job.error
    assert set(steps(job).values()) == {"succeeded"}
    assert (post().state, post().caption, post().alt_text) == (
        PostState.PUBLISHED,
        "The tide. #sea",
        "Luna at the shore",
    )
    assert job.result is not None
    assert (job.result["postIds"], job.result["permalinks"]) == ([post().pk], [post().permalink])
    assert len(stage.posts("x")) == 1
    assert job.message == "Posted to X in the sandbox"


def test_the_config_has_the_last_word_on_where_and_how(stage: Stage, luna: Character) -> None:
    config = {
        "postToInstagram": False,
        "postToTwitter": True,
        "steps": 6,
        "seed": 11,
        "customPrompt": "at dusk",
    }
    run(a_task(type="generate_and_post", config=config, character=luna))
    image = Image.objects.get()
    assert (post().platform, image.seed, image.recipe["steps"]) == ("x", 11, 6)
    assert "at dusk" in image.prompt


def test_a_post_takes_one_image_in_a_posts_shape(stage: Stage) -> None:
    kai = someone("Kai", steps=4)
    run(a_task(type=TO_X, config={"prompt": "a train", "count": 3}, character=kai))
    image = Image.objects.get()
    assert round(image.width / image.height, 1) == 0.8


def test_the_words_that_stand_in_a_task_are_meant_to_come_again(
    stage: Stage, luna: Character, monkeypatch: Any
) -> None:
    monkeypatch.setattr(delivering, "SPACE", timedelta())
    task = a_task(type=TO_X, config={"prompt": "by the sea", "caption": "Good morning"}, character=luna)
    for _ in range(2):
        run(task)
    assert Post.objects.count() == 2, "X itself refuses the same words again; we don't"


def test_an_approved_image_is_posted_and_then_the_next(
    stage: Stage, luna: Character, monkeypatch: Any
) -> None:
    monkeypatch.setattr(delivering, "SPACE", timedelta())
    ids = [images.add(luna.pk, drawn(colour=colour)).pk for colour in ("teal", "pink")]
    task = a_task(
        type="post_approved",
        config={"imageIds": ["img_gone", *ids], "postToInstagram": False, "postToTwitter": True},
        character=luna,
    )
    for expected in ids:
        job = run(task)
        assert job.result is not None and job.result["imageIds"] == [expected], job.error
    assert failure(run(task)) == "no_approved_image"


# --- where the prompt comes from -----------------------------------------------------------------


def library_task(luna: Character, **fields: Any) -> Task:
    return a_task(**{"type": TO_X, "config": {"promptSource": "library"}, "character": luna, **fields})


def test_a_library_prompt_is_used_with_its_own_words(stage: Stage, luna: Character) -> None:
    kept = in_library("at the old well", character_id=luna.pk, caption="Listen.", alt_text="A well")
    job = run(library_task(luna))
    assert (post().caption, post().alt_text) == ("Listen.", "A well")
    kept.refresh_from_db()
    assert (kept.used, kept.used_by, kept.image_ids) == (True, job.pk, [Image.objects.get().pk])
    assert kept.used_at is not None
    assert failure(run(library_task(luna))) == "no_unused_prompt"


def test_two_runs_never_take_the_same_prompt(stage: Stage, luna: Character) -> None:
    for number in range(2):
        in_library(f"scene {number}", character_id=luna.pk)
    first, second = (start(library_task(luna)) for _ in range(2))
    for job in (first, second):
        attempt(job.pk)
    taken = {jobs.get(job.pk).memo["prompt_id"] for job in (first, second)}
    assert len(taken) == 2
    assert set(Prompt.objects.values_list("used_by", flat=True)) == {first.pk, second.pk}


def test_a_run_that_dies_right_after_taking_its_prompt_gets_the_same_again(
    stage: Stage, luna: Character
) -> None:
    for number in range(2):
        in_library(f"scene {number}", character_id=luna.pk)
    job = start(library_task(luna))
    with doom(claiming, "claim", "after"), pytest.raises(Died):
        attempt(job.pk)
    take_over(job.pk)
    assert Prompt.objects.filter(used_by=job.pk).count() == 1


def test_a_run_that_ends_unpublished_gives_its_prompt_back(
    stage: Stage, luna: Character, django_capture_on_commit_callbacks: Any
) -> None:
    kept = in_library("at the old well", character_id=luna.pk)
    job = start(library_task(luna))
    attempt(job.pk)
    assert Prompt.objects.get(pk=kept.pk).used_by == job.pk
    with django_capture_on_commit_callbacks(execute=True):
        jobs.cancel(job.pk)
        attempt(job.pk)
    assert jobs.get(job.pk).state == JobState.CANCELLED
    assert Prompt.objects.get(pk=kept.pk).is_free


def test_a_prompt_is_not_given_back_when_its_post_may_be_out(
    stage: Stage, luna: Character, django_capture_on_commit_callbacks: Any
) -> None:
    kept = in_library("at the old well", character_id=luna.pk)
    stage.order("x", "error_after", times=9)
    with django_capture_on_commit_callbacks(execute=True):
        job = run(library_task(luna))
    assert job.state == JobState.SUCCEEDED or failure(job) == "outcome_unknown"
    assert Prompt.objects.get(pk=kept.pk).used


def test_a_prompt_held_by_a_job_that_died_is_free_again(stage: Stage, luna: Character) -> None:
    kept = in_library("at the old well", character_id=luna.pk, used_by="job_of_long_ago")
    job = start(library_task(luna))
    attempt(job.pk)
    assert Prompt.objects.get(pk=kept.pk).used_by == job.pk


def test_a_retry_takes_its_prompt_again_or_says_that_it_is_gone(
    stage: Stage, luna: Character, django_capture_on_commit_callbacks: Any
) -> None:
    kept = in_library("at the old well", character_id=luna.pk)
    job = until_review(library_task(luna, approval="review"))
    with django_capture_on_commit_callbacks(execute=True):
        review.reject(job.pk)
    jobs.retry(job.pk)
    attempt(job.pk)
    assert Prompt.objects.get(pk=kept.pk).used_by == job.pk
    with django_capture_on_commit_callbacks(execute=True):
        review.reject(job.pk)
    claiming.mark_used(kept.pk, by="another")
    jobs.retry(job.pk)
    assert failure(attempt(job.pk)) == "prompt_taken"


def test_a_narrative_prompt_tells_of_the_chapter_of_today(stage: Stage, luna: Character) -> None:
    story = "Luna finds a crystal in the river. The crystal hums at night."
    Narrative.objects.create(character=luna, title="The Crystal Quest", description=story)
    job = run(a_task(config={"promptSource": "narrative"}, character=luna))
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.memo["prompt"]


def test_without_a_chapter_a_narrative_prompt_is_refused(stage: Stage, luna: Character) -> None:
    assert failure(run(a_task(config={"promptSource": "narrative"}, character=luna))) == "no_narrative"


def test_a_caption_is_written_where_one_is_asked_for(stage: Stage, luna: Character) -> None:
    run(a_task(type=TO_X, config={"prompt": "by the sea", "generateCaption": True}, character=luna))
    assert post().caption
    assert post().alt_text


# --- what is refused, and when -----------------------------------------------------------------


def test_what_would_refuse_the_post_is_found_before_an_image_is_made(luna: Character, settings: Any) -> None:
    from dataclasses import replace

    settings.INFLUENCER = replace(settings.INFLUENCER, sandbox="off")
    job = run(a_task(type=TO_X, config={"prompt": "by the sea"}, character=luna))
    assert failure(job) == "no_credentials"
    assert Job.objects.count() == 1


def test_a_paused_account_is_said_before_an_image_is_made(stage: Stage, luna: Character) -> None:
    key = accounts.account(luna, Platform.X).key
    standing.pause(key, "looks_automated", "X takes the posting for automated")
    job = run(a_task(type=TO_X, config={"prompt": "by the sea"}, character=luna))
    assert failure(job) == "account_paused"
    assert Job.objects.count() == 1


def test_words_the_platform_would_refuse_end_the_run_before_publishing(stage: Stage, luna: Character) -> None:
    job = run(a_task(type=TO_X, config={"prompt": "by the sea", "caption": "word " * 100}, character=luna))
    assert job.error is not None and job.error["step"] == "caption"
    assert not Post.objects.exists()


def test_a_run_of_a_character_that_is_gone_says_so(luna: Character) -> None:
    job = start(a_task(character=luna))
    luna.delete()
    assert failure(attempt(job.pk)) == "not_found"


# --- parts ---------------------------------------------------------------------------------------


def test_a_run_is_woken_when_its_part_ends(
    stage: Stage, luna: Character, django_capture_on_commit_callbacks: Any
) -> None:
    job = start(a_task(config={"prompt": "by the sea"}, character=luna))
    attempt(job.pk)
    waiting = jobs.get(job.pk)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "following")
    attempt(waiting.memo["child"])
    assert jobs.get(job.pk).state == JobState.QUEUED


def test_a_failed_image_fails_the_run_and_a_retry_makes_another(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "oom")
    job = run(a_task(config={"prompt": "by the sea"}, character=luna))
    assert job.error is not None and job.error["step"] == "image"
    jobs.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert Job.objects.filter(kind=generation.KIND).count() == 2


def test_cancelling_a_run_stops_its_image(stage: Stage, luna: Character) -> None:
    stage.speed(1)
    job = start(a_task(config={"prompt": "by the sea"}, character=luna))
    attempt(job.pk)
    jobs.cancel(job.pk)
    attempt(job.pk)
    assert jobs.get(job.pk).state == JobState.CANCELLED
    assert jobs.get(jobs.get(job.pk).memo["child"]).state == JobState.CANCELLED


def test_a_run_that_dies_while_posting_posts_once(stage: Stage, luna: Character) -> None:
    job = start(a_task(type=TO_X, config={"prompt": "by the sea"}, character=luna))
    with doom(posting, "start", "after"), pytest.raises(Died):
        for _ in range(50):
            for other in Job.objects.filter(state__in=("queued", "waiting")):
                attempt(other.pk)
    take_over(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert Post.objects.count() == 1 and len(stage.posts("x")) == 1


def test_a_failed_post_is_retried_with_the_run(stage: Stage, luna: Character) -> None:
    stage.order("x", "read_only", times=9)
    job = run(a_task(type=TO_X, config={"prompt": "by the sea"}, character=luna))
    assert job.state == JobState.FAILED and job.error is not None and job.error["step"] == "publish"
    stage.clear_faults()
    jobs.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert Post.objects.count() == 1 and post().state == PostState.PUBLISHED
    assert Image.objects.count() == 1


def test_posts_of_one_account_leave_a_minute_between_them(stage: Stage, luna: Character) -> None:
    image = images.add(luna.pk, drawn(colour="olive"))
    earlier = posting.start(luna, posting.Intention(Platform.X, "Earlier", image_id=image.pk))
    see_through(earlier.job_id)
    job = start(a_task(type=TO_X, config={"prompt": "by the sea"}, character=luna))
    for _ in range(20):
        for other in Job.objects.filter(state__in=("queued", "waiting")).exclude(reason="rate limit"):
            attempt(other.pk)
    waiting = jobs.get(job.pk)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "rate limit")
    earlier.refresh_from_db()
    assert earlier.published_at is not None
    assert waiting.until == earlier.published_at + timedelta(seconds=60)
    assert Post.objects.count() == 1
    Post.objects.update(
        published_at=timezone.now() - timedelta(seconds=61),
        created_at=timezone.now() - timedelta(seconds=90),
        updated_at=timezone.now() - timedelta(seconds=61),
    )
    assert see_through(job.pk).state == JobState.SUCCEEDED


# --- review ----------------------------------------------------------------------------------------


def test_a_task_under_review_publishes_only_when_approved(stage: Stage, luna: Character) -> None:
    job = until_review(
        a_task(
            type=TO_X, config={"prompt": "by the sea", "caption": "Tide"}, approval="review", character=luna
        )
    )
    assert (job.state, job.reason, job.until) == (JobState.WAITING, "review", None)
    assert not Post.objects.exists() and Image.objects.count() == 1
    assert [waiting.pk for waiting in runs.waiting_for_review()] == [job.pk]
    review.approve(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert post().caption == "Tide"
    with pytest.raises(Conflict, match="does not wait for review"):
        review.approve(job.pk)


def test_an_approval_that_is_not_plainly_auto_waits(stage: Stage, luna: Character) -> None:
    task = a_task(type=TO_X, config={"prompt": "by the sea"}, approval="whatever", character=luna)
    assert until_review(task).reason == "review"


def test_whoever_approves_may_change_the_words(stage: Stage, luna: Character) -> None:
    job = until_review(a_task(type=TO_X, config={"prompt": "by the sea"}, approval="review", character=luna))
    with pytest.raises(Invalid):
        review.approve(job.pk, caption="word " * 100)
    review.approve(job.pk, caption="Better", alt_text="A shore")
    see_through(job.pk)
    assert (post().caption, post().alt_text) == ("Better", "A shore")


def test_a_rejected_run_ends_without_a_post(
    stage: Stage, luna: Character, django_capture_on_commit_callbacks: Any
) -> None:
    kept = in_library("at the old well", character_id=luna.pk)
    job = until_review(library_task(luna, approval="review"))
    with django_capture_on_commit_callbacks(execute=True):
        assert review.reject(job.pk).state == JobState.CANCELLED
    assert not Post.objects.exists()
    assert Prompt.objects.get(pk=kept.pk).is_free
    with pytest.raises(NotFound):
        review.approve("job_nowhere")


def test_a_rejected_run_is_taken_back_into_review_by_a_retry(stage: Stage, luna: Character) -> None:
    job = until_review(
        a_task(type="generate_and_post", config={"prompt": "sea"}, approval="review", character=luna)
    )
    before = job.memo
    review.reject(job.pk)
    jobs.retry(job.pk)
    attempt(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason, job.memo["rejected"]) == (JobState.WAITING, "review", False)
    assert (job.memo["image_ids"], job.memo["captions"]) == (before["image_ids"], before["captions"])


def test_generate_only_needs_no_review(stage: Stage, luna: Character) -> None:
    job = run(a_task(config={"prompt": "by the sea"}, approval="review", character=luna))
    assert job.state == JobState.SUCCEEDED


def test_ends_are_heard_of_only_by_runs_that_wait_for_them(luna: Character) -> None:
    other = jobs.start(runs.KIND, character_id=luna.pk, request={})
    Job.objects.filter(pk=other.pk).update(
        state=JobState.WAITING, reason="following", memo={"following": "job_else"}
    )
    children.ended(Job(pk="job_mine", kind=generation.KIND))
    assert jobs.get(other.pk).state == JobState.WAITING
