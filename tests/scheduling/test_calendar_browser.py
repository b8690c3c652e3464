"""Calendar, review, missed runs and the next ones in a real Chromium, by mouse and keyboard."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browsing import toast
from tests.looking import assert_fine
from tests.running import Running

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SCREENSHOTS", "")
NOVA, KAI = "char_calendar_nova", "char_calendar_kai"
OpenPage = Callable[..., Page]
CHARACTERS = [
    {"id": NOVA, "name": "Nova Reyes", "personality": "Warm", "triggerWord": "nova_reyes"},
    {"id": KAI, "name": "Kai Mori", "personality": "Dry", "triggerWord": "kai_mori"},
]
# None of them is due while the tests run: in half a day, tomorrow at the earliest, or paused.
TASKS: list[dict[str, Any]] = [
    {"characterId": NOVA, "type": "generate_only", "timezone": "UTC"},
    {"characterId": KAI, "type": "generate_and_post", "approval": "review", "active": False},
]


@pytest.fixture
def plans(up_server: Running) -> Iterator[Running]:
    """Two tasks, one run that failed yesterday, two that wait for review, two that were missed."""
    people = up_server.data / "characters.json"
    own = {str(record["id"]) for record in CHARACTERS}
    others = [one for one in read(people) if one["id"] not in own]
    people.write_bytes(orjson.dumps([*others, *CHARACTERS]))
    far = datetime.now(UTC) + timedelta(hours=12)
    schedules = (f"{far.minute} {far.hour} * * *", "0 3 * * *")
    common = {"active": True, "config": {"prompt": "by the sea"}, "createdAt": "2026-05-10T15:48:00.000Z"}
    rows = [
        {"id": f"task_calendar_{number}", "schedule": schedule, **common, **told}
        for number, (schedule, told) in enumerate(zip(schedules, TASKS, strict=True))
    ]
    (up_server.data / "scheduler.json").write_bytes(orjson.dumps(rows))
    clear(up_server)
    yield up_server
    clear(up_server)
    (up_server.data / "scheduler.json").write_bytes(b"[]")


def read(file: Path) -> list[dict[str, Any]]:
    return list(orjson.loads(file.read_bytes())) if file.exists() else []


def clear(running: Running) -> None:
    with database(running) as rows:
        rows.execute("DELETE FROM scheduling_fired WHERE task_id LIKE 'task_calendar%'")
        rows.execute("DELETE FROM jobs_jobstep WHERE job_id LIKE 'job_calendar%'")
        rows.execute("DELETE FROM jobs_job WHERE id LIKE 'job_calendar%'")
        rows.commit()


def database(running: Running) -> Any:
    return closing(sqlite3.connect(running.data / "db.sqlite3", timeout=20))


def record(running: Running, number: int, due: datetime, became: str = "missed", **job: Any) -> None:
    """One line of the history, with a job where it has one."""
    task, pk = f"task_calendar_{number}", f"job_calendar_{due.timestamp():.0f}" if job else ""
    with database(running) as rows:
        if job:
            given = {
                "id": pk,
                "kind": "run_task",
                "character_id": (NOVA, KAI)[number],
                "cluster": "default",
                "request": orjson.dumps({"type": "generate_and_post", "config": {}}).decode(),
                "created_at": due.isoformat(sep=" "),
                "memo": "{}",
                **EMPTY,
                **job,
            }
            names = ", ".join(given)
            marks = ", ".join("?" * len(given))
            rows.execute(f"INSERT INTO jobs_job ({names}) VALUES ({marks})", list(given.values()))
        rows.execute(
            "INSERT INTO scheduling_fired (task_id, due, state, kind, job_id, why, character_id, batch, at)"
            " VALUES (?, ?, ?, 'scheduled', ?, '', ?, '', ?)",
            [task, stamp(due), became, pk, (NOVA, KAI)[number], stamp(due)],
        )
        rows.commit()


BROKEN = orjson.dumps(
    {
        "step": "image",
        "code": "out_of_memory",
        "service": "ComfyUI",
        "message": "It ran out of memory.",
        "fix": "Make it smaller.",
    }
).decode()
EMPTY: dict[str, Any] = {
    **dict.fromkeys(("step", "message", "owner", "reason"), ""),
    **dict.fromkeys(("progress", "attempts", "crashes"), 0),
}


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def waits(running: Running, caption: str, minutes: int) -> None:
    memo = {"captions": {"instagram": caption}, "alt_text": "", "image_ids": []}
    told = {"state": "waiting", "reason": "review", "memo": orjson.dumps(memo).decode()}
    record(running, 1, now() - timedelta(minutes=minutes), "fired", **told)


def now() -> datetime:
    return datetime.fromtimestamp(int(time.time()), UTC)


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(250)
        page.screenshot(path=Path(SHOTS) / f"sc-{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_calendar_and_rail_are_accessible_wide_and_narrow_light_and_dark(
    open_page: OpenPage, plans: Running, width: int, scheme: str
) -> None:
    record(
        plans,
        0,
        now() - timedelta(days=1),
        "fired",
        state="failed",
        error=BROKEN,
    )
    record(plans, 0, now() - timedelta(days=2))
    waits(plans, "Last train, window seat, no signal.", 5)
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    for address, name in (
        ("/scheduling/calendar/", "month"),
        ("/scheduling/calendar/?week=2026-05-14", "week"),
    ):
        page.goto(address)
        look(page, f"{name}-{width}-{scheme}")
        assert_fine(page)
    page.goto("/scheduling/")
    expect(page.get_by_role("heading", name="Next runs")).to_be_visible()
    look(page, f"rail-{width}-{scheme}")
    assert_fine(page)


def test_the_calendar_is_walked_by_its_links(page: Page, plans: Running) -> None:
    page.goto("/scheduling/calendar/?month=2030-05")
    expect(page.get_by_role("heading", name="May 2030")).to_be_visible()
    page.get_by_role("link", name="June 2030").click()
    expect(page.get_by_role("heading", name="June 2030")).to_be_visible()
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page.get_by_role("heading", name="27 May – 2 Jun 2030")).to_be_visible()
    page.get_by_role("link", name="Month", exact=True).click()
    page.get_by_role("link", name="April 2030").or_(page.get_by_role("link", name="May 2030")).first.click()
    page.get_by_role("link", name="Today").click()
    expect(page.locator("td[aria-current=date]")).to_have_count(1)
    page.get_by_label("Character").select_option(KAI)
    page.wait_for_url(lambda url: f"character={KAI}" in url)
    expect(page.locator(".entry.ghost")).to_have_count(0)
    page.get_by_role("link", name="List").click()
    expect(page.get_by_role("heading", name="Next runs")).to_be_visible()


def test_an_entry_opens_its_task_or_run_and_a_day_a_new_task_for_it(page: Page, plans: Running) -> None:
    record(
        plans,
        0,
        now() - timedelta(days=1),
        "fired",
        state="failed",
        error=BROKEN,
    )
    page.goto(f"/scheduling/calendar/?week={now() - timedelta(days=1):%Y-%m-%d}")
    page.locator(".entry.bad").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("failed at image")
    page.keyboard.press("Escape")
    page.goto("/scheduling/calendar/?month=2030-05")
    page.locator(".entry.ghost").first.click()
    expect(page.locator("dialog").get_by_role("heading", name="Edit")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Add Task on Thursday 16 May").click()
    expect(page.locator("dialog [name=run_at]")).to_have_value("2030-05-16T12:00")


def test_the_list_takes_the_whole_width_while_nothing_waits_or_comes(page: Page, plans: Running) -> None:
    schedule = plans.data / "scheduler.json"
    planned = schedule.read_bytes()
    schedule.write_bytes(orjson.dumps([{**task, "active": False} for task in orjson.loads(planned)]))
    page.goto("/scheduling/")
    tasks, head = page.locator("#tasks"), page.locator("#find")
    expect(page.locator("#next")).to_be_hidden()
    assert width_of(tasks) == width_of(head)
    schedule.write_bytes(planned)
    expect(page.get_by_role("heading", name="Next runs")).to_be_visible(timeout=15_000)
    assert width_of(tasks) < width_of(head)


def width_of(part: Locator) -> float:
    return float(part.evaluate("element => element.getBoundingClientRect().width"))


def test_review_by_keyboard_alone(page: Page, plans: Running) -> None:
    for minutes, caption in ((9, "The first"), (6, "The second"), (3, "The third")):
        waits(plans, caption, minutes)
    page.goto("/scheduling/")
    expect(page.locator(".tabs [aria-current] .count")).to_contain_text("3")
    page.get_by_role("article", name="Kai Mori waits for review").focus()
    page.keyboard.press("r")
    toast(page, "Rejected: nothing is posted.")
    expect(page.locator(".tabs [aria-current] .count")).to_contain_text("2")
    card = page.get_by_role("article", name="Kai Mori waits for review")
    expect(card).to_contain_text("The second")
    expect(card).to_be_focused()
    page.keyboard.press("e")
    expect(card.get_by_label("Caption")).to_be_focused()
    card.get_by_label("Caption").fill("The second, better. #sea")
    look(page, "review-edit")
    assert_fine(page)
    card.get_by_role("button", name="Approve").press("Enter")
    toast(page, "Approved: it goes out now.")
    expect(card).to_contain_text("The third")
    expect(card).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#review")).to_be_hidden()
    with database(plans) as rows:
        memos = [
            orjson.loads(memo)
            for (memo,) in rows.execute("SELECT memo FROM jobs_job WHERE id LIKE 'job_calendar%'")
        ]
    assert {memo["captions"]["instagram"]: memo.get("approved") for memo in memos} == {
        "The first": None,
        "The second, better. #sea": True,
        "The third": True,
    }


def test_the_editor_opens_while_the_section_loads_itself_anew(page: Page, plans: Running) -> None:
    waits(plans, "The first", 9)
    waits(plans, "The second", 6)
    page.goto("/scheduling/")
    reloads: list[Route] = []
    page.route("**/scheduling/review/?open=*", lambda route: reloads.append(route))

    def answer_the_reload_first(route: Route) -> None:
        for reload in reloads:
            reload.continue_()
        route.continue_()

    page.route("**/scheduling/review/?edit=*", answer_the_reload_first)
    card = page.get_by_role("article", name="Kai Mori waits for review")
    card.focus()
    with page.expect_request("**/scheduling/review/?open=*"):
        page.keyboard.press("r")
    expect(card).to_contain_text("The second")
    page.keyboard.press("e")
    expect(card.get_by_label("Caption")).to_be_focused()
    expect(page.locator("#review .keys")).to_have_count(0)


def test_another_card_is_opened_and_words_that_do_not_fit_come_back(page: Page, plans: Running) -> None:
    waits(plans, "The first", 9)
    waits(plans, "The second", 6)
    page.goto("/scheduling/")
    page.get_by_role("link", name="Open Kai Mori").click()
    card = page.get_by_role("article", name="Kai Mori waits for review")
    expect(card).to_contain_text("The second")
    card.get_by_role("link", name="Edit").click()
    card.get_by_label("Caption").fill("#tag " * 40)
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_role("alert")).to_be_visible()
    expect(card.get_by_label("Caption")).to_have_value("#tag " * 40)
    card.get_by_role("link", name="Cancel").click()
    expect(card.get_by_role("button", name="Reject")).to_be_visible()


def test_missed_runs_are_skipped_and_run_late(page: Page, plans: Running) -> None:
    for hours in (30, 20, 10):
        record(plans, hours % 20 // 10, now() - timedelta(hours=hours))
    page.goto("/scheduling/")
    rail = page.locator("#missed")
    expect(rail.get_by_role("listitem")).to_have_count(3)
    rail.get_by_role("button", name="Skip").first.click()
    toast(page, "Left out. It stays in the history.")
    expect(rail.get_by_role("listitem")).to_have_count(2)
    rail.get_by_role("button", name="Run late").first.press("Enter")
    toast(page, "Started 1 run.")
    expect(rail.get_by_role("listitem")).to_have_count(1)
    rail.get_by_role("link", name="Run all, spread out").click()
    look(page, "run-all")
    page.locator("dialog").get_by_role("button", name="Run all, spread out").click()
    expect(page.get_by_role("heading", name="Missed")).to_have_count(0)
