"""The job of a `train_lora` run: gather the pictures, begin a training, see it through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from characters import services as characters
from characters.models import Character
from characters.training import services as trainings
from characters.training.models import Training
from influencer.errors import Problem
from influencer.jobs import Cancelled
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job
from scheduling import children, lessons, recipe

# A training takes hours: how far it is need not be known to the second here.
LOOK_AGAIN = timedelta(seconds=20)


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. The training is begun once, however often this is called."""
    try:
        return _go_on(job)
    except Cancelled:
        children.stop(job)
        raise


def _go_on(job: JobContext) -> dict[str, Any]:
    character = characters.get(job.character_id)
    if not job.step_done("images"):
        with job.step("images"):
            _begin(job, character)
    with job.step("train"):
        made = _result(job, children.follow(job, _training_job(job), "Training", look_again=LOOK_AGAIN))
    return {**made, "taskId": job.request["taskId"]}


def _begin(job: JobContext, character: Character) -> None:
    """Raises `Invalid`, `Conflict`, `NotFound` for pictures or a model that can't be used."""
    if job.memo.get("training"):
        return
    lesson = recipe.read(job.request["type"], job.request["config"]).lesson

    def bind(pk: str) -> None:
        job.remember(training=pk, following=trainings.get(pk).job_id)

    sources, wish = lessons.gathered(character, lesson)
    trainings.start(character, sources, wish, user_id=job.user_id, bind=bind)


def _training_job(job: JobContext) -> Job:
    """Its job; one that failed before this run was retried begins again on the same pictures."""
    training: Training = trainings.get(job.memo["training"])
    if job.memo.get("again"):
        if jobs.get(training.job_id).is_final:
            jobs.retry(training.job_id)
        job.remember(again=False)
    return jobs.get(training.job_id)


def _result(job: JobContext, child: Job) -> dict[str, Any]:
    try:
        return jobs.result_of(child)
    except Problem:
        job.remember(again=True)
        raise
