"""A task that trains: from its pictures to a LoRA the character uses, against the stand-ins."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.training import running as training_running
from characters.training import services as trainings
from characters.training.models import Training, TrainingState
from influencer.clients.comfyui import Pace
from influencer.clients.comfyui import follow as following
from influencer.errors import Conflict, Invalid
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState, JobStep
from scheduling import hand, recipe, runs
from scheduling.lessons import Lesson, Pictures
from scheduling.models import Task
from tests.characters.people import someone
from tests.characters.stage import Died, Stage, attempt, doom, sandbox_at, see_through, take_over
from tests.characters.training.lessons import BASE, STEPS, begun, png
from tests.scheduling.plans import a_task, at, looked

pytestmark = pytest.mark.django_db
FEW = "config.imageIds can't be used. Training takes at least 5 images; {}"
QUICK = {"baseModel": BASE, "steps": STEPS, "seed": 3}


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


def gallery(character: Character, count: int, first: int = 0) -> list[str]:
    return [images.add(character.pk, png(number)).pk for number in range(first, first + count)]


def training_task(character: Character, **config: Any) -> Task:
    return a_task(type="train_lora", config={**QUICK, **config}, character=character)


def start(task: Task) -> Job:
    job = runs.start(task, due=timezone.now())
    runs.record(task, timezone.now(), runs.FiredState.FIRED, job_id=job.pk)
    return job


def run(task: Task) -> Job:
    return see_through(start(task).pk, attempts=1000)


def failure(job: Job) -> str:
    assert job.state == JobState.FAILED, job.as_json()
    assert job.error is not None
    return str(job.error["code"])


def trained() -> Training:
    return Training.objects.order_by("created_at").last() or pytest.fail("nothing was trained")


# --- the plain success --------------------------------------------------------------------------


def test_a_task_trains_on_chosen_images_and_the_character_uses_the_lora(
    stage: Stage, luna: Character
) -> None:
    job = run(training_task(luna, imageIds=gallery(luna, 5), rightsConfirmed=True))
    assert job.state == JobState.SUCCEEDED, job.error
    training = trained()
    assert (training.state, training.images_count, training.version) == (TrainingState.SUCCEEDED, 5, 1)
    assert (training.base_model, training.steps, training.rights_confirmed) == (BASE, STEPS, True)
    assert job.result is not None and job.result["trainingId"] == training.pk
    assert Character.objects.get(pk=luna.pk).lora == training.lora
    states = dict(JobStep.objects.filter(job=job).values_list("name", "state"))
    assert states == {"images": "succeeded", "train": "succeeded"}


def test_the_clock_fires_it_and_run_now_starts_it(luna: Character) -> None:
    task = training_task(luna, imageIds=gallery(luna, 5))
    planner = looked()
    assert planner.tick(at("18:00:00")) == 1
    fired = Job.objects.get()
    assert (fired.kind, fired.character_id) == ("train_task", luna.pk)
    assert [one.already_running for one in hand.run_now(task.pk)] == [True]


def test_the_set_of_the_last_training_is_used_again_with_its_captions(stage: Stage, luna: Character) -> None:
    before = begun(luna, rights_confirmed=True)
    jobs.cancel(before.job_id)
    job = run(training_task(luna, attach=False))
    assert job.state == JobState.SUCCEEDED, job.error
    after = trained()
    assert after.pk != before.pk
    assert [row["caption"] for row in after.images] == [row["caption"] for row in before.images]
    assert after.rights_confirmed  # as was said of these pictures before
    assert not Character.objects.get(pk=luna.pk).lora


def test_the_newest_images_are_used(luna: Character, stage: Stage) -> None:
    gallery(luna, 3, first=10)
    newest = gallery(luna, 6)
    job = start(training_task(luna, pictures="newest", count=6))
    attempt(job.pk)
    expected = {Image.objects.get(pk=pk).path.name for pk in newest}
    assert {row["name"] for row in trained().images} == expected


def test_a_terminal_sees_it_through_without_a_worker(stage: Stage, luna: Character) -> None:
    task, said = training_task(luna, imageIds=gallery(luna, 5)), io.StringIO()
    call_command("task", "run", task.pk, stdout=said)
    assert trained().state == TrainingState.SUCCEEDED


# --- what goes on, what is given up ---------------------------------------------------------------


def test_it_waits_for_the_training_without_a_worker_and_is_woken_by_its_end(
    stage: Stage, luna: Character
) -> None:
    job = start(training_task(luna, imageIds=gallery(luna, 5)))
    attempt(job.pk)
    waiting = jobs.get(job.pk)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "following")
    jobs.cancel(trained().job_id)
    assert jobs.get(job.pk).state == JobState.QUEUED
    assert failure(attempt(job.pk)) == "cancelled"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_begins_trains_once(stage: Stage, luna: Character, when: str) -> None:
    job = start(training_task(luna, imageIds=gallery(luna, 5)))
    with doom(trainings, "begin", when), pytest.raises(Died):
        attempt(job.pk)
    take_over(job.pk)
    assert see_through(job.pk, attempts=1000).state == JobState.SUCCEEDED
    assert Training.objects.exclude(state=TrainingState.DRAFT).count() == 1
    assert Job.objects.filter(kind=trainings.KIND).count() == 1


def test_cancelling_the_run_stops_the_training(stage: Stage, luna: Character) -> None:
    job = start(training_task(luna, imageIds=gallery(luna, 5)))
    attempt(job.pk)
    jobs.cancel(job.pk)
    attempt(job.pk)
    assert jobs.get(job.pk).state == JobState.CANCELLED
    assert jobs.get(trained().job_id).state == JobState.CANCELLED


def test_a_retry_goes_on_with_the_same_pictures(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = training_task(luna, imageIds=gallery(luna, 5))
    with monkeypatch.context() as patch:
        patch.setattr(training_running.placing, "choose", _refuse)
        job = run(task)
    assert failure(job) == "training_unavailable"
    jobs.retry(job.pk)
    assert see_through(job.pk, attempts=1000).state == JobState.SUCCEEDED
    assert Training.objects.count() == 1


def _refuse(base_model: str) -> Any:
    raise Conflict("gpu:8188 lacks the nodes for training.", code="training_unavailable")


# --- what is refused, in words -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"imageIds": ["a", "b"]}, FEW.format("there are 2.")),
        ({"imageIds": ["a"] * 9}, FEW.format("there is 1.")),
        ({"imageIds": list(map(str, range(41)))}, "config.imageIds can't be used. Training takes at most 40"),
        ({"pictures": "chosen"}, FEW.format("there is none.")),
        ({"pictures": "all"}, "config.pictures must be one of set, newest, chosen."),
        ({"pictures": "newest", "count": 4}, "config.count must be a number from 5 to 40."),
        ({"steps": 10**9}, "config.steps can't be used."),
        ({"steps": [1]}, "config.steps must be text or a number."),
        ({"attach": "yes"}, "config.attach must be true or false."),
        ({"triggerWord": "a, b"}, "config.triggerWord can't be used. A trigger word has no comma"),
    ],
)
def test_a_config_that_can_t_be_used_names_the_key(config: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        recipe.read("train_lora", config)
    assert refused.value.message.startswith(words)


def test_what_a_config_means() -> None:
    chosen = [str(number) for number in range(5)]
    assert recipe.read("train_lora", {}).lesson.pictures == Pictures.SET
    assert recipe.read("train_lora", {"imageIds": chosen}).lesson.pictures == Pictures.CHOSEN
    lesson = recipe.read("train_lora", {"pictures": "newest", "steps": 700, "trainingId": " t "}).lesson
    assert isinstance(lesson, Lesson)
    assert (lesson.count, lesson.wish.steps, lesson.wish.attach, lesson.training_id) == (20, 700, True, "t")


def test_images_that_are_gone_by_then_are_told(luna: Character, stage: Stage) -> None:
    chosen = gallery(luna, 5)
    Image.objects.filter(pk__in=chosen[:2]).delete()
    job = run(training_task(luna, imageIds=chosen))
    assert failure(job) == "too_few_images"
    assert job.error is not None
    assert job.error["message"].startswith(
        "Training takes at least 5 images, and of those the task names only 3 of them are left."
    )
    assert job.error["step"] == "images" and not Training.objects.exists()


def test_a_gallery_that_is_too_small_is_told(luna: Character, stage: Stage) -> None:
    gallery(luna, 2)
    job = run(training_task(luna, pictures="newest"))
    assert failure(job) == "too_few_images"
    assert not Training.objects.exists()


def test_a_character_that_was_never_trained_is_told_what_to_do(luna: Character, stage: Stage) -> None:
    job = run(training_task(luna))
    assert failure(job) == "no_training_images"
    assert job.error is not None and "Train once by hand" in job.error["message"]


def test_a_server_without_the_nodes_is_told(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "no_training", times=0)
    job = run(training_task(luna, imageIds=gallery(luna, 5)))
    assert failure(job) == "training_unavailable"
    assert job.error is not None and job.error["step"] == "train"


def test_another_character_s_training_is_not_its_set(stage: Stage, luna: Character) -> None:
    kai = someone(name="Kai")
    other = begun(kai)
    assert failure(run(training_task(luna, trainingId=other.pk))) == "not_found"


def test_a_config_that_was_edited_by_hand_fails_in_words(luna: Character) -> None:
    job = run(training_task(luna, pictures="all"))
    assert failure(job) == "bad_config"
