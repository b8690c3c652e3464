"""The worker dies at every point of a generation; the next one goes on, and nothing is made twice."""

from __future__ import annotations

from typing import Any

import pytest

from characters.images import generation, storage, tracking
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from influencer.clients.comfyui import ComfyUI
from influencer.jobs import services
from influencer.jobs.models import Job, JobState
from tests.characters.stage import Died, Stage, doom, eventually, see_through, take_over

pytestmark = pytest.mark.django_db

POINTS: dict[str, tuple[Any, str, str]] = {
    "before the server is chosen": (generation.planning, "choose", "before"),
    "before the prompt has an id": (tracking, "prompt_for", "before"),
    "with an id for the prompt but nothing remembered": (ComfyUI, "fitted", "before"),
    "with the prompt remembered but not sent": (ComfyUI, "submit", "before"),
    "with the prompt sent but not known as accepted": (ComfyUI, "submit", "after"),
    "with the prompt accepted but not followed": (ComfyUI, "follow", "before"),
    "while following": (ComfyUI, "listen", "after"),
    "with the image made but not fetched": (ComfyUI, "fetch", "before"),
    "with the image fetched but not written": (ComfyUI, "fetch", "after"),
    "with the files written but no row": (storage, "write_files", "after"),
    "between the row and the job's memory of it": (storage, "record", "after"),
    "with everything saved but the history not deleted": (ComfyUI, "delete_history", "before"),
    "after everything but the job's end": (ComfyUI, "delete_history", "after"),
}


def start(character: Character, **wish: Any) -> Job:
    return generation.start(character, Wish(prompt="in a forest", **wish))


def die(job: Job, point: str, *, number: int = 1) -> None:
    """Have the worker die there, the first or a later one."""
    owner, name, when = POINTS[point]
    with doom(owner, name, when, number=number), pytest.raises(Died):
        take_over(job.pk)
    assert services.get(job.pk).state == JobState.RUNNING


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_costs_neither_a_second_prompt_nor_the_image(
    stage: Stage, luna: Character, point: str
) -> None:
    job = start(luna, seed=7)
    die(job, point)
    ended = take_over(job.pk)
    assert (ended.state, ended.crashes) == (JobState.SUCCEEDED, 1)
    assert stage.prompts_sent == 1
    [image] = Image.objects.all()
    assert ended.result["imageIds"] == [image.pk]
    assert len(list(image.path.parent.iterdir())) == 3


@pytest.mark.parametrize(
    "point", ["with the prompt sent but not known as accepted", "with the files written but no row"]
)
def test_of_three_images_the_finished_one_is_kept_and_the_others_follow(
    stage: Stage, luna: Character, point: str
) -> None:
    job = start(luna, seed=7, count=3)
    die(job, point, number=2)
    first = Image.objects.get()
    assert take_over(job.pk).state == JobState.SUCCEEDED
    assert [image.seed for image in Image.objects.order_by("created_at")] == [7, 8, 9]
    assert Image.objects.order_by("created_at").first() == first
    assert stage.prompts_sent == 3


def test_dying_again_and_again_still_makes_one_image_of_one_prompt(stage: Stage, luna: Character) -> None:
    job = start(luna)
    for point in (
        "with the prompt remembered but not sent",
        "with the prompt sent but not known as accepted",
        "with the prompt accepted but not followed",
        "with the files written but no row",
    ):
        die(job, point)
    assert take_over(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1
    assert Image.objects.count() == 1


def test_a_prompt_is_followed_again_while_it_still_runs(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "stall", seconds=0.5)
    job = start(luna)
    die(job, "while following")
    assert not stage.is_idle
    assert take_over(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1


def test_a_dead_workers_job_that_is_cancelled_is_stopped_on_the_server(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "stall")
    job = start(luna)
    die(job, "while following")
    services.cancel(job.pk)
    assert take_over(job.pk).state == JobState.CANCELLED
    assert eventually(lambda: stage.is_idle)


def test_a_server_that_lost_the_prompt_of_a_dead_worker_is_said_and_a_retry_makes_it(
    stage: Stage, luna: Character, quick: None
) -> None:
    job = start(luna)
    die(job, "with the prompt accepted but not followed")
    eventually(lambda: stage.is_idle)
    stage.restart()
    ended = take_over(job.pk)
    assert (ended.state, ended.error["code"]) == (JobState.FAILED, "lost")
    services.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert Image.objects.count() == 1


def test_a_prompt_that_never_arrived_is_sent_by_the_next_worker(stage: Stage, luna: Character) -> None:
    job = start(luna)
    die(job, "with the prompt remembered but not sent")
    assert services.get(job.pk).memo["sent"]["accepted"] is False
    assert take_over(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1
