"""Old jobs go; what something still refers to stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters.publishing.models import Post
from characters.training.models import Training
from influencer.jobs import retention, services
from influencer.jobs.models import Job, JobStep
from scheduling.models import Fired, FiredState
from tests.influencer.jobs.factories import a_job, put

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ended(days: float, state: str = "succeeded", **fields: Any) -> Job:
    return put(a_job(), state=state, finished_at=NOW - timedelta(days=days), **fields)


def left() -> set[str]:
    return set(Job.objects.values_list("pk", flat=True))


def test_jobs_that_ended_a_month_ago_go_with_their_steps() -> None:
    old = [ended(31, state) for state in ("succeeded", "failed", "cancelled")]
    young = ended(29)
    assert retention.forget(NOW) == 3
    assert left() == {young.pk}
    assert not JobStep.objects.filter(job_id__in=[job.pk for job in old]).exists()


def test_what_has_not_ended_stays_however_old() -> None:
    long_ago = NOW - timedelta(days=400)
    kept = {put(a_job(), state=state, created_at=long_ago).pk for state in ("queued", "waiting", "running")}
    assert retention.forget(NOW) == 0
    assert left() == kept


def test_a_post_a_training_and_a_tasks_last_run_keep_their_jobs() -> None:
    posted, trained, latest, before = (ended(90) for _ in range(4))
    Post.objects.create(key="k", character_id="c", platform="x", account="a", job_id=posted.pk)
    Training.objects.create(character_id="c", job_id=trained.pk)
    for days, job in ((2, before), (1, latest)):
        due = NOW - timedelta(days=days)
        Fired.objects.create(task_id="task_1", due=due, state=FiredState.FIRED, job_id=job.pk)
    assert retention.forget(NOW) == 1
    assert left() == {posted.pk, trained.pk, latest.pk}


def test_the_part_of_a_run_that_waits_for_review_stays() -> None:
    part = ended(45)
    run = put(services.start("run_task"), state="waiting", reason="review", memo={"following": part.pk})
    put(services.start("run_task"), state="queued", memo={})
    assert retention.forget(NOW) == 0
    assert {part.pk, run.pk} <= left()


def test_beyond_a_number_the_oldest_go_however_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 2)
    jobs = [ended(days) for days in (1, 2, 3, 4)]
    retention.forget(NOW)
    assert left() == {job.pk for job in jobs[:2]}


def test_a_few_at_a_time_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    older, old = ended(60), ended(40)
    assert retention.forget(NOW) == 1
    assert left() == {old.pk}
    assert older.pk not in left()
