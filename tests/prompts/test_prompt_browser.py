"""The Prompts tab in a real Chromium: every button, by mouse and keyboard, small and dark.

With SCREENSHOTS set to a folder its pictures are taken on the way.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browsing import toast
from tests.looking import assert_fine
from tests.running import Running, until

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SCREENSHOTS", "")
LUNA = "char_prompts_luna"
KAI = "char_prompts_kai"
OpenPage = Callable[..., Page]

CHARACTERS = [
    {
        "id": LUNA,
        "name": "Luna the Mystic",
        "personality": "Dreamy and mystical",
        "triggerWord": "luna_character",
        "promptSettings": {"basePrompt": "a beautiful portrait of luna_character"},
        "narratives": [
            {
                "id": "narr_quest",
                "title": "The Crystal Quest",
                "description": "Luna is searching for a legendary crystal.",
            }
        ],
    },
    {"id": KAI, "name": "Kai Mori", "personality": "Dry", "triggerWord": "kai_mori"},
]
TEXTS = [
    {
        "characterId": LUNA,
        "prompt": "luna_character before three blue arches, first snow in the air, one ribbon on the gate",
        "caption": "Behind the third arch the air is colder. #crystalquest",
    },
    {
        "characterId": LUNA,
        "prompt": "luna_character at the edge of a frozen lake, lantern on the ice, breath seen, wide shot",
        "source": "ai",
    },
    {
        "characterId": LUNA,
        "prompt": "luna_character in a magical forest, city lights far below",
        "caption": "The city hums in a key I almost know.",
        "used": True,
        "usedAt": "2026-05-14T12:57:00.000Z",
    },
    {
        "characterId": KAI,
        "prompt": "kai_mori on the last train, moon over the ridge, window reflection",
        "caption": "Last train, window seat, no signal.",
        "source": "templates",
    },
    {
        "characterId": LUNA,
        "prompt": "luna_character at the edge of the frozen lake, lantern on the ice, wide shot",
        "caption": "Snow.",
    },
]


@pytest.fixture
def library(up_server: Running) -> Path:
    """Two characters and five prompts in the files of the running product."""
    own = {record["id"] for record in CHARACTERS}
    people = up_server.data / "characters.json"
    others = [one for one in _read(people) if one["id"] not in own]
    people.write_bytes(orjson.dumps([*others, *CHARACTERS]))
    file = up_server.data / "prompts.json"
    records = [
        {"id": f"prompt_{number}", "createdAt": f"2026-05-1{9 - number}T15:48:00.000Z", "used": False, **told}
        for number, told in enumerate(TEXTS)
    ]
    file.write_bytes(orjson.dumps(records))
    return file


def _read(file: Path) -> list[dict[str, object]]:
    return list(orjson.loads(file.read_bytes())) if file.exists() else []


def stored(file: Path, pk: str) -> dict[str, object]:
    return next((record for record in _read(file) if record["id"] == pk), {})


def row(page: Page, number: int) -> Locator:
    return page.locator(f"#row-prompt_{number}")


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(250)
        page.screenshot(path=Path(SHOTS) / f"pr-{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_the_page_is_accessible_wide_and_narrow_light_and_dark(
    open_page: OpenPage, library: Path, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    page.goto("/prompts/")
    expect(page.get_by_role("link", name="Prompts", exact=True)).to_have_attribute("aria-current", "page")
    row(page, 0).get_by_role("checkbox").check()
    row(page, 1).get_by_role("checkbox").check()
    expect(page.locator("#bulk strong")).to_have_text("2 selected")
    look(page, f"list-{width}-{scheme}")
    assert_fine(page)
    page.get_by_role("button", name="Clear selection").click()
    for button, name in (("New Prompt", "new"), ("Write prompts", "write")):
        page.get_by_role("link", name=button).first.click()
        expect(page.locator("dialog")).to_be_visible()
        look(page, f"{name}-{width}-{scheme}")
        assert_fine(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)


def test_new_prompt_edit_and_delete(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    page.get_by_role("link", name="New Prompt").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Character").select_option(KAI)
    dialog.get_by_label("Prompt").fill("kai_mori at the harbour")
    dialog.get_by_role("button", name="Add").click()
    toast(page, "Added the prompt.")
    new = page.locator("li.prompt", has_text="kai_mori at the harbour")
    new.get_by_role("link", name="Edit").click()
    dialog.get_by_label("Prompt").fill("kai_mori at the harbour, rain")
    dialog.get_by_role("button", name="Save").click()
    toast(page, "Saved the prompt.")
    page.locator("li.prompt", has_text="harbour, rain").get_by_role("link", name="Delete").click()
    look(page, "delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("li.prompt", has_text="harbour")).to_have_count(0)


def test_several_are_deleted_after_a_confirmation_by_keyboard_alone(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    for number in (2, 3):
        row(page, number).get_by_role("checkbox").focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Delete", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete 2 prompts?")).to_be_visible()
    look(page, "bulk-delete")
    page.get_by_role("button", name="Delete", exact=True).last.focus()
    page.keyboard.press("Enter")
    toast(page, "Deleted 2 prompts.")
    expect(page.locator("li.prompt")).to_have_count(3)
    expect(page.locator("#bulk")).to_be_hidden()


def test_a_caption_is_edited_in_place_and_the_library_is_searched(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    area = row(page, 1).get_by_label("Caption")
    for caption in ("The lantern knows. #ice", "The ice knows."):
        area.fill(caption)
        area.blur()
        toast(page, "Saved the caption.")
        until(lambda wanted=caption: stored(library, "prompt_1").get("caption") == wanted, 5)
    page.get_by_label("Search prompts").fill("ice knows")
    expect(page.locator("li.prompt")).to_have_count(1)
    assert "q=ice" in page.url
    page.get_by_label("Search prompts").fill("")
    page.get_by_label("Used").select_option("yes")
    expect(page.locator("li.prompt")).to_have_count(1)


def test_the_library_waits_for_who_is_in_it_and_catches_up_afterwards(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    row(page, 1).get_by_label("Caption").fill("The lake keeps what the snow forgets.")
    row(page, 1).get_by_role("button", name="Copy").click()
    toast(page, "Saved the caption.")
    rows = page.locator("li.prompt")
    shown = rows.count()
    written = {"id": "prompt_late", "characterId": LUNA, "prompt": "luna_character on the far shore"}
    library.write_bytes(orjson.dumps([*_read(library), written]))
    with page.expect_response("**/prompts/"):
        page.evaluate("document.body.dispatchEvent(new Event('job-finished'))")
    expect(row(page, 1).get_by_role("button", name="Copy")).to_be_focused()
    expect(rows).to_have_count(shown)
    page.get_by_label("Search prompts").focus()
    expect(rows).to_have_count(shown + 1)


def test_refresh_prompts_shows_what_was_edited_in_the_file(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    records = _read(library)
    records[0]["prompt"] = "edited by hand"
    library.write_bytes(orjson.dumps(records))
    page.get_by_role("button", name="Refresh Prompts").click()
    expect(row(page, 0)).to_contain_text("edited by hand")
    toast(page, "Read the library anew: 5 prompts.")


def test_copy_puts_the_prompt_into_the_clipboard(open_page: OpenPage, library: Path) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/prompts/")
    row(page, 0).get_by_role("button", name="Copy").click()
    toast(page, "Copied the prompt.")
    assert page.evaluate("navigator.clipboard.readText()") == TEXTS[0]["prompt"]


def test_generate_with_ai_writes_caption_and_alt_text_and_says_by_whom(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    row(page, 1).get_by_role("button", name="Generate with AI").click()
    toast(page, "Written without AI.")
    expect(row(page, 1).get_by_label("Caption")).not_to_have_value("")
    expect(row(page, 1)).to_contain_text("written without AI")
    kept = stored(library, "prompt_1")
    assert kept["caption"] and kept["altText"] and kept["captionSource"] == "templates"
    look(page, "captioned")


def test_make_image_opens_the_dialog_with_the_prompt(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    row(page, 0).get_by_role("link", name="Make image").click()
    area = page.locator("dialog textarea#id_final_prompt")
    expect(area).to_have_value(re.compile("three blue arches"))
    page.locator("dialog").get_by_role("button", name="Generate").click()
    expect(page.locator("dialog .result img")).to_be_visible(timeout=60_000)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Refresh Prompts").click()
    expect(row(page, 0).locator("img.thumb")).to_be_visible()


def test_write_prompts_shows_the_job_and_then_the_prompts(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    page.get_by_role("link", name="Write prompts").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Character").select_option(KAI)
    expect(dialog.get_by_label("Story").locator("option")).to_have_count(1)
    dialog.get_by_label("Character").select_option(LUNA)
    dialog.get_by_label("Story").select_option("The Crystal Quest")
    dialog.get_by_label("How many").fill("7")
    dialog.get_by_role("button", name="Write prompts").click()
    expect(page.locator("#writing .job")).to_contain_text("Wrote 7 prompts", timeout=30_000)
    expect(page.locator("li.prompt")).to_have_count(12)
    look(page, "written")
    written = [one for one in _read(library) if one.get("source") == "templates" and one.get("narrativeId")]
    assert len({one["prompt"] for one in written}) == 7


def test_two_that_are_too_close_stand_side_by_side(page: Page, library: Path) -> None:
    page.goto("/prompts/")
    row(page, 1).get_by_role("link", name="Compare").click()
    expect(page.locator("dialog article")).to_have_count(2)
    look(page, "compare")
    assert_fine(page)


def test_the_composer_has_its_caption_written(page: Page, library: Path) -> None:
    page.goto(f"/characters/{LUNA}/post/x/")
    page.get_by_role("button", name="Generate with AI").click()
    toast(page, "Written without AI.")
    expect(page.get_by_label("Caption", exact=True)).not_to_have_value("")
    expect(page.get_by_label("Alt text")).not_to_have_value("")
    first_word = page.get_by_label("Caption", exact=True).input_value().split()[0]
    expect(page.locator("#live .said")).to_contain_text(first_word)
    look(page, "composer")


def test_without_scripts_captions_search_and_delete_still_work(open_page: OpenPage, library: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/prompts/")
    row(page, 0).get_by_label("Caption").fill("By hand.")
    row(page, 0).get_by_role("button", name="Save").click()
    assert stored(library, "prompt_0")["caption"] == "By hand."
    row(page, 2).get_by_role("checkbox").check()
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("li.prompt")).to_have_count(4)
