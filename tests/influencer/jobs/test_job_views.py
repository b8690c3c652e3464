from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from influencer.jobs import previews, services, worker
from influencer.jobs.models import Job, JobState
from tests.influencer.jobs.factories import a_job, a_kind, abandoned, put, running

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


def fragment(client: Client, job: Job, said: str = "") -> Any:
    return client.get(reverse("jobs:fragment", args=[job.id]), {"said": said}, **HTMX)


# --- the component ---------------------------------------------------------------------------


def test_a_job_at_work_asks_for_itself_again_each_second(owner: Client) -> None:
    job = running(a_job(), message="Step 7 of 20", progress=0.35, seconds_left=9)
    html = fragment(owner, job).content.decode()
    assert f'hx-get="{reverse("jobs:fragment", args=[job.id])}?said=q1"' in html
    assert 'hx-trigger="every 1s"' in html
    assert '<progress value="35" max="100"' in html
    assert "Step 7 of 20" in html
    assert "Cancel</button>" in html


def test_a_finished_job_asks_no_more_and_tells_the_page(owner: Client) -> None:
    kind = a_kind()
    job = services.start(kind, character_id="char_1")
    worker.run(job.id)
    answer = fragment(owner, job)
    assert "every 1s" not in answer.content.decode()
    told = json.loads(answer["HX-Trigger"])["job-finished"]
    assert told == {"id": job.id, "kind": kind, "state": "succeeded", "characterId": "char_1"}


def test_a_job_at_work_tells_the_page_of_each_quarter_and_of_nothing_between(owner: Client) -> None:
    job = running(a_job(), progress=0.3)
    told = json.loads(fragment(owner, job, said="q0")["HX-Trigger"])
    assert told["job-progressed"] == {"id": job.id, "kind": job.kind}
    assert "HX-Trigger" not in fragment(owner, job, said="q1")
    assert "job-progressed" not in fragment(owner, job)["HX-Trigger"]


def test_screen_readers_are_told_news_only(owner: Client) -> None:
    job = running(a_job(), progress=0.3)
    told = json.loads(fragment(owner, job, said="q0")["HX-Trigger"])
    assert told["job-said"] == {"text": "Image: 25 %"}
    assert "HX-Trigger" not in fragment(owner, job, said="q1")


def test_polls_are_never_stored(owner: Client) -> None:
    job = running(a_job())
    for name in ("fragment", "preview"):
        assert "no-store" in owner.get(reverse(f"jobs:{name}", args=[job.id]))["Cache-Control"]
    assert "no-store" in owner.get(reverse("jobs:header"))["Cache-Control"]


def test_without_javascript_there_is_a_way_to_look_again(owner: Client) -> None:
    assert (
        '<noscript><a class="btn" href="">Refresh</a></noscript>' in fragment(owner, a_job()).content.decode()
    )


def test_an_unknown_job_is_not_found(owner: Client) -> None:
    for name in ("fragment", "row"):
        assert owner.get(reverse(f"jobs:{name}", args=["job_0_x"])).status_code == 404


def test_strangers_see_nothing(client: Client) -> None:
    job = a_job()
    for name in ("fragment", "preview", "row"):
        assert client.get(reverse(f"jobs:{name}", args=[job.id])).status_code in {302, 303, 401, 403}


# --- cancel and retry ------------------------------------------------------------------------


def test_cancel_answers_with_the_job_as_it_stands(owner: Client) -> None:
    job = a_job()
    answer = owner.post(reverse("jobs:cancel", args=[job.id]), **HTMX)
    assert "Cancelled" in answer.content.decode()
    assert json.loads(answer["HX-Trigger"])["job-finished"]["state"] == "cancelled"
    assert services.get(job.id).state == JobState.CANCELLED


def test_a_cancel_that_comes_too_late_is_said_and_the_job_stays(owner: Client) -> None:
    job = running(a_job(cancellable_until="save"), step="save")
    answer = owner.post(reverse("jobs:cancel", args=[job.id]), **HTMX)
    assert answer.status_code == 200
    assert "too late" in json.loads(answer["HX-Trigger"])["toast"]["message"]
    assert "every 1s" in answer.content.decode()


def test_a_plain_form_leads_back_to_its_page(owner: Client) -> None:
    job = a_job()
    answer = owner.post(reverse("jobs:cancel", args=[job.id]), HTTP_REFERER="http://testserver/characters/")
    assert (answer.status_code, answer["Location"]) == (303, "http://testserver/characters/")


def test_a_plain_form_never_leads_away_from_the_product(owner: Client) -> None:
    answer = owner.post(reverse("jobs:cancel", args=[a_job().id]), HTTP_REFERER="https://evil.example/x")
    assert answer["Location"] == reverse("web:home")


def test_retry_starts_the_job_again_and_its_fragment_polls(owner: Client) -> None:
    job = put(a_job(), state="failed", error={"step": "", "code": "x", "message": "No.", "fix": ""})
    answer = owner.post(reverse("jobs:retry", args=[job.id]), **HTMX)
    assert "every 1s" in answer.content.decode()
    assert "job-started" in json.loads(answer["HX-Trigger"])
    assert services.get(job.id).state == JobState.QUEUED


def test_retry_says_from_where(owner: Client) -> None:
    job = a_job(steps=("image", "publish"))
    for step, words in (("image", ">Retry</button>"), ("publish", ">Retry from Publish</button>")):
        put(job, state="failed", error={"step": step, "code": "x", "message": "No.", "fix": ""})
        assert words in fragment(owner, job).content.decode()


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_changes_need_a_post(owner: Client, name: str) -> None:
    assert owner.get(reverse(f"jobs:{name}", args=[a_job().id])).status_code == 405


def test_changes_need_the_token_of_the_page() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("owner"))
    job = a_job()
    assert client.post(reverse("jobs:cancel", args=[job.id])).status_code == 403
    assert services.get(job.id).state == JobState.QUEUED


# --- the preview -----------------------------------------------------------------------------


def test_the_preview_is_served_with_a_tag_and_only_once(owner: Client) -> None:
    job = running(a_job())
    url = reverse("jobs:preview", args=[job.id])
    assert owner.get(url).status_code == 204
    previews.write(job.id, b"\xff\xd8jpeg")
    first = owner.get(url)
    assert (first.status_code, first["Content-Type"], first.content) == (200, "image/jpeg", b"\xff\xd8jpeg")
    assert owner.get(url, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    assert f"{url}?v={previews.version(job.id)}" in fragment(owner, job).content.decode()


def test_a_preview_can_not_be_used_to_read_other_files(owner: Client) -> None:
    assert owner.get("/jobs/..%2F..%2Fsecret/preview.jpg").status_code in {204, 404}


# --- the row ----------------------------------------------------------------------------------


def test_a_row_comes_back_open(owner: Client) -> None:
    job = put(a_job(), state="succeeded")
    html = owner.get(reverse("jobs:row", args=[job.id]), **HTMX).content.decode()
    assert f'<details class="jobrow" id="details-{job.id}" open>' in html


# --- the header ------------------------------------------------------------------------------


def test_the_header_shows_how_many_jobs_run(owner: Client) -> None:
    running(a_job())
    abandoned(a_job())
    html = owner.get(reverse("jobs:header"), **HTMX).content.decode()
    assert "2 running" in html
    assert 'hx-trigger="every 3s"' in html
    assert f'href="{reverse("monitoring:page")}#jobs"' in html


def test_with_nothing_to_show_the_header_asks_less_often(owner: Client) -> None:
    html = owner.get(reverse("jobs:header"), **HTMX).content.decode()
    assert 'hx-trigger="every 5s"' in html
    assert "chip" not in html
    assert owner.get(reverse("jobs:header"), {"seen": "0-0-0"}, **HTMX).status_code == 204


def test_the_header_tells_the_page_of_a_job_that_came_and_went_elsewhere(owner: Client) -> None:
    address = reverse("jobs:header")
    first = owner.get(address, **HTMX)
    assert "HX-Trigger" not in first
    asks = {"seen": "0-0-0", "jobs": re.findall(r"jobs=([\d.-]+)", first.content.decode())[0]}
    assert owner.get(address, asks, **HTMX).status_code == 204
    job = a_job()
    Job.objects.filter(pk=job.pk).update(character_id="char_luna")
    worker.run(job.id)
    again = owner.get(address, asks, **HTMX)
    assert set(json.loads(again["HX-Trigger"])) == {"jobs-moved", "jobs-of-char_luna"}
    for nonsense in ("", "x-y-z", "1e400-1-1", "99999999999999-1-1"):
        assert set(json.loads(owner.get(address, {"jobs": nonsense}, **HTMX)["HX-Trigger"])) == {"jobs-moved"}
    asks["jobs"] = re.findall(r"jobs=([\d.-]+)", again.content.decode())[0]
    assert owner.get(address, asks, **HTMX).status_code == 204
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED, finished_at=None)
    again = owner.get(address, asks, **HTMX)
    assert "jobs-of-char_luna" in json.loads(again["HX-Trigger"]), "it is tried again"


def test_the_header_names_queued_jobs_when_none_runs(owner: Client) -> None:
    a_job()
    assert "1 queued" in owner.get(reverse("jobs:header"), {"seen": "0-0-0"}, **HTMX).content.decode()
