from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from influencer.clients.errors import ServiceError
from influencer.errors import Conflict, NotFound, Problem, TookTooLong, Unavailable
from influencer.jobs import Wait, figures, health, services, sweep, worker
from influencer.jobs.models import Job, JobState
from tests.influencer.jobs.factories import (
    HEARD,
    a_job,
    a_kind,
    abandoned,
    hear,
    messages,
    put,
    running,
    steps,
)

pytestmark = pytest.mark.django_db


def test_start_records_the_job_with_its_steps_and_queues_its_id_alone() -> None:
    job = services.start(a_kind(cluster="gpu"), character_id="char_1", request={"seed": 7}, user_id=3)
    assert (job.state, job.cluster, job.request) == ("queued", "gpu", {"seed": 7})
    assert list(steps(job)) == ["queue", "generate", "save"]
    [message] = messages(job)
    assert (message.key, message.args(), message.kwargs()) == ("gpu", (job.id,), {})
    assert services.get(job.id).delivery == message.pk


def test_a_transaction_that_fails_leaves_neither_job_nor_message() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        a_job()
        1 / 0  # noqa: B018
    assert not Job.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_job_for_later_waits_until_the_clock_dispatches_it() -> None:
    later = timezone.now() + timedelta(minutes=5)
    job = services.start(a_kind(), not_before=later)
    assert (job.state, job.reason, job.until) == ("waiting", "scheduled", later)
    assert not messages(job)
    assert sweep.dispatch_due(later - timedelta(seconds=1)) == 0
    assert sweep.dispatch_due(later) == 1
    assert services.get(job.id).state == JobState.QUEUED
    assert len(messages(job)) == 1
    assert sweep.dispatch_due(later) == 0


def test_a_time_that_has_passed_starts_at_once() -> None:
    assert services.start(a_kind(), not_before=timezone.now()).state == JobState.QUEUED


def test_an_unknown_job_is_not_found() -> None:
    for ask in (services.get, services.cancel, services.retry, services.wake):
        with pytest.raises(NotFound):
            ask("job_0_none")


# --- wake, wait, run here --------------------------------------------------------------------


def test_a_waiting_job_can_be_woken_early_and_one_without_a_time_only_so() -> None:
    def handler(job):
        if job.attempt == 1:
            raise Wait(None, "review", "Waits for you")

    job = a_job(handler)
    worker.run(job.id)
    assert sweep.dispatch_due(timezone.now() + timedelta(days=400)) == 0
    assert services.wake(job.id).state == JobState.QUEUED
    worker.run(job.id)
    assert services.wake(job.id).state == JobState.SUCCEEDED


def test_waiting_for_a_job_ends_when_the_job_does() -> None:
    job = a_job(lambda job: {"n": 1})
    worker.run(job.id)
    assert services.wait_for(job.id, seconds=0).result == {"n": 1}


def test_waiting_too_long_names_the_job_that_goes_on() -> None:
    job = a_job()
    with pytest.raises(TookTooLong) as slow:
        services.wait_for(job.id, seconds=0)
    assert slow.value.details == {"jobId": job.id}


def test_nobody_waits_for_a_job_that_itself_waits_for_later() -> None:
    job = services.start(a_kind(), not_before=timezone.now() + timedelta(hours=3))
    with pytest.raises(TookTooLong):
        services.wait_for(job.id, seconds=300)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_job()
    held: list[bool] = []

    def sleep(seconds: float) -> None:
        held.append(connection.connection is not None)
        worker.run(job.id)

    monkeypatch.setattr(services.time, "sleep", sleep)
    services.wait_for(job.id, seconds=10)
    assert held == [False]


def test_running_here_goes_through_short_waits() -> None:
    def handler(job):
        if job.attempt < 3:
            raise Wait(timezone.now() + timedelta(milliseconds=5), "backoff")
        return {"attempts": job.attempt}

    assert services.run_here(a_job(handler).id).result == {"attempts": 3}


def test_running_here_does_not_sit_through_a_long_wait() -> None:
    def handler(job):
        raise Wait(timezone.now() + timedelta(hours=8), "quota")

    assert services.run_here(a_job(handler).id).state == JobState.WAITING


def test_ctrl_c_cancels_what_runs_here_unless_it_is_too_late() -> None:
    def handler(job):
        with job.step("generate"):
            raise KeyboardInterrupt

    early, late = a_job(handler), a_job(handler, cancellable_until="generate")
    for job in (early, late):
        with pytest.raises(KeyboardInterrupt):
            services.run_here(job.id)
    assert [services.get(job.id).state for job in (early, late)] == ["cancelled", "running"]


def test_without_a_worker_a_job_is_done_in_this_process() -> None:
    job = services.start_and_wait(a_kind(lambda job: {"here": True}), seconds=5, character_id="char_1")
    assert (job.result, job.character_id) == ({"here": True}, "char_1")


def test_with_a_live_worker_it_is_left_to_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    health.beat("default")
    monkeypatch.setattr(services.time, "sleep", lambda seconds: worker.run(Job.objects.get().id))
    assert services.start_and_wait(a_kind(), seconds=5).state == JobState.SUCCEEDED


def test_a_worker_is_required_but_for_who_works_here() -> None:
    with pytest.raises(Unavailable) as missing:
        services.require_worker("gpu")
    assert missing.value.code == "no_worker"
    with services.working_here():
        services.require_worker("gpu")


def test_the_result_of_a_job_is_what_it_made_or_what_it_failed_with() -> None:
    def fails(job):
        with job.step("generate"):
            raise ServiceError("Out of memory.", service="ComfyUI", code="oom", fix="Smaller.")

    def refuses(job):
        raise Conflict("Already posted.", code="duplicate")

    def breaks(job):
        raise RuntimeError("secret detail")

    def outcome(handler) -> Problem:
        with pytest.raises(Problem) as caught:
            services.result_of(services.run_here(a_job(handler).id))
        return caught.value

    assert services.result_of(services.run_here(a_job(lambda job: {"a": 1}).id)) == {"a": 1}
    failed, refused, broken = outcome(fails), outcome(refuses), outcome(breaks)
    assert (failed.status, failed.code, failed.fix) == (502, "oom", "Smaller.")
    assert (refused.status, refused.code) == (409, "duplicate")
    assert (broken.status, broken.code) == (500, "internal")
    assert "secret" not in broken.message
    where = {name: failed.details[name] for name in ("step", "service", "fix")}
    assert where == {"step": "generate", "service": "ComfyUI", "fix": "Smaller."}
    assert failed.details["jobId"]


# --- listeners, figures ----------------------------------------------------------------------


def test_whoever_listens_hears_of_every_end_and_can_not_prevent_it() -> None:
    kind = a_kind(on_finished=f"{hear.__module__}.hear")
    services.on_finished(kind, f"{hear.__module__}.hear_badly")
    done, cancelled = services.start(kind), services.start(kind)
    worker.run(done.id)
    services.cancel(cancelled.id)
    assert HEARD[-2:] == [(done.id, "succeeded"), (cancelled.id, "cancelled")]
    assert services.get(done.id).state == JobState.SUCCEEDED


def test_the_header_counts_what_is_at_work_and_what_is_queued() -> None:
    assert (figures.for_header().running, figures.for_header().queued) == (0, 0)
    a_job()
    running(a_job())
    abandoned(a_job())
    put(a_job(), state="waiting", reason="following")
    put(a_job(), state="waiting", reason="quota")
    put(a_job(), state="succeeded")
    counts = figures.for_header()
    assert (counts.running, counts.queued) == (3, 1)


def test_a_queued_job_knows_its_place() -> None:
    kind = a_kind(cluster="gpu")
    first, second = services.start(kind), services.start(kind)
    a_job()
    assert [figures.queue_position(job) for job in (first, second)] == [1, 2]
