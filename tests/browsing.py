"""A real Chromium at a real `up`: fixtures for the browser tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from influencer import browser as installed
from tests.running import Running, running_up

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OpenPage = Callable[..., Page]
SECONDS = 1000


@contextmanager
def signed_in(browser: Browser, running: Running, at: str = "/characters/") -> Iterator[Page]:
    """The page `at` this path, as the owner sees it after signing in. A script that breaks fails the test."""
    context = browser.new_context(base_url=running.url, viewport={"width": 1280, "height": 860})
    context.set_default_timeout(30 * SECONDS)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"/login/?next={at}")
    page.locator("input[name=username]").fill(running.username)
    page.locator("input[name=password]").fill(running.password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"**{at}")
    try:
        yield page
    finally:
        context.close()


def toast(page: Page, text: str) -> None:
    """The page says so in passing."""
    expect(page.locator(".toast", has_text=text).last).to_be_visible()


@pytest.fixture(scope="session")
def up_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One product for all browser tests of this worker: owner made, sandbox ten times as fast."""
    with running_up(tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The installed Chromium; without one the test fails, it is never skipped."""
    found = installed.find()
    if found is None:
        pytest.fail("There is no Chromium. `python3 manage.py test` installs one; or set CHROMIUM_PATH.")
    return found


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """A Chromium for the tests of one module.

    While it lives, Playwright runs an event loop in this thread: Django would take that
    for asynchronous code, and no other test could run a loop of its own.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(chromium_path), args=ARGUMENTS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def owner_state(browser: Browser, up_server: Running) -> StorageState:
    """The cookies of someone who has signed in, so that each test need not."""
    with signed_in(browser, up_server) as page:
        return page.context.storage_state()


@pytest.fixture
def open_page(browser: Browser, up_server: Running, owner_state: StorageState) -> Iterator[OpenPage]:
    """Open a signed-in page, e.g. `open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")`.

    The test fails when a script broke or the content security policy stopped something.
    """
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def open_page(**options: Any) -> Page:
        settings = {"viewport": {"width": 1280, "height": 800}, "storage_state": owner_state, **options}
        context = browser.new_context(base_url=up_server.url, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if _is_policy(said.text) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not broken


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of 1280 × 800, signed in as the owner."""
    return open_page()


def _is_policy(text: str) -> bool:
    return "Content Security Policy" in text
