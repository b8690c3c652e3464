"""The fixtures of the browser tests: a signed-in page on a real product."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browsing import OpenPage
from tests.running import Running

pytestmark = pytest.mark.browser


def test_a_page_is_signed_in(page: Page, up_server: Running) -> None:
    page.goto("/characters/")
    assert page.url == f"{up_server.url}/characters/"
    assert page.get_by_role("link", name="Characters").first.is_visible()


def test_a_page_may_be_small_and_dark(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto("/characters/")
    assert page.evaluate("innerWidth") == 390
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
