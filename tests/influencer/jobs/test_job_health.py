from __future__ import annotations

import ctypes
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_execute

from influencer.jobs import health, queue, signals, tasks
from influencer.jobs.models import Beat
from tests.influencer.jobs.factories import a_job, put, running

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_cluster_never_heard_of_is_not_alive() -> None:
    assert not health.cluster_alive("gpu")
    assert health.clock_beat() is None


def test_a_cluster_lives_for_45_seconds_after_its_last_answer() -> None:
    health.beat("gpu", ago(40))
    health.beat("default", ago(50))
    assert [health.cluster_alive(name) for name in ("gpu", "default")] == [True, False]


def test_a_heartbeat_of_a_job_in_the_cluster_proves_it_alive() -> None:
    running(a_job(cluster="gpu"), owner="gpu:host:1:a")
    assert health.cluster_alive("gpu")
    assert not health.cluster_alive("default")


def test_a_job_that_runs_in_a_command_proves_nothing() -> None:
    running(a_job(cluster="gpu"), owner="here:host:1:a")
    assert not health.cluster_alive("gpu")


def test_a_cluster_that_owes_an_answer_for_too_long_is_stale() -> None:
    health.ask("gpu", ago(50))
    health.ask("default", ago(30))
    assert health.stale_clusters() == ["gpu"]
    health.beat("gpu")
    assert health.stale_clusters() == []


def test_a_cluster_nobody_asked_is_not_condemned() -> None:
    health.beat("gpu", ago(3600))
    assert health.stale_clusters() == []


def test_a_busy_cluster_is_not_stale_until_its_job_is_silent_too() -> None:
    health.ask("gpu", ago(600))
    job = running(a_job(cluster="gpu"), owner="gpu:host:1:a")
    assert health.stale_clusters() == []
    put(job, heartbeat_at=ago(50))
    assert health.stale_clusters() == ["gpu"]


def test_an_unanswered_question_is_put_again_not_twice() -> None:
    health.ask("gpu", ago(50))
    [row] = OrmQ.objects.all()
    OrmQ.objects.update(lock=timezone.now() + timedelta(hours=1))
    health.ask("gpu", timezone.now())
    [again] = OrmQ.objects.all()
    assert (again.pk, again.lock <= timezone.now()) == (row.pk, True)
    assert health.stale_clusters() == ["gpu"], "it still counts from the first question"


def test_an_answered_question_is_followed_by_a_new_one() -> None:
    health.ask("gpu", ago(15))
    OrmQ.objects.all().delete()
    health.beat("gpu")
    health.ask("gpu", timezone.now())
    assert OrmQ.objects.count() == 1
    assert [row.func() for row in OrmQ.objects.all()] == [queue.CANARY]


def test_the_answer_comes_from_the_last_process_of_the_cluster() -> None:
    health.ask(Conf.CLUSTER_NAME, ago(50))
    tasks.canary()
    assert health.stale_clusters() == [Conf.CLUSTER_NAME]
    post_execute.send(sender="django_q", task={})
    assert health.stale_clusters() == []
    assert health.cluster_alive(Conf.CLUSTER_NAME)


def test_a_cluster_that_can_not_write_its_answer_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(health, "beat", locked)
    signals.heard()


def test_without_a_database_nobody_is_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(Beat.objects, "filter", broken)
    assert health.stale_clusters() == []


def test_a_new_clock_counts_the_silence_from_its_start() -> None:
    health.ask("gpu", ago(3600))
    health.forget_questions(timezone.now())
    assert health.stale_clusters() == []
    assert health.stale_clusters(timezone.now() + timedelta(seconds=46)) == ["gpu"]


def test_where_workers_can_not_be_tied_to_their_guard_they_run_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    signals.die_with_the_guard()
