"""The training job: prepare, upload, train, verify, attach; in slices that survive every restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from characters.images import planning
from characters.images.planning import Place
from characters.training import following, placing, proving, sending, services
from characters.training.models import Training, TrainingState
from characters.training.sending import Desk
from influencer import paths, sandbox
from influencer.clients.comfyui import ComfyUI
from influencer.clients.errors import ServiceError
from influencer.errors import NotFound, Problem, Unavailable
from influencer.jobs import Cancelled, Wait, failures
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState

# How long a silent server is waited for: it may be busy, or start again.
PATIENCE = timedelta(minutes=30)
PAUSE = timedelta(seconds=5)
SILENCE = {"unreachable", "timeout", "too_many_requests", "sandbox_down"}
# What is remembered of one run at the server; gone, the next attempt begins a new one.
OF_A_RUN = ("place", "names", "sent", "mark", "absent_since", "moved_at", "first", "lora")


def run(job: JobContext) -> None:
    """The worker's part, a few seconds of it; the job's memory says where to go on."""
    training = _begin(job)
    try:
        if not job.memo.get("lora"):
            _make(job, training)
        with job.step("verify"):
            _enter(training, TrainingState.VERIFYING)
            proving.prove(job, training)
        if job.request.get("attach", True):
            with job.step("attach"):
                _attach(training)
    except Cancelled:
        _stop(job, training)
        raise
    except Problem as problem:
        if problem.code == "lost":
            _begin_again_in_the_sandbox(job, training)
        _after(job, problem)
        raise
    result = {"trainingId": training.pk, "lora": training.lora, "sandbox": training.sandbox}
    job.finish(result, f"{training.lora} is trained and proven")


def finished(job: Job) -> None:
    """However the job ended, the training says the same."""
    training = Training.objects.filter(pk=job.request.get("trainingId")).first()
    if training is None:
        return
    training.state = STATES[JobState(job.state)]
    training.finished_at, training.seconds_left = timezone.now(), None
    if training.state == TrainingState.SUCCEEDED:
        training.version = _next_version(training)
    elif job.error:
        training.error = job.error
        training.note(failures.of_job(job.error, job.step)["message"])
    training.save()


STATES = {
    JobState.SUCCEEDED: TrainingState.SUCCEEDED,
    JobState.FAILED: TrainingState.FAILED,
    JobState.CANCELLED: TrainingState.CANCELLED,
}


def link(job: Job) -> tuple[str, str] | None:
    """Where the result is shown: the character's page."""
    return "Show character", reverse("characters:detail", args=[job.character_id])


def _next_version(training: Training) -> int:
    if training.version:
        return training.version
    before = services.versions(training.character_id).exclude(version=None).order_by("-version").first()
    return (before.version or 0) + 1 if before else 1


def _begin(job: JobContext) -> Training:
    """The training; one that is retried is no longer failed."""
    training = services.get(job.request["trainingId"])
    if training.is_final:
        training.state, training.error, training.finished_at = TrainingState.QUEUED, None, None
        training.save(update_fields=["state", "error", "finished_at"])
    return training


def _make(job: JobContext, training: Training) -> None:
    """From a place at a server to the LoRA's file, as far as this slice gets."""
    if not job.memo.get("place"):
        with job.step("prepare"):
            _enter(training, TrainingState.PREPARING)
            _choose(job, training)
    with _desk(job, training) as desk:
        if job.memo.get("sent_images", 0) < len(training.images):
            with job.step("upload"):
                assert desk.names  # remembered before anything is sent under them
                sending.send(desk)
                _note(training, f"{len(training.images)} images sent")
        with job.step("train"):
            training.lora = following.train(desk)
            training.step, training.seconds_left = training.steps, None
            training.note(f"The LoRA is there: {training.lora}")
            training.save(update_fields=["lora", "step", "seconds_left", "log"])
            job.remember(lora=training.lora)


@contextmanager
def _desk(job: JobContext, training: Training) -> Iterator[Desk]:
    place = Place(**job.memo["place"])
    found = planning.endpoint(place)
    with ComfyUI(found.url, headers=found.headers) as client:
        yield Desk(job, training, place, client)


def _choose(job: JobContext, training: Training) -> None:
    place = placing.choose(training.base_model)
    training.server, training.sandbox, training.family = place.server, place.sandbox, place.family
    training.step, training.loss, training.lora, training.prompt_id = 0, [], "", ""
    training.note(f"{place.server} trains on {training.base_model}")
    training.save()
    job.remember(place=asdict(place), sandbox_pid=_sandbox_pid() if place.sandbox else 0)


def _attach(training: Training) -> None:
    # A character that was deleted meanwhile needs no LoRA; the file stays.
    with suppress(NotFound):
        services.put_on(training)
        _note(training, "The character uses it")


def _enter(training: Training, state: TrainingState) -> None:
    if training.state != state:
        training.state = state
        training.save(update_fields=["state"])


def _note(training: Training, sentence: str) -> None:
    training.note(sentence)
    training.save(update_fields=["log"])


# --- when it goes wrong ----------------------------------------------------------------------


def _after(job: JobContext, problem: Problem) -> None:
    """Wait while a server is silent; any other failure of a run leaves nothing to go on with.

    A training the server may still be at is kept: the next attempt finds it again.
    """
    silent = problem.code in SILENCE and isinstance(problem, (ServiceError, Unavailable))
    if silent and job.memo.get("place") and not job.memo.get("lora"):
        _wait_for_server(job, problem)
        job.remember(down_since="")
        if isinstance(problem, ServiceError):
            problem.outcome_unknown = False  # asking again is safe: nothing is ever sent twice
        if job.memo.get("sent"):
            return
    if not job.memo.get("lora"):
        _forget(job)


def _begin_again_in_the_sandbox(job: JobContext, training: Training) -> None:
    """The sandbox ends and starts with the product: what that has cost is made up for."""
    if job.memo.get("sandbox_pid") in (0, None, _sandbox_pid()):
        return
    _forget(job)
    words = "The sandbox was restarted: the training begins again"
    _note(training, words)
    raise Wait(timezone.now(), "following", words)


def _sandbox_pid() -> int:
    found = sandbox.address(paths.run())
    return found.pid if found else 0


def _wait_for_server(job: JobContext, problem: Problem) -> None:
    now = timezone.now()
    since = datetime.fromisoformat(job.memo.get("down_since") or now.isoformat())
    if now - since > PATIENCE:
        return
    job.remember(down_since=since.isoformat())
    raise Wait(now + PAUSE, "server down", problem.message) from problem


def _stop(job: JobContext, training: Training) -> None:
    """Take a cancelled training off the server, as far as it can be reached."""
    proving.stop(job)
    if job.memo.get("lora"):
        return
    if job.memo.get("place"):
        with suppress(Problem), _desk(job, training) as desk:
            following.stop(job, desk)
    _forget(job)


def _forget(job: JobContext) -> None:
    job.remember(**dict.fromkeys(OF_A_RUN), sent_images=0)
