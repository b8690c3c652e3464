"""A job for someone at a terminal: hands for it, a line for each change, Ctrl-C."""

from __future__ import annotations

import threading
import time

import pytest

from influencer.errors import TookTooLong
from influencer.jobs import health, services, watching
from influencer.jobs.context import JobContext
from influencer.jobs.models import JobState
from tests.influencer.jobs.factories import a_job, put

pytestmark = pytest.mark.django_db(transaction=True)


def until(true: threading.Event) -> None:
    assert true.wait(10)


def test_without_a_worker_the_job_is_done_here_and_told() -> None:
    said: list[str] = []
    spoken = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if line == "Step 3 of 4":
            spoken.set()

    def work(job: JobContext) -> dict[str, int]:
        with job.step("generate"):
            job.progress(0.75, "Step 3 of 4")
            until(spoken)
        return {"images": 1}

    with watching.hands_for("default"):
        job = watching.see_through(a_job(work).pk, say)
    assert (job.state, job.result) == (JobState.SUCCEEDED, {"images": 1})
    assert said[-1] == "Step 3 of 4"
    assert len(said) == len(set(said))


def test_with_a_live_worker_it_is_left_to_that() -> None:
    health.beat("default")
    job = a_job(lambda context: pytest.fail("it was run here"))

    def another() -> None:
        services.cancel(job.pk)

    with watching.hands_for("default"):
        thread = threading.Thread(target=another)
        thread.start()
        assert watching.see_through(job.pk, lambda line: None).state == JobState.CANCELLED
        thread.join()


def test_it_waits_no_longer_than_it_is_told() -> None:
    health.beat("default")
    with watching.hands_for("default"), pytest.raises(TookTooLong) as late:
        watching.see_through(a_job().pk, lambda line: None, seconds=0)
    assert late.value.details["jobId"].startswith("job_")


def test_ctrl_c_cancels_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_job()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "wait_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watching.see_through(job.pk, lambda line: None)
    assert services.get(job.pk).state == JobState.CANCELLED


def test_ctrl_c_leaves_a_job_that_has_ended_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    job = put(a_job(), state=JobState.SUCCEEDED)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "wait_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watching.see_through(job.pk, lambda line: None)
    assert services.get(job.pk).state == JobState.SUCCEEDED


def test_no_thread_is_left_behind() -> None:
    with watching.hands_for("default"):
        watching.see_through(a_job().pk, lambda line: None)
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("watching") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
