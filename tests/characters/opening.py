"""Signed-in pages of a dashboard that runs in this process, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from influencer.jobs import health
from tests.looking import assert_fine

SCREENS = {"1280": (1280, 860), "390": (390, 844)}
# What Chromium and htmx say of every answer from 400 on.
REFUSED = ("Failed to load resource", "Response Status Error Code")
# What htmx says when a page is left while it asks.
LEFT = ("htmx:sendAbort", "htmx:afterRequest")
expect.set_options(timeout=20_000)
OpenPage = Callable[..., Page]


@pytest.fixture
def open_product(
    browser: Browser, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenPage]:
    """Open a signed-in page; jobs are left to the test. No script may break or meet the policy."""
    monkeypatch.setattr(health, "require_worker", lambda cluster: None)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str, *, screen: str = "1280", **options: Any) -> Page:
        width, height = SCREENS[screen]
        size = {"viewport": {"width": width, "height": height}}
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **size, **options)
        contexts.append(context)
        context.set_default_timeout(20_000)
        context.add_cookies([_session(live_server.url, settings.SESSION_COOKIE_NAME)])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        page.wait_for_load_state()
        return page

    yield opened
    for context in contexts:
        context.close()
    complaints = [text for text in complaints if not text.startswith(REFUSED + LEFT)]
    assert not complaints, complaints


def _session(url: str, name: str) -> Any:
    client = Client()
    client.force_login(User.objects.get_or_create(username="owner")[0])
    return {"name": name, "value": client.cookies[name].value, "url": url}


def look(page: Page) -> None:
    """Nothing axe objects to and no sideways scrolling, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert_fine(page)


def focused(page: Page) -> str:
    """What has the focus, by its accessible words; empty when nothing has it."""
    words = "at => at === document.body ? '' : at.ariaLabel || at.textContent.trim()"
    return str(page.evaluate(f"({words})(document.activeElement)"))


def tab_to(page: Page, words: str, most: int = 40) -> None:
    """Press Tab until what has the focus says so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if words in focused(page):
            return
    raise AssertionError(f"Tab never came to {words!r}; it is at {focused(page)!r}")
