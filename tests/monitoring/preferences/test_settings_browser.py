"""The Settings page in a real Chromium: saved, locked, tested, by keyboard, small and dark.

With SCREENSHOTS set to a folder its pictures are taken on the way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import toast
from tests.looking import assert_fine
from tests.running import Running

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SCREENSHOTS", "")
KEY = "AIza-key-of-the-browser-0123456789"
OpenPage = Callable[..., Page]


@pytest.fixture(autouse=True)
def nothing_set(up_server: Running) -> Iterator[None]:
    """Settings are everyone's: they go when the test does."""
    file = up_server.data / "settings.json"
    file.write_text("{}")
    yield
    file.write_text("{}")


def stored(up_server: Running) -> dict[str, object]:
    return dict(json.loads((up_server.data / "settings.json").read_text()))


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(250)
        page.screenshot(path=Path(SHOTS) / f"set-{name}.png", full_page=True, caret="initial")


def test_the_account_menu_leads_there_and_a_save_stays(page: Page, up_server: Running) -> None:
    page.goto("/characters/")
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
    comfyui = page.locator("#comfyui")
    comfyui.get_by_label("Address").fill("http://192.168.1.20:8188\nhttp://ann:open-sesame@10.0.0.9:8188")
    comfyui.get_by_role("button", name="Save").click()
    toast(page, "Saved ComfyUI.")
    expect(comfyui.get_by_label("Address")).to_have_value(
        "http://192.168.1.20:8188\nhttp://********@10.0.0.9:8188"
    )
    assert "open-sesame" not in page.content()
    page.reload()
    assert "open-sesame" not in page.content()
    assert "open-sesame" not in (up_server.data / "settings.json").read_text()
    look(page, "saved")


def test_a_key_goes_in_and_never_comes_out(page: Page, up_server: Running) -> None:
    page.goto("/settings/#gemini")
    gemini = page.locator("#gemini")
    gemini.get_by_label("Key").fill(KEY)
    gemini.get_by_role("button", name="Save").click()
    toast(page, "Saved Gemini.")
    expect(gemini.get_by_text("Leave empty to keep it.")).to_be_visible()
    expect(gemini.get_by_label("Key")).to_have_value("")
    assert KEY not in page.content()
    gemini.get_by_label("Remove").check()
    gemini.get_by_role("button", name="Save").click()
    expect(gemini.get_by_label("Remove")).to_have_count(0)
    assert "geminiApiKey" not in stored(up_server)


def test_a_test_answers_beside_its_button_and_saves_nothing(page: Page, up_server: Running) -> None:
    page.goto("/settings/")
    comfyui = page.locator("#comfyui")
    comfyui.get_by_role("button", name="Test").click()
    expect(comfyui.get_by_text("The sandbox stands in")).to_be_visible()
    comfyui.get_by_label("Address").fill("http://169.254.169.254")
    comfyui.get_by_role("button", name="Test").click()
    expect(comfyui.get_by_text("nothing is sent there")).to_be_visible()
    expect(comfyui.get_by_label("Address")).to_have_value("http://169.254.169.254")
    assert stored(up_server) == {}


def test_a_field_the_environment_fixes_is_locked_and_names_its_variable(page: Page) -> None:
    page.goto("/settings/#dashboard")
    dashboard = page.locator("#dashboard")
    expect(dashboard.get_by_label("Time zone")).to_be_disabled()
    expect(dashboard.get_by_text("INFLUENCER_TIME_ZONE")).to_be_visible()
    expect(dashboard.get_by_role("button", name="Save")).to_have_count(0)


def test_the_public_address_proves_itself_by_a_link_of_our_own(page: Page, up_server: Running) -> None:
    page.goto("/settings/")
    public = page.locator("#public")
    public.get_by_label("Address").fill(up_server.url)
    public.get_by_role("button", name="Test").click()
    expect(public.get_by_text("A test link came back")).to_be_visible()


def test_what_is_wrong_is_said_at_the_field(page: Page) -> None:
    page.goto("/settings/")
    x = page.locator("#x")
    x.get_by_label("Address").fill("api.x.com")
    x.get_by_role("button", name="Save").click()
    expect(x.get_by_text("An address starts with http:// or https://")).to_be_visible()
    expect(x.get_by_label("Address")).to_have_value("api.x.com")
    assert_fine(page)
    look(page, "refused")


def test_by_keyboard_alone_enter_saves_and_the_sandbox_chip_follows(page: Page, up_server: Running) -> None:
    page.goto("/settings/")
    page.get_by_label("Backups to keep").focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    toast(page, "Saved Backups.")
    assert stored(up_server) == {"backupsKept": 3}
    page.get_by_label("Where needed").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("For all")).to_be_checked()
    page.keyboard.press("Enter")
    toast(page, "Saved Sandbox.")
    page.reload()
    chip = page.locator("summary", has_text="Sandbox")
    expect(chip).to_have_attribute("title", "ComfyUI, Instagram, X and Gemini are stand-ins on this computer")


def test_the_second_to_save_is_told(page: Page, open_page: OpenPage, up_server: Running) -> None:
    page.goto("/settings/")
    other = open_page()
    other.goto("/settings/")
    for person, kept in ((other, "5"), (page, "9")):
        person.get_by_label("Backups to keep").fill(kept)
        person.locator("#backups").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Someone saved Backups while you were editing.")).to_be_visible()
    expect(page.get_by_label("Backups to keep")).to_have_value("9")
    assert stored(up_server) == {"backupsKept": 5}
    look(page, "told")
    page.locator("#backups").get_by_role("button", name="Save").click()
    toast(page, "Saved Backups.")
    assert stored(up_server) == {"backupsKept": 9}


def test_it_is_fine_in_every_size_and_light(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # or colours fade from one scheme to the other
    page.goto("/settings/")
    page.locator("#gemini summary").click()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert_fine(page)
            look(page, f"{width}-{scheme}")


def test_without_javascript_everything_is_there(open_page: OpenPage, up_server: Running) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/settings/")
    page.locator("#comfyui").get_by_role("button", name="Test").click()
    expect(page.locator("#comfyui").get_by_text("The sandbox stands in")).to_be_visible()
    page.get_by_label("Backups to keep").fill("4")
    page.locator("#backups").get_by_role("button", name="Save").click()
    expect(page).to_have_url(f"{up_server.url}/settings/#backups")
    assert stored(up_server) == {"backupsKept": 4}
