from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from influencer.clients.errors import ServiceError
from influencer.errors import Conflict
from influencer.jobs import Wait, services, sweep, worker
from influencer.jobs.models import JobState
from tests.influencer.jobs.factories import (
    a_job,
    a_kind,
    put,
    running,
    steps,
)

pytestmark = pytest.mark.django_db


# --- cancel ----------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_at_once_and_its_message_does_nothing() -> None:
    ran: list[str] = []
    job = a_job(lambda job: ran.append(job.id))
    assert services.cancel(job.id).state == JobState.CANCELLED
    assert worker.run(job.id) is False
    assert not ran


def test_a_waiting_job_is_cancelled_at_once() -> None:
    job = services.start(a_kind(), not_before=timezone.now() + timedelta(hours=1))
    assert services.cancel(job.id).state == JobState.CANCELLED
    assert sweep.dispatch_due(timezone.now() + timedelta(hours=2)) == 0


def test_a_running_job_is_asked_to_stop_and_stops_at_its_next_look() -> None:
    def handler(job):
        services.cancel(job.id)
        job.check_cancelled()

    job = a_job(handler)
    worker.run(job.id)
    assert services.get(job.id).state == JobState.CANCELLED


def test_a_cancelled_job_never_enters_its_late_step() -> None:
    entered: list[str] = []

    def handler(job):
        with job.step("generate"):
            services.cancel(job.id)
        with job.step("save"):
            entered.append("save")

    job = a_job(handler, cancellable_until="save")
    worker.run(job.id)
    assert services.get(job.id).state == JobState.CANCELLED
    assert not entered
    assert steps(job) == {"queue": "pending", "generate": "succeeded", "save": "pending"}


def test_from_the_late_step_on_a_cancel_is_refused() -> None:
    refused: list[str] = []

    def handler(job):
        with job.step("generate"), pytest.raises(Conflict) as refusal:
            services.cancel(job.id)
        refused.append(refusal.value.code)

    job = a_job(handler, cancellable_until="generate")
    worker.run(job.id)
    assert refused == ["too_late"]
    assert services.get(job.id).state == JobState.SUCCEEDED


def test_a_job_whose_work_goes_on_elsewhere_is_told_before_it_ends() -> None:
    stopped: list[str] = []

    def handler(job):
        if job.memo:
            try:
                job.check_cancelled()
            except Exception:
                stopped.append(job.memo["prompt_id"])
                raise
        job.remember(prompt_id="p1")
        raise Wait(timezone.now() + timedelta(hours=1), "following")

    job = a_job(handler)
    worker.run(job.id)
    waiting = services.cancel(job.id)
    assert (waiting.state, waiting.cancel_requested_at is not None) == ("waiting", True)
    assert sweep.dispatch_due(timezone.now()) == 1
    worker.run(job.id)
    assert stopped == ["p1"]
    assert services.get(job.id).state == JobState.CANCELLED


def test_cancelling_twice_is_fine_and_cancelling_what_is_done_is_not() -> None:
    cancelled, done = a_job(), a_job()
    services.cancel(cancelled.id)
    assert services.cancel(cancelled.id).state == JobState.CANCELLED
    worker.run(done.id)
    with pytest.raises(Conflict) as refusal:
        services.cancel(done.id)
    assert refusal.value.code == "already_finished"


def test_a_characters_jobs_are_cancelled_but_for_the_late_one() -> None:
    kind = a_kind(cancellable_until="save")
    waiting, late, done = (services.start(kind, character_id="char_1") for _ in range(3))
    other = services.start(kind, character_id="char_2")
    running(late, step="save")
    worker.run(done.id)
    assert services.cancel_for_character("char_1") == 1
    states = {job.id: services.get(job.id).state for job in (waiting, late, done, other)}
    assert list(states.values()) == ["cancelled", "running", "succeeded", "queued"]


# --- retry -----------------------------------------------------------------------------------


def test_a_retry_goes_on_from_the_failed_step_with_what_was_kept() -> None:
    made: list[str] = []

    def handler(job):
        if not job.step_done("generate"):
            with job.step("generate"):
                made.append("image")
                job.remember(image="img_1")
        with job.step("save"):
            if job.attempt == 1:
                raise ServiceError("The disk is full.", service="ComfyUI", code="disk")
        return {"imageId": job.memo["image"]}

    job = a_job(handler)
    worker.run(job.id)
    failed = services.get(job.id)
    assert (failed.state, failed.error["step"]) == ("failed", "save")
    assert steps(job) == {"queue": "pending", "generate": "succeeded", "save": "failed"}
    again = services.retry(job.id)
    assert (again.state, again.error, again.finished_at) == ("queued", None, None)
    worker.run(job.id)
    assert services.get(job.id).result == {"imageId": "img_1"}
    assert made == ["image"]
    assert steps(job) == {"queue": "skipped", "generate": "succeeded", "save": "succeeded"}


def test_a_cancelled_job_can_be_retried() -> None:
    job = a_job()
    services.cancel(job.id)
    assert services.retry(job.id).cancel_requested_at is None
    assert worker.run(job.id)
    assert services.get(job.id).state == JobState.SUCCEEDED


@pytest.mark.parametrize("state", ["queued", "running", "waiting", "succeeded"])
def test_only_what_failed_or_was_cancelled_can_be_retried(state: str) -> None:
    with pytest.raises(Conflict) as refusal:
        services.retry(put(a_job(), state=state).id)
    assert refusal.value.code == "not_failed"


def test_an_unknown_outcome_is_retried_only_once_it_is_cleared_up() -> None:
    def handler(job):
        raise ServiceError("X did not answer.", service="X", outcome_unknown=True)

    job = a_job(handler)
    worker.run(job.id)
    assert services.get(job.id).error["code"] == "outcome_unknown"
    with pytest.raises(Conflict) as refusal:
        services.retry(job.id)
    assert refusal.value.code == "outcome_unknown"
    assert services.retry(job.id, resolved=True).state == JobState.QUEUED
