"""Generating and the gallery in a real Chromium: live, by keyboard, without scripts, accessible."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from characters.images import generation, services
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from tests.characters.opening import SCREENS, OpenPage, look, tab_to
from tests.characters.stage import Stage, drawn, see_through

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def detail(luna: Character) -> str:
    return reverse("characters:detail", args=[luna.pk])


@pytest.mark.parametrize("screen", SCREENS)
def test_generating_and_the_gallery_are_accessible_in_every_state(
    open_product: OpenPage, stage: Stage, luna: Character, screen: str
) -> None:
    page = open_product(detail(luna), screen=screen)
    page.locator("#gallery").get_by_role("link", name="Generate").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("More", exact=True).click()
    look(page)
    dialog.get_by_role("button", name="Generate").click()
    expect(page.locator("#making")).to_be_visible()
    look(page)
    see_through(Job.objects.get().pk)
    expect(page.locator("#making .result img")).to_be_visible()
    look(page)
    dialog.get_by_role("link", name="Close").click()
    expect(page.locator(".gallery img")).to_have_count(1)
    look(page)
    page.locator(".gallery a").first.click()
    expect(page.locator("dialog[open]")).to_contain_text("Prompt")
    look(page)


def test_a_generation_is_watched_from_the_queue_to_the_image(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    page = open_product(detail(luna))
    page.locator("#gallery").get_by_role("link", name="Generate").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Prompt", exact=False).first).to_have_value(re.compile("luna_character"))
    dialog.get_by_text("2", exact=True).click()
    dialog.get_by_role("button", name="Generate").click()
    expect(page.locator("#making")).to_contain_text("You can close this")
    see_through(Job.objects.get().pk)
    expect(page.locator("#making .result")).to_have_count(2)
    deeds = page.locator("#making .deeds").first
    for name in ("Again", "Use as portrait"):
        expect(deeds.get_by_role("button", name=name)).to_be_visible()
    for name in ("Post", "Post to X", "Vary", "Download", "Delete"):
        expect(deeds.get_by_role("link", name=name, exact=True)).to_be_visible()
    dialog.get_by_role("link", name="Close").click()
    expect(page.locator(".gallery img")).to_have_count(2)


def test_a_closed_dialog_lets_the_job_go_on_and_the_gallery_shows_its_image(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    page = open_product(detail(luna))
    job = generation.start(luna, Wish(prompt="a tree"))
    page.reload()
    expect(page.locator("#gallery .job")).to_be_visible()
    see_through(job.pk)
    expect(page.locator(".gallery img")).to_have_count(1)
    expect(page.locator("#gallery .job")).to_have_count(0)


def test_an_image_that_is_made_elsewhere_appears_on_every_open_page(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    page, cards = open_product(detail(luna)), open_product(reverse("characters:list"))
    for tab in (page, cards):
        expect(tab.locator(".topbar [hx-get*='&jobs=']")).to_have_count(1)
    job = generation.start(luna, Wish(prompt="a tree"))
    expect(page.locator("#gallery .job")).to_be_visible()
    expect(cards.locator(".stage .job")).to_be_visible()
    see_through(job.pk)
    expect(page.locator(".gallery img")).to_have_count(1)
    expect(cards.locator(".stage img")).to_have_count(1)


def test_the_menu_of_the_character_stays_open_while_a_job_ends(
    open_product: OpenPage, luna: Character
) -> None:
    page = open_product(detail(luna))
    menu = page.locator("#hero details.menu")
    menu.locator("summary").click()
    with page.expect_response("**/accounts/"):
        page.evaluate("document.body.dispatchEvent(new Event('job-finished'))")
    expect(menu).to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()


def test_cancel_in_the_dialog_ends_the_job(open_product: OpenPage, stage: Stage, luna: Character) -> None:
    page = open_product(detail(luna))
    page.locator("#gallery").get_by_role("link", name="Generate").click()
    page.locator("dialog[open]").get_by_role("button", name="Generate").click()
    page.locator("#making").get_by_role("button", name="Cancel").click()
    expect(page.locator("#making")).to_contain_text(re.compile("cancelled", re.IGNORECASE))
    assert Job.objects.get().state == "cancelled"


def test_a_retry_in_the_dialog_shows_its_image_there(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    page = open_product(detail(luna))
    page.locator("#gallery").get_by_role("link", name="Generate").click()
    page.locator("dialog[open]").get_by_role("button", name="Generate").click()
    page.locator("#making").get_by_role("button", name="Cancel").click()
    expect(page.locator("#making")).not_to_contain_text("You can close this")
    page.locator("#making").get_by_role("button", name="Retry").click()
    expect(page.locator("#making")).to_contain_text("You can close this")
    see_through(Job.objects.get().pk)
    expect(page.locator("#making .result img")).to_be_visible()


def test_a_generation_is_started_by_keyboard_alone(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    page = open_product(detail(luna))
    tab_to(page, "Generate", most=60)
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    tab_to(page, "Generate")
    page.keyboard.press("Enter")
    expect(page.locator("#making")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert jobs.get(Job.objects.get().pk).state == "queued"


def test_images_are_uploaded_used_and_deleted(
    open_product: OpenPage, luna: Character, tmp_path: Path
) -> None:
    (tmp_path / "one.png").write_bytes(drawn())
    (tmp_path / "broken.png").write_bytes(b"no image")
    page = open_product(detail(luna))
    page.locator("#gallery input[type=file]").set_input_files(tmp_path / "one.png")
    expect(page.locator(".toast", has_text="Added 1 image.")).to_be_visible()
    expect(page.locator(".gallery img")).to_have_count(1)
    page.locator("#gallery input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.locator(".toast", has_text="broken.png: The file is not an image")).to_be_visible()
    page.locator(".gallery a").first.click()
    page.locator("dialog[open]").get_by_role("button", name="Use as portrait").click()
    expect(page.locator(".toast", has_text="portrait now")).to_be_visible()
    page.locator(".gallery a").first.click()
    page.locator("dialog[open]").get_by_role("link", name="Delete").click()
    expect(page.locator("dialog[open]")).to_contain_text("The image, its thumbnail and its recipe go.")
    page.locator("dialog[open]").get_by_role("button", name="Delete").click()
    expect(page.locator(".gallery")).to_have_count(0)
    assert not Image.objects.exists()
    assert Character.objects.get().avatar_image_id == ""


def test_everything_works_without_scripts(open_product: OpenPage, stage: Stage, luna: Character) -> None:
    page = open_product(detail(luna), java_script_enabled=False)
    page.locator("#gallery").get_by_role("link", name="Generate").click()
    page.get_by_label("Prompt", exact=False).first.fill("a tree without scripts")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
    see_through(Job.objects.get().pk)
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#making .result img")).to_be_visible()
    page.get_by_role("button", name="Use as portrait").click()
    expect(page.get_by_text("portrait now")).to_be_visible()
    page.locator(".gallery a").first.click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    assert services.gallery(luna.pk).count() == 0


def test_the_shown_seed_and_a_new_one_fill_the_field(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    see_through(generation.start(luna, Wish(prompt="a tree", seed=4711)).pk)
    page = open_product(reverse("images:generate", args=[luna.pk]))
    page.get_by_role("button", name="Use this seed").click()
    seed = page.locator("#id_seed")
    expect(seed).to_have_value("4711")
    page.get_by_role("button", name="New seed").click()
    expect(seed).not_to_have_value("4711")
    given: Any = seed.input_value()
    assert 0 <= int(given) < 2**53


def test_on_a_phone_an_image_has_its_deeds_and_its_recipe(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    see_through(generation.start(luna, Wish(prompt="a tree", seed=4711)).pk)
    page = open_product(detail(luna), screen="390")
    page.locator(".gallery a").first.click()
    dialog = page.locator("dialog[open]")
    for name in ("Post", "Post to X", "Download", "Delete"):
        expect(dialog.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(dialog.get_by_text("Seed", exact=True)).to_be_visible()


def test_the_upload_button_stays_one_when_it_has_the_focus(open_product: OpenPage, luna: Character) -> None:
    page = open_product(detail(luna))
    button = page.locator("label.upload")
    before = button.bounding_box()
    button.locator("input").focus()
    assert button.bounding_box() == before
