"""A task from its first keystroke to its post: previewed, fired, paused, run by hand, looked back at.

With SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsing import signed_in, toast
from tests.running import Running, running_up, until
from tests.screenshots import shoot, shoot_all

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
SECONDS = 1000
LUNA = {
    "id": "char_luna",
    "name": "Luna the Mystic",
    "personality": "Dreamy",
    "triggerWord": "luna_character",
    "instagramHandle": "@luna.mystic",
    "promptSettings": {"basePrompt": "a beautiful portrait of luna_character"},
}
CAPTION = "The tide brought a letter. #sea"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "live").mkdir(parents=True)
    (folder / "live" / "characters.json").write_bytes(orjson.dumps([LUNA]))
    with running_up(folder) as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, running: Running) -> Iterator[Page]:
    with signed_in(browser, running, "/scheduling/") as page:
        yield page


def task(page: Page) -> Locator:
    return page.locator("li.task")


def test_a_task_is_planned_fires_rests_and_runs_by_hand(page: Page, running: Running) -> None:
    _open_the_empty_tab(page)
    _add_a_task_watching_its_next_runs(page)
    _see_it_fire(page)
    _see_that_it_does_not_fire_while_paused(page, running)
    _run_it_by_hand(page)
    _find_the_post_in_its_history(page)


def _open_the_empty_tab(page: Page) -> None:
    expect(page.get_by_role("heading", name="No tasks yet")).to_be_visible()
    alive = re.compile(r"Running\s*last looked .* workers")
    expect(page.locator("#pulse")).to_contain_text(alive, timeout=60 * SECONDS)
    shoot_all(page, "scheduling-empty")


def _add_a_task_watching_its_next_runs(page: Page) -> None:
    page.get_by_role("link", name="Add Task").first.click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Character").select_option("Luna the Mystic")
    dialog.get_by_label("When").select_option("Own schedule")
    for typed, said in (("61 * * * *", "The minute can't be 61"), ("* * * * *", "Every minute")):
        dialog.get_by_label("Schedule", exact=True).fill(typed)
        expect(dialog.locator("#upcoming")).to_contain_text(said)
    expect(dialog.locator("#upcoming li")).to_have_count(10)
    dialog.get_by_label("Text", exact=True).fill("by the sea, golden hour")
    dialog.get_by_label("Caption optional", exact=True).fill(CAPTION)
    dialog.get_by_label("When").select_option("Once")
    dialog.get_by_label("Once at").fill(_soon(page))
    expect(dialog.locator("#upcoming")).to_contain_text("Once, on")
    shoot_all(page, "add-task")
    dialog.get_by_role("button", name="Add Task").click()
    toast(page, "Added: generate and post to Instagram.")
    expect(task(page)).to_contain_text("Once, on")


def _soon(page: Page) -> str:
    """A few seconds ahead, as the clock of the dashboard shows it."""
    shown = page.locator("#pulse time").last.get_attribute("datetime") or ""
    there = datetime.now(datetime.fromisoformat(shown).tzinfo)
    return f"{there + timedelta(seconds=15):%Y-%m-%dT%H:%M:%S}"


def _see_it_fire(page: Page) -> None:
    """Nobody touches the page: it follows by itself."""
    expect(task(page)).to_contain_text("sandbox post", timeout=60 * SECONDS)
    expect(task(page)).to_contain_text("over")
    expect(page.locator("#recent")).to_contain_text("Luna the Mystic, generate and post to Instagram")
    shoot_all(page, "scheduling", full=True)


def _see_that_it_does_not_fire_while_paused(page: Page, running: Running) -> None:
    """Its time is set a second ahead, in the file, and let pass: the clock looks twice a second."""
    task(page).get_by_role("button", name="Pause").click()
    expect(task(page)).to_contain_text("paused")
    file, due = running.data / "scheduler.json", datetime.now(UTC) + timedelta(seconds=1)
    [record] = orjson.loads(file.read_bytes())
    assert record["active"] is False
    file.write_bytes(orjson.dumps([{**record, "runAt": due.isoformat()}]))
    until(lambda: datetime.now(UTC) > due + timedelta(seconds=3), 30)
    page.reload()
    expect(page.locator("#recent tbody tr")).to_have_count(1)


def _run_it_by_hand(page: Page) -> None:
    """Its image is made at once; its post waits for a minute to have passed since the first."""
    task(page).locator("summary").click()
    task(page).get_by_role("link", name="Run now").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("It is paused, and stays so.")
    shoot(page, "run-now")
    dialog.get_by_role("button", name="Run now").click()
    toast(page, "Started 1 run.")
    expect(page.locator("#recent tbody tr")).to_have_count(2)
    expect(page.locator("#recent tbody tr").first).to_contain_text(re.compile("waits until|sandbox post"))


def _find_the_post_in_its_history(page: Page) -> None:
    task(page).locator("summary").click()
    task(page).get_by_role("link", name="History").click()
    rows = page.locator("table.runs tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("by hand")
    expect(rows.nth(1)).to_contain_text("on schedule")
    shoot_all(page, "task-history")
    rows.nth(1).get_by_role("link", name="sandbox post").click()
    expect(page.locator("dialog")).to_contain_text("Posted to Instagram in the sandbox")
    shoot(page, "run")
    page.keyboard.press("Escape")
    see = rows.nth(1).get_by_role("link", name="See the post")
    feed = page.context.new_page()
    feed.goto(see.get_attribute("href") or "")
    expect(feed.get_by_text(CAPTION).first).to_be_visible()
    feed.close()
