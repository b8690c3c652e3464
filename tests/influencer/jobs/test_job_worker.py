from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.exceptions import TimeoutException

from influencer.clients.errors import ServiceError
from influencer.jobs import Wait, previews, queue, services, worker
from influencer.jobs.context import JobContext
from influencer.jobs.models import Beat, Job, JobState
from tests.influencer.jobs.factories import a_job, messages, put, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def eager(settings: Any) -> None:
    """Every look is a fresh one and every progress is written."""
    settings.JOBS = {"look": 0, "progress": 0}


def test_a_job_runs_through_its_steps_and_keeps_its_result() -> None:
    def handler(job):
        for name in ("queue", "generate", "save"):
            with job.step(name):
                assert services.get(job.id).step == name
        return {"imageIds": ["img_1"]}

    job = a_job(handler)
    assert worker.run(job.id) is True
    done = services.get(job.id)
    assert (done.state, done.progress, done.attempts) == ("succeeded", 1.0, 1)
    assert done.result == {"imageIds": ["img_1"]}
    assert done.started_at <= done.finished_at
    assert set(steps(job).values()) == {"succeeded"}
    assert (done.owner, done.lease_until) == ("", None)


def test_rows_and_the_end_of_the_job_are_one_transaction() -> None:
    def handler(job):
        with job.step("save"), transaction.atomic():
            Beat.objects.create(name="made by the handler")
            job.finish({"made": True}, "1 image")

    job = a_job(handler)
    worker.run(job.id)
    assert Beat.objects.count() == 1
    assert (services.get(job.id).state, services.get(job.id).message) == ("succeeded", "1 image")
    assert steps(job)["save"] == "succeeded"


def test_a_job_ended_in_a_transaction_that_failed_is_failed() -> None:
    def handler(job):
        with transaction.atomic():
            job.finish()
            raise RuntimeError

    job = a_job(handler)
    worker.run(job.id)
    assert services.get(job.id).error["code"] == "internal"


# --- what it remembers and shows -------------------------------------------------------------


def test_what_is_remembered_is_there_for_the_next_attempt() -> None:
    def handler(job):
        if not job.memo:
            job.remember(prompt_id="p1")
            assert Job.objects.get(pk=job.id).memo == {"prompt_id": "p1"}
            raise Wait(timezone.now(), "following")
        return dict(job.memo)

    job = a_job(handler)
    worker.run(job.id)
    worker.run(job.id)
    assert services.get(job.id).result == {"prompt_id": "p1"}


def test_progress_that_comes_too_fast_is_held_back_until_the_step_ends(settings: Any) -> None:
    settings.JOBS = {"progress": 3600}
    written: list[float] = []

    def handler(job):
        with job.step("generate"):
            for number in range(1, 50):
                job.progress(number / 100, f"Step {number} of 50")
                written.append(services.get(job.id).progress)
        written.append(services.get(job.id).progress)

    worker.run(a_job(handler).id)
    assert set(written[:-1]) == {0.01}
    assert written[-1] == 0.49


def test_progress_tells_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch, eager: None) -> None:
    seen: list[int | None] = []
    ticks = iter([float(number) for number in range(100, 200, 10)])

    def handler(job):
        monkeypatch.setattr("influencer.jobs.context.time.monotonic", lambda: next(ticks))
        for fraction in (0.0, 0.25, 0.5):
            job.progress(fraction)
            seen.append(services.get(job.id).seconds_left)
        monkeypatch.undo()

    worker.run(a_job(handler).id)
    assert seen == [None, 30, 20]


def test_the_preview_lives_as_long_as_the_job(django_capture_on_commit_callbacks: Any) -> None:
    def handler(job):
        job.preview(b"one")
        job.preview(b"two")
        assert previews.read(job.id) == b"two"
        assert [path.name for path in previews.path_of(job.id).parent.iterdir()] == [f"{job.id}.jpg"]

    job = a_job(handler)
    with django_capture_on_commit_callbacks(execute=True):
        worker.run(job.id)
    assert previews.read(job.id) is None


# --- how it can end --------------------------------------------------------------------------


def test_a_wait_lays_the_job_aside_with_its_reason() -> None:
    until = timezone.now() + timedelta(minutes=20)

    def handler(job):
        with job.step("generate"):
            raise Wait(until, "quota", "X allows 17 posts a day")

    job = a_job(handler)
    worker.run(job.id)
    waiting = services.get(job.id)
    assert (waiting.state, waiting.until, waiting.reason) == ("waiting", until, "quota")
    assert (waiting.message, waiting.owner) == ("X allows 17 posts a day", "")
    assert steps(job)["generate"] == "waiting"
    assert worker.run(job.id) is False


def test_a_service_that_failed_is_named_with_its_code_and_fix() -> None:
    def handler(job):
        with job.step("generate"):
            raise ServiceError(
                "ComfyUI ran out of memory.",
                service="ComfyUI",
                code="oom",
                fix="Choose a smaller size.",
                retryable=True,
            )

    job = a_job(handler)
    worker.run(job.id)
    failed = services.get(job.id)
    expected = {
        "step": "generate",
        "service": "ComfyUI",
        "code": "oom",
        "message": "ComfyUI ran out of memory.",
        "fix": "Choose a smaller size.",
        "retryable": True,
    }
    assert failed.as_json()["error"] == expected
    assert failed.as_json()["steps"][1]["error"] == expected
    assert steps(job) == {"queue": "pending", "generate": "failed", "save": "pending"}


def test_an_unexpected_error_is_logged_and_shown_without_detail(caplog: pytest.LogCaptureFixture) -> None:
    def handler(job):
        raise RuntimeError("token=abc")

    job = a_job(handler)
    worker.run(job.id)
    assert services.get(job.id).error["code"] == "internal"
    assert "abc" not in str(services.get(job.id).error)
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_a_job_whose_task_runs_out_of_time_fails_with_that_reason() -> None:
    def handler(job):
        with job.step("generate"):
            raise TimeoutException

    job = a_job(handler)
    worker.run(job.id, seconds=900)
    error = services.get(job.id).error
    assert (error["code"], error["step"]) == ("timeout", "generate")
    assert "15 min" in error["message"]


def test_a_job_of_an_unknown_kind_fails_instead_of_waiting_for_ever() -> None:
    job = put(a_job(), kind="from_another_version")
    worker.run(job.id)
    assert services.get(job.id).error["code"] == "unknown_kind"


def test_a_job_cancelled_just_as_it_starts_to_wait_is_told_at_once() -> None:
    def handler(job):
        if job.attempt == 1:
            services.cancel(job.id)
            raise Wait(timezone.now() + timedelta(hours=1), "quota")
        job.check_cancelled()

    job = a_job(handler)
    worker.run(job.id)
    worker.run(job.id)
    assert services.get(job.id).state == JobState.CANCELLED


# --- letting go ------------------------------------------------------------------------------


def test_near_the_end_of_its_time_a_job_hands_over_and_goes_on(eager: None) -> None:
    def handler(job):
        job.remember(attempts=job.attempt)
        if job.attempt == 1:
            assert job.time_left() < 0
            assert job.must_stop()
            job.check_cancelled()
        assert job.time_left() > 800
        job.check_cancelled()
        return dict(job.memo)

    job = a_job(handler)
    worker.run(job.id, seconds=30)
    handed = services.get(job.id)
    assert (handed.state, handed.reason, handed.crashes) == ("waiting", "following", 0)
    worker.run(job.id, seconds=900)
    assert services.get(job.id).result == {"attempts": 2}


def test_without_a_limit_there_is_no_deadline() -> None:
    left: list[float] = []
    worker.run(a_job(lambda job: left.append(job.time_left())).id)
    assert left == [float("inf")]


def test_a_job_in_a_cluster_that_stops_hands_over(monkeypatch: pytest.MonkeyPatch, eager: None) -> None:
    def handler(job):
        monkeypatch.setattr(queue, "is_stopping", lambda: True)
        job.check_cancelled()

    job = a_job(handler)
    monkeypatch.setattr(queue, "is_stopping", lambda: False)
    monkeypatch.setattr(JobContext, "__init__", _with_live_stopping(JobContext.__init__))
    worker.run(job.id, where="default")
    assert services.get(job.id).reason == "following"


def _with_live_stopping(init: Any) -> Any:
    def replacement(self: JobContext, job: Job, **options: Any) -> None:
        init(self, job, **{**options, "stopping": lambda: queue.is_stopping()})

    return replacement


def test_what_a_stopping_cluster_still_holds_goes_back_to_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "is_stopping", lambda: True)
    job = a_job()
    assert worker.run(job.id, where="default") is False
    assert services.get(job.id).state == JobState.QUEUED
    assert len(messages(job)) == 2
    assert services.get(job.id).delivery == messages(job)[-1].pk
