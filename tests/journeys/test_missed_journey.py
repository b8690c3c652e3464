"""The product stands still while tasks are due: what was missed is asked about, made up for or left out.

It really is stopped, for as long as it takes to be noticed, so most of the test is waiting. With
SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scheduling.firing import GRACE
from scheduling.standstill import NOTED_EVERY
from tests.browsing import SECONDS, signed_in, toast
from tests.running import Running, running_up, until
from tests.screenshots import shoot_all

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("missed journey")]
CHARACTERS: list[dict[str, Any]] = [
    {"id": f"char_{name.split()[0].lower()}", "name": name, "personality": "Dreamy"}
    for name in ("Luna the Mystic", "Kai Mori", "Nova Reyes", "Mira Sol")
]
LUNA, KAI, NOVA, MIRA = (str(one["id"]) for one in CHARACTERS)
POLICIES = {LUNA: "ask", KAI: "ask", NOVA: "late", MIRA: "skip"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the product had planned a task of each policy, and was stopped before their time."""
    live = tmp_path / "live"
    live.mkdir()
    (live / "characters.json").write_bytes(orjson.dumps(CHARACTERS))
    with running_up(tmp_path) as running:
        due = datetime.now(UTC) + timedelta(seconds=20)
        (live / "scheduler.json").write_bytes(orjson.dumps([_once(who, due) for who in POLICIES]))
        until(lambda: planned(live) == len(POLICIES), 15, running.said)
    assert datetime.now(UTC) < due
    time.sleep((due + GRACE + NOTED_EVERY + timedelta(seconds=5) - datetime.now(UTC)).total_seconds())
    return tmp_path


def _once(who: str, due: datetime) -> dict[str, Any]:
    return {
        "id": f"task_of_{who}",
        "characterId": who,
        "type": "generate_and_post",
        "runAt": due.isoformat(),
        "timezone": "UTC",
        "active": True,
        "missedPolicy": POLICIES[who],
        "config": {"prompt": "by the sea, golden hour", "caption": f"A letter for {who}. #sea"},
    }


def planned(data: Path) -> int:
    with closing(sqlite3.connect(data / "db.sqlite3", timeout=20)) as rows:
        [[count]] = rows.execute("SELECT count(*) FROM scheduling_nextdue WHERE due IS NOT NULL")
    return int(count)


def task(page: Page, name: str) -> Locator:
    return page.locator("li.task", has_text=name)


def test_missed_runs_are_asked_about_made_up_for_and_left_out(folder: Path, browser: Browser) -> None:
    with running_up(folder) as running, signed_in(browser, running, "/scheduling/") as page:
        _what_may_be_late_is_made_up_for(page)
        _what_may_not_is_left_out(page)
        _the_others_are_asked_about(page)
        _skip_one(page)
        _run_the_other_late(page)
        _every_post_is_out_once(page, running)


def _what_may_be_late_is_made_up_for(page: Page) -> None:
    """Without anyone's doing."""
    expect(task(page, "Nova Reyes")).to_contain_text("sandbox post", timeout=60 * SECONDS)


def _what_may_not_is_left_out(page: Page) -> None:
    expect(task(page, "Mira Sol")).to_contain_text("left out")


def _the_others_are_asked_about(page: Page) -> None:
    missed = page.locator("#missed")
    expect(missed.get_by_role("listitem")).to_have_count(2)
    expect(missed).to_contain_text(
        re.compile(r"Nothing ran from .* to .*: this computer was off or asleep\.")
    )
    for name in ("Luna the Mystic", "Kai Mori"):
        expect(task(page, name)).to_contain_text("missed")
    expect(page.locator(".tabs [aria-current] .count")).to_contain_text("2")
    shoot_all(page, "missed", full=True)


def _skip_one(page: Page) -> None:
    page.get_by_role("button", name="Skip: Kai Mori").click()
    toast(page, "Left out. It stays in the history.")
    expect(task(page, "Kai Mori")).to_contain_text("left out")


def _run_the_other_late(page: Page) -> None:
    page.get_by_role("button", name="Run late: Luna the Mystic").click()
    toast(page, "Started 1 run.")
    expect(page.locator("#missed")).to_be_hidden()
    expect(task(page, "Luna the Mystic")).to_contain_text("sandbox post", timeout=60 * SECONDS)
    task(page, "Luna the Mystic").locator("summary").click()
    task(page, "Luna the Mystic").get_by_role("link", name="History").click()
    expect(page.locator("table.runs tbody tr")).to_have_count(1)
    shoot_all(page, "missed-history")


def _every_post_is_out_once(page: Page, running: Running) -> None:
    answer = page.request.get("/api/posts")
    found = orjson.loads(answer.body())
    assert sorted(post["characterId"] for post in found["posts"]) == [LUNA, NOVA], running.said()
