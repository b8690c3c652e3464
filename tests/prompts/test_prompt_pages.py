"""The Prompts tab: list, dialogs, captions where they stand, bulk delete."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from characters.images import planning
from characters.images.models import Image
from characters.models import Narrative
from characters.publishing.models import Post, PostState
from influencer.clients.writers import errors
from influencer.clients.writers.errors import WriterError
from prompts import pen
from prompts.models import Prompt
from tests.characters.factories import filled, luna, signed_in
from tests.prompts.library import prompt, rows, write

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client() -> Client:
    return signed_in()


def toast(answer: Any) -> str:
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["message"])


def test_the_list_shows_each_prompt_with_character_caption_and_use(client: Client) -> None:
    owner = luna()
    prompt("by the sea at dusk", character_id=owner.pk, caption="The tide knew my name.")
    prompt("in the old forest", character_id=owner.pk, used=True)
    page = client.get("/prompts/").content.decode()
    for words in ("Luna", "by the sea at dusk", "The tide knew my name.", "in the old forest", "unused"):
        assert words in page
    assert "2 prompts" in page


def test_the_documented_file_shows_as_it_is(client: Client) -> None:
    write(
        {
            "id": "prompt_1",
            "characterId": "char_1754528276811_4suaz8mqv",
            "characterName": "Luna the Mystic",
            "prompt": "a beautiful portrait of luna_character in a magical forest",
            "caption": "Exploring the enchanted woods today! #magic #forest #luna",
            "createdAt": "2025-08-08T11:00:00.000Z",
            "used": False,
        }
    )
    page = client.get("/prompts/").content.decode()
    assert "Luna the Mystic" in page and "Exploring the enchanted woods today!" in page


@pytest.mark.parametrize(
    "row", [{}, {"prompt": None}, {"prompt": 7, "captions": "x", "imageIds": {"a": 1}}, "x"]
)
def test_nonsense_written_by_hand_never_breaks_the_page(client: Client, row: Any) -> None:
    write({"id": "prompt_1", "prompt": "fine"}, row)
    answer = client.get("/prompts/")
    assert answer.status_code == 200 and "fine" in answer.content.decode()


def test_search_and_filters_narrow_the_list_and_stand_in_the_address(client: Client) -> None:
    one, two = luna(), luna(name="Kai")
    prompt("lake at dawn", character_id=one.pk, source="ai")
    prompt("train at night", character_id=two.pk, used=True, caption="Last LAKE train")
    for query, hits in {
        "q=lake": {"lake at dawn", "train at night"},
        f"character={two.pk}": {"train at night"},
        "used=no": {"lake at dawn"},
        "source=ai": {"lake at dawn"},
        "source=hand": {"train at night"},
    }.items():
        answer = client.get(f"/prompts/?{query}&sort=", headers={**HTMX, "HX-Target": "prompts"})
        text = answer.content.decode()
        assert {name for name in ("lake at dawn", "train at night") if name in text} == hits, query
        assert answer.headers["HX-Replace-Url"].endswith(f"/prompts/?{query}")


def test_an_empty_library_says_the_next_step(client: Client) -> None:
    assert "Make one first" in client.get("/prompts/").content.decode()
    luna()
    page = client.get("/prompts/").content.decode()
    assert "No prompts yet" in page and "Write prompts" in page


def test_an_empty_library_shows_the_first_prompt_by_itself(client: Client) -> None:
    owner = luna()
    empty = client.get("/prompts/").content.decode()
    trigger = re.search(r'id="library"[^>]* hx-trigger="([^"]+)"', empty)
    assert trigger and {"prompts-changed", "job-progressed", "job-finished"} <= set(trigger[1].split())
    prompt("by the lake", character_id=owner.pk)
    again = client.get("/prompts/", headers={**HTMX, "HX-Target": "library"}).content.decode()
    assert 'id="library"' in again and 'id="refresh"' in again and "by the lake" in again


def test_refresh_prompts_reads_the_file_anew_and_says_so(client: Client) -> None:
    prompt("old")
    write({"id": "prompt_9", "prompt": "written in an editor"})
    answer = client.get("/prompts/?refresh=1", headers={**HTMX, "HX-Target": "prompts"})
    assert "written in an editor" in answer.content.decode()
    assert toast(answer) == "Read the library anew: 1 prompt."
    assert "refresh" not in answer.headers["HX-Replace-Url"]


def test_new_prompt_needs_a_character_and_words(client: Client) -> None:
    answer = client.post("/prompts/add/", {"character_id": "", "prompt": "  "}, headers=HTMX)
    assert answer.status_code == 422
    owner = luna()
    answer = client.post("/prompts/add/", {"character_id": owner.pk, "prompt": "at sea"}, headers=HTMX)
    assert answer.status_code == 204 and toast(answer) == "Added the prompt."
    [row] = rows()
    assert row["characterName"] == "Luna" and row["source"] == "hand" and row["used"] is False


def test_a_prompt_of_a_hundred_kilobytes_is_refused_in_words(client: Client) -> None:
    answer = client.post(
        "/prompts/add/", {"character_id": luna().pk, "prompt": "sea " * 25_000}, headers=HTMX
    )
    assert answer.status_code == 422 and "at most 20000 characters" in answer.content.decode()
    assert Prompt.objects.count() == 0


def test_editing_keeps_unknown_keys_and_marks_use(client: Client) -> None:
    owner = luna()
    write({"id": "prompt_1", "characterId": owner.pk, "prompt": "at sea", "myOwn": {"a": 1}})
    form = filled(client.get("/prompts/prompt_1/", headers=HTMX).content, "prompt-form")
    form["character_id"] = owner.pk
    answer = client.post("/prompts/prompt_1/", {**form, "prompt": "by the lake", "used": "on"}, headers=HTMX)
    assert answer.status_code == 204
    [row] = rows()
    assert row["prompt"] == "by the lake" and row["myOwn"] == {"a": 1}
    assert row["used"] is True and row["usedAt"]


def test_a_prompt_saved_by_someone_else_meanwhile_is_compared(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    form = filled(client.get(f"/prompts/{one.pk}/", headers=HTMX).content, "prompt-form")
    form["character_id"] = one.character_id
    client.post(f"/prompts/{one.pk}/", {**form, "prompt": "theirs"}, headers=HTMX)
    answer = client.post(f"/prompts/{one.pk}/", {**form, "prompt": "mine"}, headers=HTMX)
    assert answer.status_code == 409 and "theirs" in answer.content.decode()
    again = filled(answer.content, "compare-form")
    assert client.post(f"/prompts/{one.pk}/", again, headers=HTMX).status_code == 204
    assert Prompt.objects.get(pk=one.pk).prompt == "mine"


def test_a_caption_is_saved_where_it_stands_and_again(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    page = client.get("/prompts/").content.decode()
    mark = filled(page)["digest"]
    address = f"/prompts/{one.pk}/caption/"
    answer = client.post(address, {"caption": "The tide. #sea", "digest": mark}, headers=HTMX)
    assert answer.status_code == 200 and toast(answer) == "Saved the caption."
    assert rows()[0]["caption"] == "The tide. #sea" and rows()[0]["captionSource"] == "hand"
    mark = filled(answer.content)["digest"]
    answer = client.post(address, {"caption": "The ebb.", "digest": mark}, headers=HTMX)
    assert answer.status_code == 200 and rows()[0]["caption"] == "The ebb."


def test_a_caption_changed_meanwhile_is_compared_and_nothing_is_lost(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk, caption="first")
    mark = filled(client.get("/prompts/").content)["digest"]
    Prompt.objects.change(one.pk, lambda record: setattr(record, "caption", "theirs"))
    answer = client.post(f"/prompts/{one.pk}/caption/", {"caption": "mine", "digest": mark}, headers=HTMX)
    assert answer.status_code == 409 and answer.headers["HX-Retarget"] == "#dialog"
    assert Prompt.objects.get(pk=one.pk).caption == "theirs"


def test_a_caption_the_platform_would_refuse_is_not_saved(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk, caption="kept")
    answer = client.post(f"/prompts/{one.pk}/caption/", {"caption": "a" * 2201}, headers=HTMX)
    assert toast(answer) == "Not saved: Caption is 1 character too long for Instagram."
    assert Prompt.objects.get(pk=one.pk).caption == "kept"


def test_delete_asks_first_and_names_what_goes(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    assert "at sea" in client.get(f"/prompts/{one.pk}/delete/", headers=HTMX).content.decode()
    assert Prompt.objects.count() == 1
    answer = client.post(f"/prompts/{one.pk}/delete/", headers=HTMX)
    assert "prompts-changed" in answer.headers["HX-Trigger"]
    assert Prompt.objects.count() == 0


def test_several_go_only_after_a_confirmation(client: Client) -> None:
    owner = luna()
    ids = [prompt(f"number {n}", character_id=owner.pk, character_name="Luna").pk for n in range(3)]
    asked = client.post("/prompts/delete/", {"id": ids[:2]}, headers=HTMX)
    assert "2 prompts of Luna, none of them used" in asked.content.decode()
    assert "Delete 2 prompts?" in asked.content.decode() and Prompt.objects.count() == 3
    answer = client.post("/prompts/delete/", filled(asked.content), headers=HTMX)
    assert toast(answer).startswith("Deleted 2 prompts.")
    assert [row["id"] for row in rows()] == ids[2:]


def test_ids_with_odd_signs_can_be_opened_and_deleted(client: Client) -> None:
    odd = "a/b, c%2F?#"
    write({"id": odd, "prompt": "odd"}, {"id": "x", "prompt": "kept"})
    asked = client.post("/prompts/delete/", {"id": [odd]}, headers=HTMX)
    page = client.get("/prompts/").content.decode()
    assert (
        client.get(re.findall(r'href="(/prompts/[^"]+/delete/)"', page)[-1], headers=HTMX).status_code == 200
    )
    client.post("/prompts/delete/", filled(asked.content), headers=HTMX)
    assert [row["id"] for row in rows()] == ["x"]


def test_without_scripts_every_deed_is_a_form_that_leads_back(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    assert client.post(f"/prompts/{one.pk}/caption/", {"caption": "x"}).headers["Location"] == "/prompts/"
    assert client.post(f"/prompts/{one.pk}/caption/write/").headers["Location"] == "/prompts/"
    assert client.post(f"/prompts/{one.pk}/delete/").headers["Location"] == "/prompts/"


def test_prompts_too_close_to_a_recent_one_are_marked_and_stand_side_by_side(client: Client) -> None:
    owner = luna()
    first = prompt("luna_character at the edge of a frozen lake, lantern", character_id=owner.pk)
    second = prompt("luna_character at the edge of the frozen lake, lantern", character_id=owner.pk)
    prompt("something else altogether on the stairs", character_id=owner.pk)
    page = client.get("/prompts/").content.decode()
    assert page.count("Close to a prompt") == 1
    beside = client.get(f"/prompts/{second.pk}/beside/{first.pk}/", headers=HTMX).content.decode()
    assert first.prompt in beside and second.prompt in beside


def test_a_row_shows_its_newest_image_and_where_it_was_posted(client: Client) -> None:
    owner = luna(base_prompt="portrait", trigger_word="luna_character")
    named = prompt("at sea", character_id=owner.pk, used=True, image_ids=["img_named"])
    prompt("by the lake", character_id=owner.pk)
    common = {"character_id": owner.pk, "width": 4, "height": 5, "pixel_hash": "x", "file": "a.png"}
    Image.objects.create(id="img_named", prompt="whatever", **common)
    made = Image.objects.create(id="img_words", prompt="portrait of luna_character, by the lake", **common)
    Image.objects.filter(pk=made.pk).update(prompt=planning.final_prompt(owner, "by the lake"))
    Post.objects.create(
        key="k",
        character_id=owner.pk,
        platform="x",
        account="a",
        image_id="img_named",
        state=PostState.PUBLISHED,
    )
    page = client.get("/prompts/").content.decode()
    assert "img_named/thumbnail" in page and "img_words/thumbnail" in page
    assert f"/posts/{Post.objects.get().pk}/" in page
    assert named.image_ids == ["img_named"]


def test_the_page_asks_a_bounded_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    owner = luna()
    prompt("first", character_id=owner.pk)
    with django_assert_max_num_queries(8):
        client.get("/prompts/")
    for number in range(40):
        prompt(f"scene {number} of another kind", character_id=owner.pk, image_ids=[f"img_{number}"])
    with django_assert_max_num_queries(8):
        client.get("/prompts/")


def test_generate_with_ai_says_its_trouble_in_words_and_keeps_the_caption(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = prompt("at sea", character_id=luna().pk, caption="kept")

    def refuse() -> Any:
        raise WriterError(errors.NO_KEY, errors.Context("Gemini"))

    monkeypatch.setattr(pen, "writer", refuse)
    answer = client.post(f"/prompts/{one.pk}/caption/write/", headers=HTMX)
    assert answer.status_code == 502 and "There is no Gemini key" in toast(answer)
    assert rows()[0]["caption"] == "kept"


def test_write_prompts_refuses_what_cannot_be_and_lists_the_chapters_of_the_chosen(client: Client) -> None:
    owner, other = luna(), luna(name="Zoe")
    Narrative.objects.create(character=other, title="The Last Train")
    part = client.get(f"/prompts/write/?part=chapters&character_id={other.pk}", headers=HTMX).content.decode()
    assert "The Last Train" in part and "<form" not in part
    assert "The Last Train" not in client.get("/prompts/write/", headers=HTMX).content.decode()
    for count in ("0", "51", "many"):
        form = {"character_id": owner.pk, "count": count}
        assert client.post("/prompts/write/", form, headers=HTMX).status_code == 422


def test_the_composer_gets_caption_and_alt_text_for_its_platform(client: Client) -> None:
    owner = luna(trigger_word="luna_character")
    form = {"prompt": "luna_character by the sea", "image": "", "caption": "old"}
    answer = client.post(f"/prompts/compose/{owner.pk}/x/", form, headers=HTMX)
    text = answer.content.decode()
    assert 'id="id_caption"' in text and 'id="id_alt_text"' in text
    assert "caption-written" in answer.headers["HX-Trigger"] and "without AI" in toast(answer)
    assert client.post(f"/prompts/compose/{owner.pk}/mastodon/", form, headers=HTMX).status_code == 404
    assert "Generate with AI" in client.get(f"/characters/{owner.pk}/post/x/").content.decode()


def test_make_image_says_which_prompt_it_is_made_from(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    page = client.get("/prompts/").content.decode()
    link = re.search(r'href="([^"]+)" [^>]*aria-label="Make image"', page)
    assert link
    dialog = client.get(html.unescape(link[1]), headers=HTMX).content
    assert filled(dialog, "gen-form")["from_prompt"] == one.pk


@pytest.mark.parametrize(
    ("platform", "caption"), [("instagram", "The tide knew my name."), ("x", "The tide knew.")]
)
def test_the_composer_begins_with_the_words_of_the_prompt_its_image_was_made_from(
    client: Client, platform: str, caption: str
) -> None:
    owner = luna(base_prompt="portrait")
    written = {"caption": "The tide knew my name.", "x_caption": "The tide knew.", "alt_text": "Luna at sea."}
    prompt("at sea", character_id=owner.pk, image_ids=["img_named"], **written)
    prompt("by the lake", character_id=owner.pk, **written)
    prompt("in the city", character_id=owner.pk)
    common = {"character_id": owner.pk, "width": 4, "height": 5, "pixel_hash": "x", "file": "a.png"}
    made = {"img_named": "changed by hand", "img_words": "by the lake", "img_mute": "in the city"}
    for pk, words in made.items():
        Image.objects.create(id=pk, prompt=planning.final_prompt(owner, words), **common)
    for pk, said in (("img_named", caption), ("img_words", caption), ("img_mute", "")):
        page = client.get(f"/characters/{owner.pk}/post/{platform}/?image={pk}").content
        fields = filled(page, "post-form")
        assert (fields["caption"], fields["alt_text"]) == (said, "Luna at sea." if said else "")
