from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from influencer.jobs import figures, worker
from tests.influencer.jobs.factories import a_job, put, running

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


def test_a_job_is_shown_with_its_steps(owner: Client) -> None:
    job = a_job(lambda job: {"imageIds": ["img_1"]})
    worker.run(job.id)
    answer = owner.get(f"/api/jobs/{job.id}").json()
    assert answer["success"] is True
    assert (answer["job"]["state"], answer["job"]["result"]) == ("succeeded", {"imageIds": ["img_1"]})
    assert [step["name"] for step in answer["job"]["steps"]] == ["queue", "generate", "save"]


def test_an_unknown_job_is_404(owner: Client) -> None:
    for method, path in ((owner.get, ""), (owner.post, "/cancel"), (owner.post, "/retry")):
        answer = method(f"/api/jobs/job_0_x{path}", content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_job_is_cancelled_and_retried(owner: Client) -> None:
    job = a_job()
    cancelled = owner.post(f"/api/jobs/{job.id}/cancel", content_type="application/json")
    assert cancelled.json()["job"]["state"] == "cancelled"
    again = owner.post(f"/api/jobs/{job.id}/retry", content_type="application/json")
    assert again.json()["job"]["state"] == "queued"


def test_a_cancel_that_comes_too_late_is_409(owner: Client) -> None:
    job = running(a_job(cancellable_until="save"), step="save")
    answer = owner.post(f"/api/jobs/{job.id}/cancel", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


def test_a_retry_of_what_did_not_fail_is_409(owner: Client) -> None:
    answer = owner.post(
        f"/api/jobs/{put(a_job(), state='succeeded').id}/retry", content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "not_failed")
    assert figures.for_header().queued == 0


def test_without_a_sign_in_it_is_401(client: Client) -> None:
    assert client.get(f"/api/jobs/{a_job().id}").status_code == 401
