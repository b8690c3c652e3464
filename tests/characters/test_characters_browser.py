"""The Characters tab in a real Chromium: accessible, by keyboard, and two people at once.

With SCREENSHOTS set to a folder its pictures are taken on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from characters import services
from characters.models import Character
from tests.characters.factories import INSTAGRAM, chapter, luna, rows
from tests.characters.opening import focused
from tests.looking import assert_fine

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SCREENSHOTS", "")
SCREENS = {"1280": (1280, 860), "390": (390, 844)}
# What Chromium and htmx say of every answer from 400 on.
REFUSED = ("Failed to load resource", "Response Status Error Code")
OpenPage = Callable[..., Page]


@pytest.fixture
def open_tab(browser: Browser, live_server: Any, settings: Any) -> Iterator[OpenPage]:
    """Open a signed-in page; at the end none may have broken the policy or raised an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str, *, screen: str = "1280", user: str = "owner", **options: Any) -> Page:
        width, height = SCREENS[screen]
        size = {"viewport": {"width": width, "height": height}}
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **size, **options)
        contexts.append(context)
        context.add_cookies([_session(user, live_server.url, settings.SESSION_COOKIE_NAME)])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in complaints if not text.startswith(REFUSED)] == []


def _session(user: str, url: str, name: str) -> Any:
    client = Client()
    client.force_login(User.objects.get_or_create(username=user)[0])
    return {"name": name, "value": client.cookies[name].value, "url": url}


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(200)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page="dialog" not in name, caret="initial")


def look(page: Page, name: str) -> None:
    """Nothing axe objects to and no sideways scrolling, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        shoot(page, f"c-{name}-{scheme}")
        assert_fine(page)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_of_the_tab_is_accessible(open_tab: OpenPage, screen: str) -> None:
    page = open_tab("/characters/", screen=screen)
    look(page, f"empty-{screen}")
    made = services.add_samples()[0]
    luna(name="لونا القمر", personality="Paused, right to left", is_active=False, instagram_handle="@luna")
    page.goto("/characters/")
    page.wait_for_load_state("networkidle")
    look(page, f"list-{screen}")
    page.goto("/characters/?q=nobody")
    look(page, f"none-{screen}")
    page.goto(f"/characters/{made.pk}/")
    page.wait_for_load_state("networkidle")
    look(page, f"detail-{screen}")


@pytest.mark.parametrize("screen", SCREENS)
def test_every_dialog_of_the_tab_is_accessible(open_tab: OpenPage, screen: str) -> None:
    made = luna(name="Luna the Mystic", **INSTAGRAM)
    record = chapter(made)
    page = open_tab(f"/characters/{made.pk}/", screen=screen)
    for name, address in {
        "edit": f"/characters/{made.pk}/edit/",
        "delete": f"/characters/{made.pk}/delete/",
        "chapter": f"/characters/{made.pk}/story/{record.pk}/",
    }.items():
        page.evaluate(f"htmx.ajax('GET', '{address}', '#dialog')")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.evaluate("document.querySelectorAll('dialog details.more').forEach(more => more.open = true)")
        look(page, f"{name}-dialog-{screen}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.goto(address)
        look(page, f"{name}-page-{screen}")
        page.goto(f"/characters/{made.pk}/")
        page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("screen", SCREENS)
def test_whoever_saves_second_compares_and_chooses(open_tab: OpenPage, screen: str) -> None:
    made = luna(name="Luna the Mystic", backstory="Lives in a hidden forest.", voice="Low", mood="serene")
    mira = open_tab(f"/characters/{made.pk}/", screen=screen)
    theo = open_tab("/characters/", screen=screen, user="theo")
    theo.get_by_role("link", name="Edit", exact=True).click()
    theo.get_by_role("dialog").get_by_label("Backstory").fill("Lives in a lighthouse, among letters.")
    theo.get_by_role("dialog").get_by_label("Personality").fill("Dreamy, quick")
    mira.locator("#persona").get_by_label("Backstory").fill("Lives by the sea and collects bottles.")
    mira.locator("#persona").get_by_label("Voice for captions").fill("High")
    mira.get_by_role("button", name="Save persona").click()
    expect(mira.get_by_text("Saved persona.")).to_be_visible()
    theo.get_by_role("button", name="Save", exact=True).click()
    dialog = theo.get_by_role("dialog", name="Someone saved Luna the Mystic while you were editing")
    expect(dialog).to_be_visible()
    look(theo, f"compare-dialog-{screen}")
    assert focused(theo) == "Keep mine"
    theo.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    stored = Character.objects.get()
    assert (stored.backstory, stored.personality, stored.voice) == (
        "Lives in a lighthouse, among letters.",
        "Dreamy, quick",
        "High",
    )


def test_a_section_that_came_too_late_keeps_what_was_typed_behind_the_comparison(open_tab: OpenPage) -> None:
    made = luna()
    page = open_tab(f"/characters/{made.pk}/#persona")
    page.locator("#persona").get_by_label("Personality").fill("Mine")
    Character.objects.change(made.pk, lambda record: setattr(record, "personality", "Theirs"))
    page.get_by_role("button", name="Save persona").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Theirs")
    page.keyboard.press("Escape")
    expect(page.locator("#persona").get_by_label("Personality")).to_have_value("Mine")
    page.get_by_role("button", name="Save persona").click()
    page.get_by_role("dialog").get_by_role("link", name="Take theirs").click()
    expect(page.locator(".lede")).to_have_text("Theirs")


def test_sections_are_saved_one_after_the_other_and_the_head_follows(open_tab: OpenPage) -> None:
    made = luna()
    page = open_tab(f"/characters/{made.pk}/")
    page.locator("#persona").get_by_label("Name", exact=True).fill("Luna Two")
    page.get_by_role("button", name="Save persona").click()
    expect(page.locator("#hero h1")).to_have_text("Luna Two")
    page.locator("#hero").get_by_role("switch").uncheck()
    expect(page.get_by_text("Luna Two is paused")).to_be_visible()
    page.locator("#look").get_by_label("Mood").fill("calm")
    page.get_by_role("button", name="Save look").click()
    expect(page.get_by_text("Saved look.")).to_be_visible()
    page.locator("#look").get_by_label("LoRA weight").fill("9")
    page.get_by_role("button", name="Save look").click()
    expect(page.locator("#look .error")).to_contain_text("less than or equal to 2")
    assert (Character.objects.get().mood, Character.objects.get().is_active) == ("calm", False)


def test_the_story_grows_where_it_stands(open_tab: OpenPage) -> None:
    made = luna()
    page = open_tab(f"/characters/{made.pk}/#story")
    page.get_by_role("link", name="Add chapter").click()
    page.get_by_role("dialog").get_by_label("Title").fill("The Crystal Quest")
    page.keyboard.press("Enter")
    expect(page.locator("#story li")).to_contain_text("The Crystal Quest")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Edit The Crystal Quest").click()
    page.get_by_role("dialog").get_by_label("From").fill("2026-05-01")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#story li")).to_contain_text("from 1 May 2026")
    page.get_by_role("link", name="Edit The Crystal Quest").click()
    page.get_by_role("dialog").get_by_role("link", name="Delete").click()
    page.get_by_role("dialog", name="Delete The Crystal Quest?").get_by_role("button", name="Delete").click()
    expect(page.locator("#story")).to_contain_text("No chapters yet.")


def test_searching_filters_the_grid_and_the_address(open_tab: OpenPage) -> None:
    luna(name="Luna", is_active=False)
    luna(name="Kai")
    page = open_tab("/characters/")
    page.get_by_label("Search characters").press_sequentially("lu")
    expect(page.locator("article.card")).to_have_count(1)
    page.wait_for_url("**/characters/?q=lu&sort=name")
    page.get_by_label("Show").select_option("active")
    expect(page.get_by_role("heading", name="No character fits")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Search characters")).to_have_value("lu")
    expect(page.get_by_label("Show")).to_have_value("active")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("article.card")).to_have_count(2)


def test_everything_can_be_reached_by_keyboard_and_focus_comes_back(open_tab: OpenPage) -> None:
    luna()
    page = open_tab("/characters/")
    page.get_by_role("switch", name="Luna is active").focus()
    page.keyboard.press("Space")
    expect(page.locator("article.card.paused")).to_be_visible()
    expect(page.get_by_role("switch", name="Luna is active")).to_be_focused()
    page.get_by_role("link", name="Edit", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("  ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("This field is required.")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_label("More for Luna").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "Duplicate"
    page.keyboard.press("Escape")
    expect(page.get_by_label("More for Luna")).to_be_focused()


def test_a_label_in_the_dialog_belongs_to_the_dialog_not_to_the_page_behind_it(open_tab: OpenPage) -> None:
    made = luna()
    page = open_tab(f"/characters/{made.pk}/")
    page.locator("#hero").get_by_role("link", name="Edit").click()
    page.get_by_role("dialog").locator("label", has_text="Personality").click()
    page.keyboard.press("End")
    page.keyboard.type(" indeed")
    expect(page.get_by_role("dialog").get_by_label("Personality")).to_have_value("Dreamy indeed")
    expect(page.locator("#persona").get_by_label("Personality")).to_have_value("Dreamy")


def test_without_scripts_a_character_is_added_edited_copied_and_deleted(open_tab: OpenPage) -> None:
    page = open_tab("/characters/", java_script_enabled=False)
    page.get_by_role("link", name="Add Character").click()
    page.get_by_label("Name", exact=True).fill("Luna")
    page.get_by_label("Personality").fill("Dreamy")
    page.get_by_role("button", name="Add Character").click()
    page.locator("#hero").get_by_role("link", name="Edit").click()
    page.get_by_label("Personality").fill("Wild")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".lede")).to_have_text("Wild")
    page.locator("#persona").get_by_label("Language").fill("English")
    page.get_by_role("button", name="Save persona").click()
    page.get_by_label("More for Luna").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_role("heading", name="Luna copy", level=1)).to_be_visible()
    page.get_by_label("More for Luna copy").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("article.card")).to_have_count(1)
    assert [(row["personality"], row["language"]) for row in rows()] == [("Wild", "English")]


def test_the_menu_of_a_card_opens_inside_a_narrow_window(open_tab: OpenPage) -> None:
    luna(name="Luna")
    page = open_tab("/characters/", screen="390")
    page.locator("article.card details.menu summary").click()
    box = (
        page.get_by_role("link", name="Duplicate")
        .or_(page.get_by_role("button", name="Duplicate"))
        .bounding_box()
    )
    assert box is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_refused_form_has_the_focus_where_it_is_wrong(open_tab: OpenPage) -> None:
    page = open_tab("/characters/")
    page.get_by_role("link", name="Add Character").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Luna")
    # As when a person has pulled a field larger: nothing of it may come back as an inline style.
    dialog.locator("textarea").first.evaluate(
        "field => { field.style.height = '200px'; field.form.noValidate = true; }"
    )
    dialog.get_by_role("button", name="Add Character").click()
    expect(dialog.locator(".error")).to_have_text("This field is required.")
    assert page.evaluate("document.activeElement.name") == "personality"


def test_a_dialog_that_is_a_page_stands_in_the_middle(open_tab: OpenPage) -> None:
    box = open_tab("/characters/add/").locator("section.dialog").bounding_box()
    assert box is not None
    assert abs(box["x"] + box["width"] / 2 - 640) <= 8
