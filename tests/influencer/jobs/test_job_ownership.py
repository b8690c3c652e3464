from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from influencer.jobs import LostLease, services, worker
from influencer.jobs.context import JobContext
from influencer.jobs.models import Beat, Job, JobState
from tests.influencer.jobs.factories import a_job, abandoned, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def eager(settings: Any) -> None:
    """Every look is a fresh one and every progress is written."""
    settings.JOBS = {"look": 0, "progress": 0}


def stolen(job: JobContext) -> None:
    """Another worker takes the job over."""
    Job.objects.filter(pk=job.id).update(owner="gpu:other:1:b")


def test_a_message_delivered_again_runs_nothing() -> None:
    ran: list[int] = []
    job = a_job(lambda job: ran.append(job.attempt))
    assert [worker.run(job.id), worker.run(job.id), worker.run("job_0_gone")] == [True, False, False]
    assert ran == [1]


def test_a_job_at_work_is_not_given_to_a_second_worker() -> None:
    seen: list[bool] = []
    job = a_job(lambda job: seen.append(worker.run(job.id)))
    worker.run(job.id)
    assert seen == [False]


@pytest.mark.django_db(transaction=True)
def test_of_many_copies_delivered_at_once_one_runs() -> None:
    ran: list[int] = []
    gate, job = threading.Barrier(6), a_job(lambda job: ran.append(job.attempt))
    won: list[bool] = []

    def deliver() -> None:
        gate.wait()
        won.append(worker.run(job.id))
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]
    assert ran == [1]


def test_a_job_left_by_a_dead_worker_may_be_taken_over_and_counts_as_a_crash() -> None:
    job = abandoned(a_job())
    assert worker.run(job.id) is True
    taken = services.get(job.id)
    assert (taken.state, taken.crashes) == ("succeeded", 1)


def test_a_worker_that_lost_its_job_writes_nothing_more() -> None:
    def handler(job):
        with job.step("generate"):
            stolen(job)
        raise AssertionError("it must not get here")

    job = a_job(handler)
    worker.run(job.id)
    left = services.get(job.id)
    assert (left.state, left.owner, left.result, left.error) == ("running", "gpu:other:1:b", None, None)
    assert steps(job)["generate"] == "running"


@pytest.mark.parametrize(
    "write",
    [
        lambda job: job.progress(0.5, "half"),
        lambda job: job.remember(a=1),
        lambda job: job.renew(),
        lambda job: job.finish({"a": 1}),
        lambda job: job.check_cancelled(),
        lambda job: job.fail({"code": "x"}),
        lambda job: job.cancel(),
        lambda job: job.wait(None, "review", ""),
        lambda job: job.step("save").__enter__(),
    ],
)
def test_every_write_of_a_worker_that_lost_its_job_is_refused(write: Any, eager: None) -> None:
    refused: list[bool] = []

    def handler(job):
        stolen(job)
        before = Job.objects.values().get()
        with pytest.raises(LostLease):
            write(job)
        refused.append(Job.objects.values().get() == before)
        raise LostLease

    worker.run(a_job(handler).id)
    assert refused == [True]


def test_a_lost_finish_takes_the_rows_of_its_transaction_back() -> None:
    def handler(job):
        stolen(job)
        with transaction.atomic():
            Beat.objects.create(name="made by the handler")
            job.finish({"made": True})

    worker.run(a_job(handler).id)
    assert not Beat.objects.exists()


# --- the heartbeat ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_the_lease_while_the_handler_works(settings: Any) -> None:
    settings.JOBS = {"heartbeat": 0.02}
    renewed = threading.Event()

    def handler(job):
        first = Job.objects.get().lease_until
        while not renewed.wait(0.01):
            if Job.objects.get().lease_until > first:
                renewed.set()

    worker.run(a_job(handler).id)
    assert renewed.is_set()


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_that_fails_once_goes_on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOBS = {"heartbeat": 0.02}
    beats: list[str] = []
    done = threading.Event()

    def renew(self: JobContext) -> None:
        beats.append("beat")
        if len(beats) == 1:
            raise DatabaseError("database is locked")
        done.set()

    monkeypatch.setattr(JobContext, "renew", renew)
    worker.run(a_job(lambda job: done.wait(10) and None).id)
    assert len(beats) >= 2


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_that_finds_the_job_taken_lets_the_handler_know(settings: Any) -> None:
    settings.JOBS = {"heartbeat": 0.02}
    known: list[bool] = []

    def handler(job):
        stolen(job)
        while not job.lost:
            threading.Event().wait(0.01)
        known.append(job.must_stop())
        job.check_cancelled()

    worker.run(a_job(handler).id)
    assert known == [True]
    assert Job.objects.get().state == JobState.RUNNING
