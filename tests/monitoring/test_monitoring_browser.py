"""The Monitoring tab in a real Chromium: every button, by mouse and keyboard, small and dark.

With SCREENSHOTS set to a folder its pictures are taken on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from characters.images.models import Image
from characters.publishing.models import Post
from influencer.clients.errors import ServiceError
from influencer.jobs import services, worker
from influencer.jobs.models import Job
from monitoring import checks, events
from monitoring.models import Kind, Level
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch
from tests.characters.people import someone
from tests.influencer.jobs.factories import PLAYS, a_job, a_kind, put, running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect.set_options(timeout=20_000)
SHOTS = os.environ.get("SCREENSHOTS", "")
Open = Callable[..., Page]


class Services:
    """What the checks find, as the test orders it."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}

    def check(self, name: str, label: str) -> Check:
        well = Finding(State.OK, "Fine.")
        return Check(name, label, lambda fresh: self.findings.get(name, well))

    def say(self, name: str, state: State, message: str, **details: Any) -> None:
        self.findings[name] = Finding(state, message, details)


@pytest.fixture
def services_there(monkeypatch: pytest.MonkeyPatch) -> Services:
    found = Services()
    lines = [found.check(check.name, check.label) for check in checks.CHECKS]
    monkeypatch.setattr(checks, "everything", Watch(lines, keep=0.5, seconds=20))
    return found


@pytest.fixture
def visit(browser: Browser, live_server: Any, settings: Any, services_there: Services) -> Iterator[Open]:
    """Opens the tab, signed in; at the end no script may have broken or met the policy."""
    complaints: list[str] = []
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts = []

    def opened(query: str = "", width: int = 1280, **options: Any) -> Page:
        viewport = {"width": width, "height": 844}
        context = browser.new_context(base_url=live_server.url, viewport=viewport, **options)
        contexts.append(context)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"/monitoring/{query}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def a_busy_month(services_there: Services) -> Job:
    """Something in every part; the job that failed."""
    luna, now = someone("Luna"), timezone.now()
    about = {"character_id": luna.pk, "width": 4, "height": 5, "mime_type": "image/png", "pixel_hash": "x"}
    for number in range(12):
        due = now - timedelta(days=number % 6, hours=1)
        late = timedelta(minutes=30 if number == 3 else 1)
        state = {"state": "failed"} if number == 5 else {"state": "published", "published_at": due + late}
        Post.objects.create(key=str(number), character_id=luna.pk, platform="x", due_at=due, **state)
        Image.objects.create(file="a.png", duration_ms=9000 + 700 * number, **about)
    failed = services.start(a_kind(label="Post", steps=("image", "publish", "link")), character_id=luna.pk)
    PLAYS[failed.kind] = _refused
    worker.run(failed.pk)
    running(services.start(a_kind(), character_id=luna.pk), message="Step 7 of 20", progress=0.35)
    events.record(Kind.SERVICE, "X: It can't be reached. Check the network.", Level.WARN, service="X")
    broken = {"characterId": luna.pk, "character": "Luna", "handle": "@luna", "state": "down"}
    message = "Instagram refused the token (code 190). Reconnect the account."
    services_there.say("instagram", State.DOWN, f"Luna: {message}", accounts=[{**broken, "message": message}])
    return failed


def _refused(job: Any) -> None:
    with job.step("image"):
        pass
    with job.step("publish"):
        fix = "Reconnect the account, then retry; image and caption are kept."
        raise ServiceError("Instagram refused the token.", service="Instagram", code="190", fix=fix)


def card(page: Page, name: str) -> Any:
    return page.get_by_role("article", name=name)


def assert_fine(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_accessible_wide_and_narrow_light_and_dark(
    visit: Open, a_busy_month: Job, width: int, scheme: str
) -> None:
    page = visit(width=width, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#status")).to_contain_text("1 account is broken")
    page.locator(f"#summary-{a_busy_month.pk}").click()
    expect(page.get_by_text("Stopped here: Instagram, code 190")).to_be_visible()
    for table in page.get_by_text("As a table").all():
        table.click()
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"monitoring-{width}-{scheme}.png"), full_page=True)
    assert_fine(page)


def test_the_page_keeps_itself_current_and_nothing_jumps(visit: Open, services_there: Services) -> None:
    page = visit()
    expect(page.locator("#status")).to_contain_text("Everything works")
    place = page.locator("#jobs-title").bounding_box()
    services_there.say("comfyui", State.DOWN, "It does not answer. Check it.")
    expect(page.locator("#status")).to_contain_text("ComfyUI is down", timeout=15_000)
    expect(card(page, "ComfyUI")).to_contain_text("It does not answer. Check it.")
    expect(page.locator("#status-said")).to_have_text("ComfyUI is down")
    services_there.findings.clear()
    expect(page.locator("#status")).to_contain_text("Everything works", timeout=15_000)
    assert page.locator("#jobs-title").bounding_box() == place


def test_refresh_status_asks_fresh_by_keyboard_alone(visit: Open, services_there: Services) -> None:
    page = visit()
    expect(page.locator("#status")).to_contain_text("Everything works")
    services_there.say("database", State.DOWN, "prompts.json is damaged. Restore it.")
    page.get_by_role("button", name="Refresh Status").focus()
    page.keyboard.press("Enter")
    expect(card(page, "Database")).to_contain_text("prompts.json is damaged. Restore it.")
    expect(page.locator("#status-said")).to_have_text("Checked just now: Database is down")
    expect(page.get_by_role("button", name="Refresh Status")).to_be_focused()


def test_without_scripts_refresh_status_filters_and_steps_still_work(visit: Open, a_busy_month: Job) -> None:
    page = visit(java_script_enabled=False)
    page.get_by_role("button", name="Refresh Status").click()
    expect(page.locator("#status")).to_contain_text("1 account is broken")
    page.locator(f"#summary-{a_busy_month.pk}").click()
    page.get_by_role("link", name="Show its steps").click()
    page.get_by_role("link", name="Failed 1").click()
    expect(page.get_by_text("Stopped here: Instagram, code 190")).to_be_visible()
    page.get_by_role("button", name="Retry from Publish").click()
    assert services.get(a_busy_month.pk).state == "queued"


def test_jobs_are_filtered_paged_and_searched(visit: Open, a_busy_month: Job) -> None:
    page = visit()
    for _ in range(21):
        put(a_job(label="Picture"), state="succeeded", finished_at=timezone.now())
    page.reload()
    rows = page.locator("#jobs .jobrow")
    expect(rows).to_have_count(20)
    page.locator("#jobs").get_by_label("Next page").click()
    expect(rows).to_have_count(3)
    assert "page=2" in page.url
    page.locator("#jobs").get_by_role("link", name="Failed").click()
    expect(rows).to_have_count(1)
    page.get_by_label("Search jobs").fill("nothing like it")
    expect(page.locator("#jobs")).to_contain_text("No job holds “nothing like it”.")
    assert "state=failed" in page.url and "q=nothing" in page.url
    page.get_by_label("Search jobs").fill("refused the token")
    expect(rows).to_have_count(1)
    page.get_by_label("Character", exact=True).select_option("Luna")
    expect(page.locator("#jobs[hx-get*='character=char']")).to_be_visible()


def test_a_job_is_tried_again_where_it_stands(visit: Open, a_busy_month: Job) -> None:
    page = visit()
    page.locator(f"#summary-{a_busy_month.pk}").click()
    page.locator(f"#{a_busy_month.pk}").get_by_role("button", name="Retry from Publish").click()
    expect(page.locator(f"#{a_busy_month.pk}")).to_contain_text("Queued at")
    assert services.get(a_busy_month.pk).state == "queued"


def test_a_row_stays_open_when_the_list_loads_itself_anew(visit: Open, a_busy_month: Job) -> None:
    page = visit()
    page.locator(f"#summary-{a_busy_month.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stopped here: Instagram, code 190")).to_be_visible()
    fresh = running(a_job(), message="Step 1 of 20")
    expect(page.locator(f"#row-{fresh.pk}")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("Stopped here: Instagram, code 190")).to_be_visible()
    expect(page.locator(f"#summary-{a_busy_month.pk}")).to_be_focused()
    page.locator(f"#{fresh.pk}").get_by_role("button", name="Cancel").click()
    expect(page.locator(f"#{fresh.pk}")).to_contain_text("Cancelling")


def test_the_header_leads_to_the_jobs(visit: Open, a_busy_month: Job) -> None:
    page = visit()
    page.locator("header a.chip.live").click()
    page.wait_for_url("**/monitoring/#jobs")


def test_periods_and_events_are_chosen_in_place(visit: Open, a_busy_month: Job) -> None:
    page = visit()
    page.get_by_role("link", name="24 h").click()
    expect(page.locator("#charts")).to_contain_text("Posts")
    expect(page.get_by_role("img", name="Posts in 24 hours", exact=False)).to_be_visible()
    assert "period=24h" in page.url
    expect(page.get_by_role("link", name="24 h")).to_be_focused()
    log = page.locator("#events")
    page.get_by_label("Level").select_option("Errors")
    expect(log).to_contain_text("Publish failed: Instagram refused the token.")
    expect(log).not_to_contain_text("It can't be reached")
    page.get_by_label("Events about").select_option("Services")
    expect(log).not_to_contain_text("Publish failed")
    page.get_by_label("Level").select_option("Everything")
    expect(log).to_contain_text("It can't be reached")
    assert "about=service" in page.url and "period=24h" in page.url
