from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import Failure, OrmQ, Task

from influencer.jobs import previews, services, sweep, worker
from influencer.jobs.models import JobState
from tests.influencer.jobs.factories import a_job, a_kind, abandoned, messages, put, running

pytestmark = pytest.mark.django_db


def in_seconds(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def test_the_job_of_a_dead_worker_is_queued_again() -> None:
    job = abandoned(a_job(), step="generate")
    assert sweep.requeue_orphans(timezone.now()) == 1
    again = services.get(job.id)
    assert (again.state, again.crashes, again.owner, again.is_following) == ("queued", 1, "", True)
    assert len(messages(job)) == 2
    assert sweep.requeue_orphans(timezone.now()) == 0
    assert worker.run(job.id)


def test_a_job_whose_worker_lives_is_left_alone() -> None:
    job = running(a_job())
    assert sweep.sweep(in_seconds(35)) == 0
    assert services.get(job.id).state == JobState.RUNNING


def test_a_job_that_kills_its_workers_fails_after_the_fifth() -> None:
    job = a_job()
    for crash in range(1, 6):
        abandoned(job, step="generate")
        assert sweep.requeue_orphans(timezone.now()) == 1
        assert services.get(job.id).crashes == crash
    failed = services.get(job.id)
    assert (failed.state, failed.error["code"], failed.error["step"]) == ("failed", "worker_died", "generate")
    assert services.retry(job.id).crashes == 0


def test_a_job_whose_message_is_lost_is_delivered_again() -> None:
    job = a_job()
    OrmQ.objects.all().delete()
    assert sweep.redeliver_lost(in_seconds(20)) == 0
    assert sweep.redeliver_lost(in_seconds(31)) == 1
    [message] = messages(job)
    assert services.get(job.id).delivery == message.pk


def test_a_message_in_the_hands_of_a_cluster_gets_one_copy_at_most() -> None:
    """A dead cluster's would come free only after `retry`, an hour on."""
    job, later = a_job(), in_seconds(3600)
    OrmQ.objects.update(lock=later + timedelta(seconds=3600))
    assert sweep.redeliver_lost(in_seconds(31)) == 1
    OrmQ.objects.filter(pk=messages(job)[-1].pk).update(lock=timezone.now())
    assert sweep.redeliver_lost(later) == 0
    assert len(messages(job)) == 2


def test_a_message_that_lies_in_the_queue_is_left_alone() -> None:
    a_job()
    assert sweep.redeliver_lost(in_seconds(3600)) == 0


def test_dispatch_starts_what_is_due_oldest_first_and_leaves_the_rest() -> None:
    kind, base = a_kind(), timezone.now()
    jobs = [services.start(kind, not_before=base + timedelta(minutes=minute)) for minute in (3, 1, 2, 60)]
    assert sweep.dispatch_due(base + timedelta(minutes=5)) == 3
    order = [row.name() for row in OrmQ.objects.order_by("pk")]
    assert order == [jobs[1].id, jobs[2].id, jobs[0].id]
    assert services.get(jobs[3].id).state == JobState.WAITING


def test_a_job_cancelled_before_its_time_is_not_dispatched() -> None:
    job = services.start(a_kind(), not_before=in_seconds(60))
    services.cancel(job.id)
    assert not sweep.dispatch(job.id, job.cluster, in_seconds(61))


def test_a_crashed_job_that_is_cancelled_while_queued_is_told_through_its_handler() -> None:
    told: list[bool] = []
    job = a_job(lambda job: told.append(job.must_stop()) or job.check_cancelled())
    abandoned(job, memo={"prompt_id": "p1"})
    sweep.requeue_orphans(timezone.now())
    assert services.cancel(job.id).state == JobState.QUEUED
    worker.run(job.id)
    assert told == [True]
    assert services.get(job.id).state == JobState.CANCELLED


def test_old_failed_tasks_of_the_queue_are_thrown_away() -> None:
    for number, days in enumerate((1, 40)):
        stopped = timezone.now() - timedelta(days=days)
        Task.objects.create(
            id=str(number), name="t", func="f", started=stopped, stopped=stopped, success=False
        )
    sweep.prune(timezone.now())
    assert [failure.id for failure in Failure.objects.all()] == ["0"]


def test_a_waiting_job_keeps_its_reason_on_the_way_to_a_worker() -> None:
    job = put(a_job(), state="waiting", reason="following", not_before=timezone.now())
    sweep.dispatch_due(timezone.now())
    assert services.get(job.id).is_following


def test_previews_of_jobs_that_have_ended_are_thrown_away() -> None:
    ended, open_job = put(a_job(), state="succeeded"), a_job()
    for job in (ended, open_job):
        previews.write(job.id, b"jpeg")
    sweep.prune(timezone.now())
    assert [previews.read(job.id) for job in (ended, open_job)] == [None, b"jpeg"]
