from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from influencer.jobs import services, worker
from influencer.jobs.models import Job
from tests.influencer.jobs.factories import a_job, put, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


def choose(client: Client, action: str, *jobs: Job) -> str:
    data = {"action": action, "_selected_action": [job.id for job in jobs]}
    return client.post(reverse("admin:jobs_job_changelist"), data, follow=True).content.decode()


def test_jobs_can_be_looked_at_with_their_steps(owner: Client) -> None:
    job = a_job()
    worker.run(job.id)
    assert job.id in owner.get(reverse("admin:jobs_job_changelist"), {"q": job.id}).content.decode()
    assert "generate" in owner.get(reverse("admin:jobs_job_change", args=[job.id])).content.decode()


def test_jobs_can_be_neither_added_nor_changed_nor_deleted(owner: Client) -> None:
    job = a_job()
    assert owner.get(reverse("admin:jobs_job_add")).status_code == 403
    assert owner.post(reverse("admin:jobs_job_change", args=[job.id]), {"state": "failed"}).status_code == 403
    assert owner.post(reverse("admin:jobs_job_delete", args=[job.id]), {"post": "yes"}).status_code == 403


def test_jobs_are_cancelled_and_retried_through_the_services(owner: Client) -> None:
    queued, late = a_job(), running(a_job(cancellable_until="save"), step="save")
    html = choose(owner, "cancel_jobs", queued, late)
    assert f"Image {queued.id} is cancelled." in html
    assert "too late" in html
    choose(owner, "retry_jobs", queued)
    assert services.get(queued.id).state == "queued"


def test_the_queue_can_be_looked_at_and_nothing_more(owner: Client) -> None:
    job = put(a_job(), state="cancelled")
    Task.objects.create(id="1", name="done", func="f", started=job.created_at, stopped=job.created_at)
    Task.objects.create(
        id="2", name="bad", func="f", started=job.created_at, stopped=job.created_at, success=False
    )
    rows = ((OrmQ, OrmQ.objects.get().pk), (Success, "1"), (Failure, "2"))
    for model, pk in rows:
        name = f"admin:django_q_{model._meta.model_name}"
        html = owner.get(reverse(f"{name}_changelist")).content.decode()
        assert "resubmit" not in html.lower()
        assert "delete_selected" not in html
        assert owner.get(reverse(f"{name}_change", args=[pk])).status_code == 200
        assert owner.post(reverse(f"{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403
        assert owner.post(
            reverse(f"{name}_changelist"), {"action": "resubmit_task", "_selected_action": [pk]}
        ).status_code in {200, 302, 403}
    assert OrmQ.objects.count() == 1


def test_the_queues_own_schedules_are_not_offered() -> None:
    assert not admin.site.is_registered(Schedule)
    with pytest.raises(NoReverseMatch):
        reverse("admin:django_q_schedule_changelist")
