"""The Scheduling tab in a real Chromium: every button, by mouse and keyboard, small and dark.

With SCREENSHOTS set to a folder its pictures are taken on the way.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.browsing import toast
from tests.looking import assert_fine
from tests.running import Running, until

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SCREENSHOTS", "")
LUNA, KAI = "char_tasks_luna", "char_tasks_kai"
OpenPage = Callable[..., Page]

CHARACTERS = [
    {"id": LUNA, "name": "Luna the Mystic", "personality": "Dreamy", "triggerWord": "luna_character"},
    {
        "id": KAI,
        "name": "Kai Mori",
        "personality": "Dry",
        "triggerWord": "kai_mori",
        "timezone": "Asia/Tokyo",
    },
]
# Far from now, whenever the tests run: nothing fires but by hand.
TASKS: list[dict[str, Any]] = [
    {"characterId": LUNA, "type": "generate_only", "config": {"prompt": "luna_character by the sea"}},
    {"characterId": KAI, "type": "generate_and_post", "active": False, "approval": "review"},
    {"characterId": LUNA, "type": "write_prompts", "config": {"count": 3}, "active": False},
    {"characterId": KAI, "type": "generate_only", "schedule": "61 * * * *"},
]


@pytest.fixture
def file(up_server: Running) -> Path:
    """Two characters and four tasks in the files of the running product."""
    own = {str(record["id"]) for record in CHARACTERS}
    people = up_server.data / "characters.json"
    people.write_bytes(orjson.dumps([*(one for one in read(people) if one["id"] not in own), *CHARACTERS]))
    file = up_server.data / "scheduler.json"
    records = [
        {
            "id": f"task_{number}",
            "schedule": f"0 {number} 1 1 *",
            "active": True,
            "config": {},
            "createdAt": f"2026-05-1{number}T15:48:00.000Z",
            **told,
        }
        for number, told in enumerate(TASKS)
    ]
    file.write_bytes(orjson.dumps(records))
    return file


def read(file: Path) -> list[dict[str, Any]]:
    return list(orjson.loads(file.read_bytes())) if file.exists() else []


def stored(file: Path, pk: str) -> dict[str, Any]:
    return next((record for record in read(file) if record["id"] == pk), {})


def row(page: Page, number: int) -> Locator:
    return page.locator(f"#row-task_{number}")


def menu(page: Page, number: int, name: str) -> None:
    row(page, number).locator("summary").click()
    row(page, number).locator(".panel").get_by_text(name, exact=True).click()


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(250)
        page.screenshot(path=Path(SHOTS) / f"ta-{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_the_page_is_accessible_wide_and_narrow_light_and_dark(
    open_page: OpenPage, file: Path, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    page.goto("/scheduling/")
    tab = page.get_by_role("link", name=re.compile("^Scheduling"))
    expect(tab).to_have_attribute("aria-current", "page")
    expect(row(page, 3)).to_contain_text("The minute can't be 61")
    look(page, f"list-{width}-{scheme}")
    assert_fine(page)
    for button, name in (("Run Now", "run"), ("Add Task", "add")):
        page.get_by_role("link", name=button).first.click()
        expect(page.locator("dialog")).to_be_visible()
        look(page, f"{name}-{width}-{scheme}")
        assert_fine(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)


def test_an_editor_that_is_a_page_of_its_own_leads_on(page: Page, file: Path) -> None:
    page.goto("/scheduling/add/")
    page.get_by_label("Character").select_option(KAI)
    page.get_by_label("Text", exact=True).fill("kai_mori in a page of its own")
    page.get_by_role("button", name="Add Task").click()
    page.wait_for_url("**/scheduling/")
    toast(page, "Added: generate and post to Instagram.")
    assert read(file)[-1]["config"] == {"prompt": "kai_mori in a page of its own"}


def test_on_a_phone_nothing_in_the_editor_is_cut_off(open_page: OpenPage, file: Path) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto("/scheduling/add/")
    cut = "field => field.scrollWidth > field.clientWidth"
    zone = page.get_by_label("Time zone")
    zone.evaluate("field => { field.value = field.placeholder; }")
    assert not zone.evaluate(cut)
    page.get_by_label("When").select_option("Once")
    moment = page.get_by_label("Once at").bounding_box()
    assert moment is not None and moment["width"] > 250


def test_a_task_is_added_with_its_next_runs_shown_while_typing(page: Page, file: Path) -> None:
    page.goto("/scheduling/")
    page.get_by_role("link", name="Add Task").click()
    dialog = page.locator("dialog")
    upcoming = dialog.locator("#upcoming")
    expect(upcoming.locator("li")).to_have_count(10)
    dialog.get_by_label("Character").select_option(KAI)
    expect(upcoming).to_contain_text("Asia/Tokyo")
    dialog.get_by_label("When").select_option("Own schedule")
    dialog.get_by_label("Schedule", exact=True).fill("61 * * * *")
    expect(upcoming).to_contain_text("The minute can't be 61")
    dialog.get_by_role("button", name="Add Task").click()
    expect(dialog.locator("#id_schedule_error")).to_contain_text("The minute can't be 61")
    expect(dialog.get_by_label("Schedule", exact=True)).to_be_focused()
    look(page, "refused")
    dialog.get_by_label("Schedule", exact=True).fill("30 9 * * 1-5")
    expect(upcoming).to_contain_text("At 09:30 Monday to Friday")
    dialog.get_by_label("Text", exact=True).fill("kai_mori on the last train")
    dialog.get_by_role("button", name="Add Task").click()
    toast(page, "Added: generate and post to Instagram.")
    expect(page.locator("li.task", has_text="At 09:30 Monday to Friday, Tokyo time")).to_be_visible()
    added = read(file)[-1]
    assert (added["schedule"], added["config"]) == ("30 9 * * 1-5", {"prompt": "kai_mori on the last train"})


def test_each_type_shows_its_own_fields(page: Page, file: Path) -> None:
    page.goto("/scheduling/add/")
    do, text, images = (
        page.get_by_label("Do"),
        page.get_by_label("Text", exact=True),
        page.locator("#of-character"),
    )
    expect(text).to_be_visible()
    expect(images).to_be_hidden()
    page.get_by_text("Next unused prompt").click()
    expect(text).to_be_hidden()
    do.select_option("Write prompts")
    expect(page.get_by_label("How many", exact=True)).to_be_visible()
    expect(page.get_by_label("Caption", exact=True)).to_be_hidden()
    do.select_option("Back up")
    expect(page.get_by_label("With all images")).to_be_visible()
    expect(page.get_by_label("Character")).to_be_hidden()
    page.get_by_label("When").select_option("Once")
    page.get_by_label("Once at").fill("2031-05-16T15:00")
    expect(page.locator("#upcoming")).to_contain_text("Once, on Friday 16 May 2031 at 15:00")


def test_pause_resume_edit_duplicate_and_delete(page: Page, file: Path) -> None:
    page.goto("/scheduling/")
    row(page, 0).get_by_role("button", name="Pause").click()
    toast(page, "Luna the Mystic: generate an image is paused.")
    row(page, 0).get_by_role("button", name="Resume").click()
    expect(row(page, 0).get_by_role("button", name="Pause")).to_be_focused()
    assert stored(file, "task_0")["active"] is True
    menu(page, 0, "Edit")
    dialog = page.locator("dialog")
    expect(dialog.get_by_label("Schedule", exact=True)).to_have_value("0 0 1 1 *")
    dialog.get_by_label("When").select_option("Every week")
    dialog.get_by_label("On", exact=True).select_option("Friday")
    look(page, "edit")
    dialog.get_by_role("button", name="Save").click()
    expect(row(page, 0)).to_contain_text("At 18:00 on Friday")
    menu(page, 0, "Duplicate")
    expect(page.locator("li.task", has_text="At 18:00 on Friday")).to_have_count(2)
    menu(page, 0, "Delete")
    look(page, "delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(row(page, 0)).to_have_count(0)
    assert stored(file, "task_0") == {}


def test_run_now_asks_and_its_result_appears_by_itself(page: Page, file: Path) -> None:
    page.goto("/scheduling/")
    page.get_by_role("link", name="Run Now").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Run all 2 active tasks now?")
    expect(dialog).to_contain_text("Luna the Mystic: generate an image")
    page.keyboard.press("Escape")
    menu(page, 2, "Run now")
    expect(dialog).to_contain_text("It is paused, and stays so.")
    dialog.get_by_role("button", name="Run now").click()
    toast(page, "Started 1 run.")
    expect(row(page, 2)).to_contain_text("3 written", timeout=20_000)
    row(page, 2).get_by_role("link", name="3 written").click()
    expect(dialog).to_contain_text("Wrote 3 prompts")
    look(page, "run-shown")
    dialog.get_by_role("link", name="History").click()
    expect(page.locator("table.runs")).to_contain_text("by hand")
    assert_fine(page)


def test_the_list_is_searched_filtered_and_kept_current(page: Page, file: Path) -> None:
    page.goto("/scheduling/")
    page.get_by_label("Search tasks").fill("by the sea")
    expect(page.locator("li.task")).to_have_count(1)
    assert "q=by" in page.url
    page.get_by_label("Search tasks").fill("")
    page.get_by_label("State").select_option("paused")
    expect(page.locator("li.task")).to_have_count(2)
    records = read(file)
    records[2]["active"] = True
    row(page, 1).locator("summary").click()
    file.write_bytes(orjson.dumps(records))
    expect(page.locator("li.task")).to_have_count(1, timeout=15_000)
    expect(row(page, 1).locator(".panel")).to_be_visible()


def test_a_task_is_paused_and_deleted_by_keyboard_alone(page: Page, file: Path) -> None:
    page.goto("/scheduling/")
    row(page, 0).get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(row(page, 0).get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete Luna the Mystic: generate an image?")).to_be_visible()
    expect(page.locator("dialog").get_by_role("link", name="Keep")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row(page, 0)).to_have_count(0)


def test_a_prompt_is_scheduled_from_the_library(page: Page, file: Path, up_server: Running) -> None:
    library = up_server.data / "prompts.json"
    kept = {"id": "prompt_t", "characterId": LUNA, "prompt": "luna_character in a forest", "used": False}
    library.write_bytes(orjson.dumps([kept]))
    page.goto("/prompts/")
    page.locator("#row-prompt_t").get_by_role("link", name="Schedule").click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_label("Text", exact=True)).to_have_value("luna_character in a forest")
    dialog.get_by_label("When").select_option("Every few hours")
    dialog.get_by_label("Every", exact=True).select_option("6 hours")
    expect(dialog.locator("#upcoming")).to_contain_text("Every 6 hours")
    dialog.get_by_role("button", name="Add Task").click()
    toast(page, "Added: generate and post to Instagram.")
    until(lambda: read(file)[-1]["schedule"] == "6h", 5)
    page.goto(f"/characters/{LUNA}/")
    expect(page.locator("#schedule")).to_contain_text("Every 6 hours")


def test_without_scripts_a_task_is_added_run_and_paused(open_page: OpenPage, file: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/scheduling/")
    page.get_by_role("link", name="Add Task").click()
    page.get_by_label("Do").select_option("Generate")
    page.get_by_label("Character").select_option(LUNA)
    page.get_by_label("When").select_option("Every month")
    page.get_by_role("button", name="Add Task").click()
    expect(page.locator("main")).to_contain_text("At 18:00 on the 1st of the month")
    row(page, 0).get_by_role("button", name="Pause").click()
    expect(row(page, 0).get_by_role("button", name="Resume")).to_be_visible()


def test_a_list_that_is_on_its_way_is_not_the_last_word(page: Page, file: Path) -> None:
    """What changes while the list loads itself anew has it load once more."""
    page.goto("/scheduling/")
    page.route("**/scheduling/pulse/*", lambda route: route.abort())  # it would come to the rescue
    held: list[Route] = []
    page.route("**/scheduling/", lambda route: route.continue_() if held else held.append(route))
    changed = "document.body.dispatchEvent(new Event('tasks-changed'))"
    with page.expect_request("**/scheduling/"):
        page.evaluate(changed)
    stale = held[0].fetch()
    file.write_bytes(orjson.dumps([{**record, "active": False} for record in read(file)]))
    page.evaluate(changed)
    with suppress(Error):  # nobody waits for it any more
        held[0].fulfill(response=stale)
    expect(row(page, 0)).to_contain_text("paused")
