"""Bad luck at a running product: ComfyUI stands still, a worker freezes, a file is damaged.

The Monitoring tab says each in words, everything comes back, and the page shows that too. The clock
asks for signs of life more often than usual, so that it takes a minute. With
SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsing import signed_in
from tests.running import Running, running_up, status, until
from tests.screenshots import shoot, shoot_all

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("monitoring journey")]
OFTEN = {"sweep": 1, "canary": 1, "silence": 8}
SECONDS = 1000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_up(tmp_path_factory.mktemp("luck"), INFLUENCER_JOBS=json.dumps(OFTEN)) as running:
        until(lambda: status(running.url + "/healthz") == 200, 60, running.said)
        yield running


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    with signed_in(browser, running, "/monitoring/") as page:
        yield page


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name)


def shows(place: Locator, text: str, seconds: float = 30) -> None:
    expect(place).to_contain_text(text, timeout=seconds * SECONDS)


def freeze(running: Running, group: int) -> None:
    """Stop a cluster while it holds no lock of the database; with one it would stop everybody else too."""

    def harmless() -> bool:
        os.killpg(group, signal.SIGSTOP)
        if is_writable(running.data / "db.sqlite3"):
            return True
        os.killpg(group, signal.SIGCONT)
        return False

    until(harmless, 30, running.said)


def is_writable(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True


def test_a_stopped_comfyui_a_frozen_worker_and_a_damaged_file_are_shown_and_come_back(
    page: Page, running: Running
) -> None:
    _all_is_well(page)
    children = running.children()
    # As long as it stands still it takes connections and answers none: the worst way to be down.
    os.kill(children["sandbox"], signal.SIGSTOP)
    try:
        freeze(running, children["gpu"])
        _both_are_shown(page)
    finally:
        os.kill(children["sandbox"], signal.SIGCONT)
    _both_come_back(page)
    assert running.children()["gpu"] != children["gpu"], "it was started again by itself"
    _a_damaged_file_is_shown_and_restored(page, running)


def _all_is_well(page: Page) -> None:
    shows(card(page, "Scheduler"), "3 of 3 answer", 60)
    page.get_by_role("button", name="Refresh Status").click()
    shows(page.locator("#status"), "Everything works")
    shows(card(page, "ComfyUI"), "stand-in")
    shoot(page, "monitoring-well", full=True)


def _both_are_shown(page: Page) -> None:
    page.get_by_role("button", name="Refresh Status").click()
    shows(card(page, "ComfyUI"), "too long to answer")
    shows(card(page, "ComfyUI"), "down")
    shows(card(page, "Scheduler"), "No sign of the workers “gpu”")
    shows(page.locator("#status"), "ComfyUI is down, Scheduler needs a look")
    shows(page.locator("#events"), "Error: ComfyUI:", 60)
    shows(page.locator("#events"), "Warning: Workers: No sign of the workers “gpu”", 60)
    shoot_all(page, "monitoring-bad-luck", full=True)


def _both_come_back(page: Page) -> None:
    shows(card(page, "ComfyUI"), "stand-in")
    shows(card(page, "Scheduler"), "3 of 3 answer", 90)
    shows(page.locator("#status"), "Everything works")
    shows(page.locator("#events"), "ComfyUI: all well again.", 60)
    shows(page.locator("#events"), "Workers: all well again.", 60)
    shoot_all(page, "monitoring-recovered", full=True)


def _a_damaged_file_is_shown_and_restored(page: Page, running: Running) -> None:
    # Saved twice, so that there is a copy to go back to.
    page.goto("/characters/")
    page.get_by_role("button", name="Try it with sample characters").click()
    expect(page.locator("article.card")).to_have_count(3)
    file = running.data / "characters.json"
    file.with_suffix(".json.bak").write_bytes(file.read_bytes())
    file.write_text("[{")
    page.goto("/monitoring/")
    page.get_by_role("button", name="Refresh Status").click()
    shows(card(page, "Database"), "1 damaged file")
    shows(card(page, "Database"), "characters.json is damaged")
    shoot(page, "monitoring-damaged", full=True)
    card(page, "Database").get_by_role("link", name="Restore characters.json").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.goto("/monitoring/")
    page.get_by_role("button", name="Refresh Status").click()
    shows(card(page, "Database"), "records")
    shows(page.locator("#status"), "Everything works")
