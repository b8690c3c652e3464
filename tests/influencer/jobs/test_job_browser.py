"""Jobs in a real Chromium: they keep themselves current, and end where they began."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from influencer.clients.errors import ServiceError
from influencer.jobs import previews, services, worker
from influencer.jobs.models import Job, JobState, JobStep
from tests.characters.opening import OpenPage, open_product
from tests.influencer.jobs.factories import a_job, a_kind, put, running
from tests.looking import assert_fine
from tests.running import until

__all__ = ["open_product"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect.set_options(timeout=20_000)
SHOTS = os.environ.get("SCREENSHOTS", "")

Open = Callable[..., Page]


@pytest.fixture
def open_jobs(browser: Browser, live_server: Any, settings: Any) -> Iterator[Open]:
    """Opens a signed-in page; at the end no script may have broken or met the policy."""
    complaints: list[str] = []
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts = []

    def opened(path: str = "/monitoring/", width: int = 1280, **options: Any) -> Page:
        viewport = {"width": width, "height": 844}
        context = browser.new_context(base_url=live_server.url, viewport=viewport, **options)
        contexts.append(context)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def every_state() -> None:
    kind = a_kind(cluster="gpu")
    at_work = running(
        services.start(kind), message="Step 7 of 20", progress=0.35, seconds_left=9, step="generate"
    )
    JobStep.objects.filter(job=at_work, name="queue").update(
        state="succeeded",
        started_at=at_work.started_at,
        finished_at=at_work.started_at + timedelta(seconds=2),
    )
    JobStep.objects.filter(job=at_work, name="generate").update(
        state="running", started_at=at_work.started_at
    )
    jpeg = io.BytesIO()
    Image.new("RGB", (48, 60), (90, 110, 160)).save(jpeg, "JPEG")
    previews.write(at_work.id, jpeg.getvalue())
    services.start(kind)
    later = timezone.now() + timedelta(hours=2)
    put(a_job(label="Post"), state="waiting", reason="quota", until=later, message="X allows 17 posts a day.")
    worker.run(a_job(_fails, label="Post", steps=("image", "publish", "link")).id)
    worker.run(a_job(_unknown, label="Post", steps=("publish",)).id)
    worker.run(a_job(lambda job: {"images": 4}).id)
    services.cancel(a_job().id)


def _fails(job: Any) -> None:
    with job.step("image"):
        pass
    with job.step("publish"):
        fix = "Reconnect the account, then retry; image and caption are kept."
        raise ServiceError(
            "Instagram refused the token of @mei_tnk.", service="Instagram", code="190", fix=fix
        )


def _unknown(job: Any) -> None:
    with job.step("publish"):
        raise ServiceError(
            "X did not answer in 30 s.", service="X", outcome_unknown=True, fix="We are asking X."
        )


@pytest.mark.parametrize("width", [1280, 390])
def test_the_list_is_accessible_in_every_state(open_jobs: Open, width: int) -> None:
    every_state()
    page = open_jobs(width=width)
    page.evaluate("document.querySelectorAll('details.jobrow').forEach(row => { row.open = true })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if SHOTS:
            page.wait_for_timeout(300)
            page.screenshot(path=str(Path(SHOTS) / f"jobs-{width}-{scheme}.png"), full_page=True)
        assert_fine(page)


def test_a_job_moves_where_it_stands_and_says_so(open_jobs: Open) -> None:
    job = running(a_job(), message="Step 1 of 20", progress=0.05)
    page = open_jobs()
    component, told = page.locator(f"#{job.id}"), page.locator("#said")
    expect(component).to_contain_text("Step 1 of 20")
    height = component.bounding_box()["height"]
    put(job, message="Step 12 of 20", progress=0.6, seconds_left=4)
    expect(component).to_contain_text("Step 12 of 20")
    expect(component.locator("progress")).to_have_attribute("value", "60")
    expect(told).to_have_text("Image: 50 %")
    assert component.bounding_box()["height"] == height
    page.evaluate("addEventListener('job-finished', event => { window.ended = event.detail })")
    put(job, state="succeeded", progress=1, message="4 images", finished_at=timezone.now())
    expect(component).to_contain_text("4 images")
    expect(page.locator(f"#row-{job.id} .chip")).to_contain_text("done")
    assert page.evaluate("window.ended.id") == job.id


def test_polling_ends_with_the_job(open_jobs: Open) -> None:
    job = running(a_job())
    page = open_jobs()
    with page.expect_request(f"**/jobs/{job.id}/fragment*"):
        pass
    put(job, state="succeeded", finished_at=timezone.now())
    expect(page.locator(f"#row-{job.id} .chip")).to_contain_text("done")
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "fragment" in request.url else None)
    page.wait_for_timeout(1300)
    assert polls == []


def test_refused_looks_say_nothing_and_the_job_moves_again_afterwards(
    open_product: OpenPage,
) -> None:
    job = running(a_job(), message="Step 1 of 20")
    page = open_product("/monitoring/")
    expect(page.locator(f"#{job.id}")).to_contain_text("Step 1 of 20")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        said = {"HX-Trigger": '{"toast": {"message": "It is locked.", "kind": "bad"}}'}
        route.fulfill(status=503, headers=said if len(refused) % 2 else {})

    page.route("**/fragment*", refuse)
    until(lambda: len(refused) >= 2 or page.wait_for_timeout(100))
    page.unroute("**/fragment*")
    put(job, message="Step 12 of 20")
    expect(page.locator(f"#{job.id}")).to_contain_text("Step 12 of 20")
    expect(page.locator(".toasts > .toast")).to_have_count(0)


def test_who_has_tabbed_to_cancel_stays_there_while_the_job_moves(open_jobs: Open) -> None:
    job = running(a_job(), message="Step 1 of 20")
    page = open_jobs()
    page.get_by_role("button", name="Cancel").focus()
    put(job, message="Step 12 of 20")
    expect(page.locator(f"#{job.id}")).to_contain_text("Step 12 of 20")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()


def test_a_row_that_was_closed_stays_closed_when_its_job_ends(open_jobs: Open) -> None:
    job = running(a_job())
    page = open_jobs()
    row = page.locator(f"#row-{job.id}")
    row.locator("summary").click()
    put(job, state="succeeded", finished_at=timezone.now())
    expect(row.locator(".chip")).to_contain_text("done")
    expect(row.locator("details")).not_to_have_attribute("open", "")
    row.locator("summary").click()
    expect(row.locator(".timeline")).to_be_visible()


def test_the_header_counts_also_when_its_first_look_was_refused(open_product: OpenPage) -> None:
    page = open_product("/characters/")
    page.route("**/jobs/header*", lambda route: route.fulfill(status=503))
    with page.expect_response("**/jobs/header*"):
        page.reload()
    page.unroute("**/jobs/header*")
    running(a_job())
    expect(page.locator(".topbar .chip.live")).to_contain_text("1 running")


def test_cancel_and_retry_work_in_place(open_jobs: Open) -> None:
    job = a_job()
    page = open_jobs()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(f"#row-{job.id} .chip")).to_contain_text("cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(f"#{job.id}")).to_contain_text("Queued at 1")
    assert services.get(job.id).state == JobState.QUEUED


def test_a_cancel_that_comes_too_late_is_said_in_a_toast(open_jobs: Open) -> None:
    job = running(a_job(cancellable_until="save"), step="generate", message="Step 19 of 20")
    page = open_jobs()
    page.route("**/fragment*", lambda route: route.fulfill(status=204))  # it would take the button away
    Job.objects.filter(pk=job.id).update(step="save")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".toast")).to_contain_text("too late")
    expect(page.locator(f"#{job.id}")).to_contain_text("Step 19 of 20")


def test_without_javascript_a_job_is_cancelled_and_looked_at_again(open_jobs: Open) -> None:
    job = a_job()
    page = open_jobs(java_script_enabled=False)
    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/monitoring/")
    assert services.get(job.id).state == JobState.CANCELLED


def test_the_header_counts_along(open_jobs: Open) -> None:
    page = open_jobs()
    expect(page.get_by_text("1 running")).to_have_count(0)
    job = running(a_job())
    chip = page.locator("header a.chip.live")
    expect(chip).to_have_text("1 running")
    put(job, state="succeeded")
    expect(chip).to_have_count(0)
