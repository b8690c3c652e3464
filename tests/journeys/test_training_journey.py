"""From images dropped into a dialog to a LoRA that draws the next picture, as a person does it in a browser.

With SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from influencer.sandbox import art
from tests.browsing import signed_in
from tests.running import Running, running_up
from tests.screenshots import SHOTS, shoot, shoot_all

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
SECONDS = 1000
SCENES = ("in a forest", "by the sea", "in a city at night", "among dunes", "at a window", "in a studio")
STEPS = 500
expect.set_options(timeout=20 * SECONDS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_up(tmp_path_factory.mktemp("training"), INFLUENCER_SANDBOX_SPEED="2") as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, running: Running) -> Iterator[Page]:
    with signed_in(browser, running, "/characters/") as page:
        yield page


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six pictures of someone, three of them with a caption, and a text that says it is a picture."""
    folder = tmp_path_factory.mktemp("faces")
    for number, scene in enumerate(SCENES):
        wish = art.Wish.read(f"portrait of mira_sol {scene}")
        art.draw(wish, number, (512, 640)).save(folder / f"mira-{number}.png")
        if number < 3:
            (folder / f"mira-{number}.txt").write_text(scene)
    (folder / "notes.png").write_text("no picture")
    return sorted(folder.iterdir())


def section(page: Page) -> Locator:
    page.locator("#training").evaluate("section => section.scrollIntoView()")
    return page.locator("#training")


def test_a_lora_is_trained_from_the_drop_to_the_next_image(page: Page, files: list[Path]) -> None:
    _add_a_character(page)
    _drop_images(page, files)
    _settle_and_begin(page)
    _follow(page)
    _look_at_the_proof_and_attach(page)
    _generate_with_it(page)


def _add_a_character(page: Page) -> None:
    page.goto("/characters/add/")
    page.get_by_label("Name", exact=True).fill("Mira Sol")
    page.get_by_label("Personality").fill("Dives at night, talks to octopuses")
    page.get_by_role("button", name="Add Character").click()
    expect(page.get_by_role("heading", name="Mira Sol", level=1)).to_be_visible()
    page.wait_for_load_state()
    expect(page.locator("#training")).to_contain_text("No LoRA trained yet.")


def _drop_images(page: Page, files: list[Path]) -> None:
    page.locator(".hero").get_by_role("link", name="Train LoRA", exact=True).click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Trigger word")).to_have_value("mira_sol_character")
    shoot_all(page, "train-empty")
    page.locator("#train-files").set_input_files(files)
    expect(dialog.locator("li.picture")).to_have_count(6)
    expect(dialog.get_by_role("alert")).to_contain_text("notes.png: The file is not an image")
    expect(dialog.get_by_label("Caption of mira-1.png")).to_have_value("by the sea")
    shoot_all(page, "train-images")


def _settle_and_begin(page: Page) -> None:
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Caption of mira-3.png").fill("in the dunes, warm light")
    dialog.get_by_label("Base model").select_option(label="v1-5-pruned-emaonly-fp16 · SD 1.5")
    expect(dialog.get_by_label("Steps")).to_have_attribute("placeholder", "1000")
    dialog.get_by_label("Steps").fill(str(STEPS))
    dialog.get_by_text("I have the right to use these images").click()
    shoot_all(page, "train-settings")
    dialog.get_by_role("button", name="Train LoRA").click()
    expect(page.locator(".toast", has_text="The training of Mira Sol has begun.")).to_be_visible()


def _follow(page: Page) -> None:
    training = section(page)
    expect(training.locator(".job")).to_contain_text(re.compile(rf"Step \d+ of {STEPS}|Test image"))
    expect(training.locator("figure")).to_contain_text(re.compile(r"Loss 0\.\d{3}"))
    training.locator("summary", has_text="Log").click()
    expect(training.locator(".log")).to_contain_text("Handed over to")
    if SHOTS:  # a curve of a few points
        expect(training.locator("tbody tr").nth(3)).to_be_attached()
    shoot_all(page, "training", at=training)


def _look_at_the_proof_and_attach(page: Page) -> None:
    training = section(page)
    expect(training.locator(".proof img")).to_have_count(2, timeout=60 * SECONDS)
    expect(training).to_contain_text("Version 1")
    said = training.get_by_text("The loss falls from").inner_text()
    first, last = re.findall(r"0\.\d+", said)
    assert float(last) < float(first)
    shoot_all(page, "trained", at=training)
    training.get_by_role("button", name="Attach").click()
    expect(page.locator("#training .chip", has_text="in use")).to_be_visible()
    expect(page.locator(".hero .chip", has_text="LoRA v1")).to_be_visible()


def _generate_with_it(page: Page) -> None:
    page.locator(".hero").get_by_role("link", name="Generate", exact=True).click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Prompt", exact=False).first).to_have_value(re.compile("mira_sol_character"))
    dialog.get_by_role("button", name="Generate").click()
    expect(page.locator("#making .result img")).to_be_visible()
    dialog.get_by_role("link", name="Close").click()
    page.locator(".gallery a").first.click()
    recipe = page.locator("dialog[open]").get_by_label("Recipe")
    expect(recipe).to_contain_text(re.compile(rf"mira_sol_sd15_[0-9a-f]{{8}}_{STEPS}_steps"))
    shoot(page, "trained-image")
