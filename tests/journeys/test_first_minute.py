"""From the set-up link to a post and back to nothing, as a person does it in a browser.

With SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browsing import toast
from tests.running import Running, start_up, until
from tests.screenshots import shoot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
PASSWORD = "a sentence works rather well"
SECONDS = 1000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A first start: nobody is there yet, so it prints a set-up link."""
    running = start_up(
        tmp_path_factory.mktemp("first"), INFLUENCER_ADMIN_PASSWORD="", INFLUENCER_SANDBOX_SPEED="4"
    )
    try:
        until(lambda: "/setup/" in running.said(), 60, running.said)
        until(running.answers, 60, running.said)
        yield running
    finally:
        running.process.terminate()
        running.process.wait(timeout=30)


@pytest.fixture(scope="module")
def context(browser: Browser, running: Running) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=running.url, viewport={"width": 1280, "height": 860})
    context.set_default_timeout(60 * SECONDS)
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def card(page: Page, name: str) -> Locator:
    page.wait_for_load_state()
    return page.locator("article.card").filter(has=page.get_by_role("heading", name=name))


def test_the_whole_first_minute_works(page: Page, running: Running) -> None:
    _set_up_the_owner(page, running)
    _add_sample_characters(page)
    _add_edit_and_find_a_character(page)
    _refresh_models(page)
    _generate_with_progress_and_preview(page)
    _cancel_a_generation(page)
    _post_to_instagram_with_a_new_image(page)
    _post_to_x_from_the_gallery(page)
    _delete_the_character(page)


def _set_up_the_owner(page: Page, running: Running) -> None:
    link = re.search(r"http://\S+/setup/\S+", running.said())
    assert link, running.said()
    page.goto(link[0])
    shoot(page, "set-up")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Start with three sample characters").uncheck()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Make your first character")).to_be_visible()
    shoot(page, "empty")
    page.goto(link[0])
    expect(page.get_by_role("button", name="Create account")).to_have_count(0)


def _add_sample_characters(page: Page) -> None:
    page.goto("/characters/")
    page.get_by_role("button", name="Try it with sample characters").click()
    expect(page.locator("article.card")).to_have_count(3)
    toast(page, "Added 3 sample characters.")
    shoot(page, "characters-light", full=True)


def _add_edit_and_find_a_character(page: Page) -> None:
    page.get_by_role("link", name="Add Character").click()
    page.get_by_role("button", name="Add Character").click()
    page.get_by_label("Name", exact=True).fill("Mira Sol")
    page.get_by_label("Personality").fill("Dives at night, talks to octopuses")
    page.locator("summary", has_text="Look").click()
    page.get_by_label("Trigger word").fill("mira_character")
    page.get_by_label("Base prompt").fill("portrait of mira_character, red hair")
    shoot(page, "add-character")
    page.get_by_role("button", name="Add Character").click()
    expect(page.get_by_role("heading", name="Mira Sol", level=1)).to_be_visible()
    page.wait_for_load_state()  # before that, links lead to pages instead of dialogs
    page.locator(".hero").get_by_role("link", name="Edit").click()
    page.locator("dialog").get_by_label("Personality").fill("Dives at night, sleeps at noon")
    shoot(page, "edit-character")
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".lede")).to_have_text("Dives at night, sleeps at noon")
    page.goto("/characters/")
    page.get_by_label("Search characters").fill("mira")
    expect(page.locator("article.card")).to_have_count(1)


def _refresh_models(page: Page) -> None:
    page.get_by_role("button", name="Refresh Models").click()
    toast(page, "models")


def _generate_with_progress_and_preview(page: Page) -> None:
    card(page, "Mira Sol").get_by_role("link", name="Generate").click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_label("Prompt", exact=False).first).to_have_value(re.compile("mira_character"))
    shoot(page, "generate")
    dialog.get_by_role("button", name="Generate").click()
    expect(page.locator("#making progress")).to_be_visible()
    expect(page.locator("#making")).to_contain_text(re.compile(r"Step \d+ of \d+"))
    expect(page.locator("#making img[alt='Live preview']")).to_be_visible()
    shoot(page, "generating")
    expect(page.locator("#making .result img")).to_be_visible()
    shoot(page, "generated")
    dialog.get_by_role("link", name="Close").click()
    expect(card(page, "Mira Sol").locator(".sheet img")).to_have_count(1)


def _cancel_a_generation(page: Page) -> None:
    card(page, "Mira Sol").get_by_role("link", name="Generate").click()
    page.locator("dialog").get_by_text("4", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Generate").click()
    page.locator("#making").get_by_role("button", name="Cancel").click()
    expect(page.locator("#making")).to_contain_text("ancelled")
    shoot(page, "cancelled")
    page.locator("dialog").get_by_role("link", name="Close").click()


def _post_to_instagram_with_a_new_image(page: Page) -> None:
    card(page, "Mira Sol").get_by_role("link", name="Post", exact=True).click()
    page.get_by_label("Caption").fill("The tide brought a letter. #night #sea")
    page.get_by_label("Alt text").fill("A woman with red hair by the sea.")
    expect(page.locator("#live")).to_contain_text("The tide brought a letter.")
    shoot(page, "composer-instagram", full=True)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.locator("#post .job")).to_be_visible()
    shoot(page, "posting")
    see = page.get_by_role("link", name="See the post")
    expect(see).to_be_visible(timeout=60 * SECONDS)
    shoot(page, "posted")
    _look_into_the_feed(page, see.get_attribute("href") or "", "The tide brought a letter. #night #sea")


def _post_to_x_from_the_gallery(page: Page) -> None:
    page.goto("/characters/?q=mira")
    card(page, "Mira Sol").get_by_role("link", name="Post to X").click()
    page.locator(".picks .pick").nth(1).click()
    page.get_by_label("Caption").fill("Six peaks, one lantern & no hurry.")
    expect(page.locator("#live")).to_contain_text("Six peaks, one lantern & no hurry.")
    shoot(page, "composer-x", full=True)
    page.get_by_role("button", name="Post to X").click()
    see = page.get_by_role("link", name="See the post")
    expect(see).to_be_visible()
    _look_into_the_feed(page, see.get_attribute("href") or "", "Six peaks, one lantern & no hurry.")


def _look_into_the_feed(page: Page, address: str, text: str) -> None:
    feed = page.context.new_page()
    feed.goto(address)
    expect(feed.get_by_text(text)).to_be_visible()
    shoot(feed, "feed-x" if "/x/" in address else "feed-instagram")
    feed.close()


def _delete_the_character(page: Page) -> None:
    page.goto("/characters/?q=mira")
    card(page, "Mira Sol").get_by_role("link", name="Mira Sol", exact=True).click()
    expect(page.locator("#gallery figure")).to_have_count(2)
    expect(page.locator("#posts .item")).to_have_count(2)
    page.wait_for_load_state()
    shoot(page, "character", full=True)
    page.locator(".hero").get_by_label("More for Mira Sol").click()
    page.locator(".hero").get_by_role("link", name="Delete").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("2 images and 2 posts")
    shoot(page, "delete-character")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("article.card")).to_have_count(3)
    toast(page, "Deleted Mira Sol.")
