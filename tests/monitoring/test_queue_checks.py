"""The clock and the workers: each of them can be silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from influencer.jobs import health, services
from influencer.jobs.models import JobState
from monitoring.checks import queue
from monitoring.report import State
from scheduling.models import Fired, FiredState, NextDue
from tests.influencer.jobs.factories import a_job, a_kind, put

pytestmark = pytest.mark.django_db


def beat(name: str, seconds_ago: float = 0) -> None:
    health.beat(name, timezone.now() - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    ("seconds_ago", "state"), [(3, State.OK), (20, State.DEGRADED), (60, State.DOWN), (None, State.DOWN)]
)
def test_the_clock_is_judged_by_when_it_last_looked(seconds_ago: float | None, state: State) -> None:
    if seconds_ago is not None:
        beat(health.CLOCK, seconds_ago)
    finding = queue.scheduler(False)
    assert finding.state is state
    assert (finding.details["lastBeatAt"] is None) is (seconds_ago is None)


def test_a_silent_clock_says_how_to_start_it() -> None:
    assert "manage.py up" in queue.scheduler(False).message


def test_what_is_due_and_how_late_it_is_are_counted() -> None:
    beat(health.CLOCK)
    now = timezone.now()
    for minutes in (30, 90):
        services.start(a_kind(), not_before=now + timedelta(minutes=minutes))
    assert queue.scheduler(False).details["dueWithinTheHour"] == 1
    late = put(a_job(), state=JobState.WAITING, not_before=now - timedelta(seconds=100))
    finding = queue.scheduler(False)
    assert late.state == JobState.WAITING
    assert finding.details["lagSeconds"] >= 100
    assert finding.details["dueWithinTheHour"] == 2


def test_tasks_that_are_due_and_missed_runs_are_counted_too() -> None:
    beat(health.CLOCK)
    now = timezone.now()
    for minutes in (-1, 20, 90):
        NextDue.objects.create(task_id=f"task_{minutes}", digest="x", due=now + timedelta(minutes=minutes))
    Fired.objects.create(task_id="task_1", due=now, state=FiredState.MISSED)
    details = queue.scheduler(False).details
    assert (details["dueWithinTheHour"], details["missed"]) == (2, 1)
    assert details["lagSeconds"] >= 60


def test_all_workers_well_tells_what_they_do() -> None:
    for name in ("default", "gpu"):
        beat(name)
    a_job()
    finding = queue.workers(False)
    assert finding.state is State.OK
    assert "0 running, 1 queued" in finding.message
    assert finding.details["queued"] == 1
    assert [cluster["name"] for cluster in finding.details["clusters"]] == ["default", "gpu"]


def test_one_silent_cluster_is_degraded_and_named() -> None:
    beat("default")
    beat("gpu", 60)
    finding = queue.workers(False)
    assert finding.state is State.DEGRADED
    assert "gpu" in finding.message
    assert [cluster["alive"] for cluster in finding.details["clusters"]] == [True, False]


def test_without_any_worker_it_is_down_with_the_fix() -> None:
    finding = queue.workers(False)
    assert finding.state is State.DOWN
    assert "manage.py up" in finding.message
