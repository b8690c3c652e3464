"""From an empty library to a post: prompts written by AI, a caption, an image, and its words come along.

Gemini is its stand-in. With SCREENSHOTS=docs/screenshots the pictures of the documentation are taken on
the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from influencer import sandbox
from tests.browsing import signed_in, toast
from tests.running import Running, running_up, status, until
from tests.screenshots import SHOTS, shoot_all

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
SECONDS = 1000
LUNA = {
    "id": "char_luna",
    "name": "Luna the Mystic",
    "personality": "Dreamy and mystical",
    "triggerWord": "luna_character",
    "promptSettings": {"basePrompt": "a beautiful portrait of luna_character"},
    "narratives": [
        {
            "id": "narr_quest",
            "title": "The Crystal Quest",
            "description": "Luna is searching for a legendary crystal in a hidden forest.",
        }
    ],
}
KAI = {"id": "char_kai", "name": "Kai Mori", "personality": "Dry", "triggerWord": "kai_mori"}
# Gemini gives ten in one answer, so these are two; the second is slow enough to look at what is there.
WANTED, FIRST_ANSWER = 12, 10
SLOW = (1, 15 if SHOTS else 4)
CAPTION = "The third arch was open tonight. #crystalquest"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "live").mkdir(parents=True)
    (folder / "live" / "characters.json").write_bytes(orjson.dumps([KAI, LUNA]))
    with running_up(folder, INFLUENCER_SANDBOX="on", INFLUENCER_SANDBOX_SPEED="4") as running:
        until(lambda: status(running.url + "/healthz") == 200, 60, running.said)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, running: Running) -> Iterator[Page]:
    with signed_in(browser, running, "/prompts/") as page:
        yield page


def rows(page: Page) -> Locator:
    return page.locator("li.prompt")


def stored(running: Running) -> list[dict[str, Any]]:
    """What lies in the file."""
    file = running.data / "prompts.json"
    return list(orjson.loads(file.read_bytes())) if file.exists() else []


def slow_down(running: Running) -> None:
    stand_in = sandbox.address(running.data / "run")
    assert stand_in
    for seconds in SLOW:
        fault = {"service": "gemini", "name": "slow", "seconds": seconds}
        answer = requests.post(
            f"{stand_in.control}/faults", json=fault, headers={"X-Sandbox-Key": stand_in.key}, timeout=10
        )
        assert answer.status_code == 201, answer.text


def test_prompts_are_written_captioned_made_into_an_image_and_posted(page: Page, running: Running) -> None:
    _ask_for_prompts(page, running)
    _see_them_arrive(page, running)
    pk = _have_a_caption_written(page, running)
    _edit_it_in_place(page, running, pk)
    _make_an_image_of_it(page, pk)
    _post_it_with_its_words(page, running, pk)


def _ask_for_prompts(page: Page, running: Running) -> None:
    expect(page.get_by_role("heading", name="No prompts yet")).to_be_visible()
    shoot_all(page, "prompts-empty")
    page.get_by_role("link", name="Write prompts").first.click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Character").select_option("Luna the Mystic")
    expect(dialog.get_by_label("Story").locator("option")).to_have_count(2)
    dialog.get_by_label("Story").select_option("The Crystal Quest")
    dialog.get_by_label("How many").fill(str(WANTED))
    shoot_all(page, "write-prompts")
    slow_down(running)
    dialog.get_by_role("button", name="Write prompts").click()


def _see_them_arrive(page: Page, running: Running) -> None:
    """Nobody touches the page: job and list follow by themselves."""
    job = page.locator("#writing .job")
    expect(job).to_contain_text(f"Prompt {FIRST_ANSWER + 1} of {WANTED}")
    expect(job.get_by_role("progressbar")).to_be_visible()
    expect(rows(page)).to_have_count(FIRST_ANSWER)
    assert len(stored(running)) == FIRST_ANSWER, "each is kept as it arrives"
    shoot_all(page, "prompts-arriving")
    expect(job).to_contain_text(f"Wrote {WANTED} prompts", timeout=60 * SECONDS)
    expect(rows(page)).to_have_count(WANTED)
    kept = stored(running)
    assert len({one["prompt"] for one in kept}) == WANTED
    assert {(one["source"], one["narrativeId"], one["used"]) for one in kept} == {("ai", "narr_quest", False)}


def _have_a_caption_written(page: Page, running: Running) -> str:
    """Of the first one; its id."""
    row = rows(page).first
    row.get_by_role("button", name="Generate with AI").click()
    toast(page, "Saved a caption by gemini")
    expect(row.get_by_label("Caption")).not_to_have_value("")
    [kept] = [one for one in stored(running) if one.get("caption")]
    assert kept["altText"] and kept["captionSource"] == "ai"
    return str(kept["id"])


def _edit_it_in_place(page: Page, running: Running, pk: str) -> None:
    caption = page.locator(f"#row-{pk}").get_by_label("Caption")
    caption.fill(CAPTION)
    caption.blur()
    toast(page, "Saved the caption.")
    until(lambda: [one["id"] for one in stored(running) if one.get("caption") == CAPTION] == [pk], 10)


def _make_an_image_of_it(page: Page, pk: str) -> None:
    row = page.locator(f"#row-{pk}")
    expect(row).to_contain_text("unused")
    row.get_by_role("link", name="Make image").click()
    dialog = page.locator("dialog")
    words = row.locator(".text").inner_text().replace("luna_character", "").strip(" ,")
    expect(dialog.get_by_label("Prompt", exact=False).first).to_have_value(re.compile(re.escape(words)))
    dialog.get_by_role("button", name="Generate").click()
    expect(page.locator("#making")).to_contain_text(re.compile(r"Step \d+ of \d+"))
    expect(page.locator("#making .result img")).to_be_visible()
    dialog.get_by_role("link", name="Close").click()
    page.get_by_role("button", name="Refresh Prompts").click()
    toast(page, f"Read the library anew: {WANTED} prompts.")
    expect(row.locator("img.thumb")).to_be_visible()
    expect(row.locator(".chip", has_text="used just now")).to_be_visible()
    page.reload()
    shoot_all(page, "prompts")


def _post_it_with_its_words(page: Page, running: Running, pk: str) -> None:
    page.goto("/characters/char_luna/")
    expect(page.locator("#gallery figure")).to_have_count(1)
    page.locator("#gallery figure").hover()
    page.locator("#gallery").get_by_role("link", name="Post", exact=True).click()
    [kept] = [one for one in stored(running) if one["id"] == pk]
    expect(page.get_by_label("Caption", exact=True)).to_have_value(CAPTION)
    expect(page.get_by_label("Alt text")).to_have_value(kept["altText"])
    expect(page.locator("#live")).to_contain_text(CAPTION)
    shoot_all(page, "prompt-post", full=True)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("link", name="See the post")).to_be_visible()
    page.goto("/prompts/?used=yes")
    expect(rows(page)).to_have_count(1)
    expect(page.locator(f"#row-{pk}").get_by_role("link", name="used just now")).to_be_visible()
