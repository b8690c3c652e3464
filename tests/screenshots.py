"""The pictures of the documentation, taken on the way through a journey when SCREENSHOTS names a folder."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

SHOTS = os.environ.get("SCREENSHOTS", "")
WIDE, NARROW, HEIGHT = 1280, 390, 860
TALL = "document.documentElement.scrollHeight"


def shoot(page: Page, name: str, *, at: Locator | None = None, full: bool = False, width: int = WIDE) -> None:
    """One picture of the page as it stands, or of all of it; `at` is scrolled to."""
    if not SHOTS:
        return
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": HEIGHT})
    if full:  # in a window of that height what sticks to its edges is in its place
        page.set_viewport_size({"width": width, "height": max(HEIGHT, page.evaluate(TALL))})
    if at:
        at.evaluate("place => place.scrollIntoView()")
    page.wait_for_timeout(350)
    picture = page.screenshot(caret="initial")
    if before:
        page.set_viewport_size(before)
    _keep(picture, Path(SHOTS) / f"{name}.png")


def shoot_all(page: Page, name: str, *, at: Locator | None = None, full: bool = False) -> None:
    """Wide and narrow, and dark."""
    if not SHOTS:
        return
    shoot(page, name, at=at, full=full)
    shoot(page, f"{name}-390", at=at, full=full, width=NARROW)
    page.emulate_media(color_scheme="dark")
    shoot(page, f"{name}-dark", at=at, full=full)
    page.emulate_media(color_scheme="light")


def _keep(picture: bytes, file: Path) -> None:
    """With a palette it takes a third of the room."""
    colours = Image.open(io.BytesIO(picture)).convert("RGB")
    colours.quantize(256, kmeans=1, dither=Image.Dither.NONE).save(file, optimize=True)
