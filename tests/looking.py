"""What every page must be: accessible, and no wider than its window."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE = 1024
DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
COLOURS = ["color-contrast"]


def assert_fine(page: Page) -> None:
    """Nothing axe objects to, and no scrolling sideways.

    A dark page differs from the light one by its colours only, and a narrow one has those of a wide one:
    contrast, most of axe's work, is looked at where the page is wide.
    """
    wide = (page.viewport_size or {}).get("width", 0) >= WIDE
    dark = page.evaluate(DARK)
    if wide and dark:
        _object_to_nothing(page, runOnly=COLOURS)
    elif not dark:
        _object_to_nothing(page, rules={name: {"enabled": wide} for name in COLOURS})
    assert page.evaluate(SIDEWAYS) <= 0


def _object_to_nothing(page: Page, **options: Any) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"], **options})
    assert found.violations_count == 0, found.generate_report()
