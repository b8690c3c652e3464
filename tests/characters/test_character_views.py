"""The Characters tab as a browser asks for it, with and without scripts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from characters import panels
from characters.models import Character
from tests.characters.factories import INSTAGRAM, X, chapter, file, filled, luna, row, rows, signed_in, write

pytestmark = pytest.mark.django_db
LIST = "/characters/"


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


def htmx(target: str = "dialog", page: str = LIST) -> dict[str, str]:
    return {
        "HX-Request": "true",
        "HX-Target": target,
        "HX-Current-URL": f"http://testserver{page}",
    }


def names(answer: Any) -> list[str]:
    return [card.character.name for card in answer.context["cards"]]


def text(answer: Any) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def toast(answer: Any) -> str:
    return str(json.loads(answer["HX-Trigger"])["toast"]["message"])


# --- the list --------------------------------------------------------------------------------


def test_the_first_page_offers_to_begin(client: Client) -> None:
    page = client.get(LIST)
    assert "Make your first character" in text(page)
    assert "Try it with sample characters" in text(page)
    assert 'role="search"' not in page.content.decode()


def test_the_samples_are_added_with_one_click_and_not_twice(client: Client) -> None:
    page = client.post(f"{LIST}samples/", follow=True)
    assert names(page) == ["Kai Mori", "Luna the Mystic", "Nova Reyes"]
    assert "Added 3 sample characters." in text(page)
    again = client.post(f"{LIST}samples/", follow=True)
    assert "The sample characters are here already." in text(again)
    assert len(rows()) == 3


def test_a_card_shows_who_it_is_and_what_can_be_done(client: Client) -> None:
    made = luna(instagram_handle="@luna", preferred_model="sub/dream.safetensors", lora="luna_v2.safetensors")
    words = text(client.get(LIST))
    assert "@luna · Dreamy" in words
    assert "dream · luna_v2" in words
    page = client.get(LIST).content.decode()
    for action in ("Generate", "Post", "Post to X", "Duplicate", "Export", "Delete", "Refresh Models"):
        assert f">{action}<" in page, action
    assert 'aria-label="Edit"' in page
    assert f'href="{LIST}{made.pk}/"' in page


def test_names_are_escaped_and_keep_their_direction(client: Client) -> None:
    luna(name="<script>alert(1)</script>")
    luna(name="לונה")
    page = client.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<bdi>&lt;script&gt;" in page
    assert "<bdi>לונה</bdi>" in page


def test_search_filters_and_sort_come_from_the_address(client: Client) -> None:
    luna(name="Luna", instagram_handle="@moon", preferred_model="a.safetensors")
    luna(name="Kai", is_active=False, preferred_model="a.safetensors")
    luna(name="Ana", is_active=False)
    assert names(client.get(LIST)) == ["Ana", "Kai", "Luna"]
    assert names(client.get(LIST, {"q": "MOON"})) == ["Luna"]
    assert names(client.get(LIST, {"show": "paused"})) == ["Ana", "Kai"]
    assert names(client.get(LIST, {"model": "a.safetensors", "sort": "-created_at"})) == ["Kai", "Luna"]
    page = client.get(LIST, {"q": "moon", "show": "active", "sort": "-created_at"}).content.decode()
    assert 'name="q" value="moon"' in page
    assert '<option value="active" selected>Active 1' in page
    assert '<option value="-created_at" selected>' in page


@pytest.mark.parametrize("query", [{"show": "x", "sort": "x", "page": "x"}, {"page": "99"}, {"q": "\x00"}])
def test_an_address_that_makes_no_sense_shows_the_list(client: Client, query: dict[str, str]) -> None:
    luna()
    assert names(client.get(LIST, query)) == ["Luna"]


def test_a_long_list_has_pages_that_keep_the_filters(client: Client) -> None:
    Character.objects.bulk_create(
        Character(name=f"Luna {number:03}", personality="Dreamy") for number in range(50)
    )
    page = client.get(LIST, {"q": "luna", "page": "2"})
    assert names(page) == [f"Luna {number:03}" for number in range(24, 48)]
    links = re.findall(r'href="(\?[^"]+)"[^>]*rel="(prev|next)"', page.content.decode())
    assert links == [("?q=luna&amp;page=1", "prev"), ("?q=luna&amp;page=3", "next")]
    assert "25 to 48 of 50 characters" in text(page)


def test_nothing_found_says_so_and_shows_the_way_back(client: Client) -> None:
    luna()
    assert "No name or handle holds “kai”." in text(client.get(LIST, {"q": "kai"}))
    assert "There is none with these filters." in text(client.get(LIST, {"show": "paused"}))
    assert "holds “kai” with these filters." in text(client.get(LIST, {"q": "kai", "show": "active"}))


def test_htmx_gets_the_grid_alone_and_a_clean_address(client: Client) -> None:
    for number in range(30):
        luna(name=f"Luna {number:02}")
    query = {"q": "luna", "show": "", "model": "", "sort": "name", "page": "2"}
    part = client.get(LIST, query, headers=htmx("grid"))
    content = part.content.decode()
    assert content.strip().startswith('<div id="grid"')
    assert "<html" not in content
    assert names(part) == [f"Luna {number:02}" for number in range(24, 30)]
    assert part["HX-Replace-Url"] == "/characters/?q=luna&sort=name&page=2"
    assert 'href="?q=luna&amp;sort=name&amp;page=1"' in content.replace("show=&amp;model=&amp;", "")


def test_the_grid_loads_itself_anew_when_characters_change(client: Client) -> None:
    luna()
    page = client.get(LIST, {"q": "lu"}).content.decode()
    assert 'hx-get="/characters/?q=lu" hx-trigger="characters-changed from:body"' in page


def test_head_is_answered_everywhere(client: Client) -> None:
    made = luna()
    for address in ("", "add/", f"{made.pk}/", f"{made.pk}/edit/", f"{made.pk}/delete/", f"{made.pk}/story/"):
        assert client.head(LIST + address).status_code == 200, address


def test_strangers_are_sent_to_sign_in() -> None:
    made = luna()
    for address in ("", f"{made.pk}/", f"{made.pk}/export/"):
        assert Client().get(LIST + address)["Location"].startswith("/login/")
    assert Client().post(f"{LIST}{made.pk}/delete/").status_code == 302
    assert len(rows()) == 1


def test_what_is_not_there_is_a_page_that_says_so(client: Client) -> None:
    for address in ("nobody/", "nobody/edit/", "nobody/delete/", "nobody/export/", "nobody/story/add/"):
        answer = client.get(LIST + address)
        assert answer.status_code == 404
        assert "There is no character nobody." in text(answer)
    assert "no section called odd" in text(client.post(f"{LIST}{luna().pk}/section/odd/", {}))


# --- the page --------------------------------------------------------------------------------


def test_the_page_shows_every_section(client: Client) -> None:
    made = luna(**INSTAGRAM, **X)
    page = client.get(f"{LIST}{made.pk}/")
    words = text(page)
    for heading in ("Gallery", "Story", "Posts", "Persona", "Look", "Accounts"):
        assert f">{heading}</h2>" in page.content.decode(), heading
    assert "No chapters yet." in words
    assert not any(
        secret in page.content.decode() for secret in (INSTAGRAM["instagram_api_key"], *X.values())
    )
    assert "set; leave empty to keep" in page.content.decode()


def test_no_id_stands_twice_on_the_page(client: Client) -> None:
    made = luna(**INSTAGRAM)
    page = client.get(f"{LIST}{made.pk}/").content.decode()
    dialog = client.get(f"{LIST}{made.pk}/edit/", headers=htmx()).content.decode()
    both = re.findall(r'\sid="((?:id|page)_[^"]+)"', page + dialog)
    assert sorted(set(both)) == sorted(both)


def test_a_panel_shows_what_another_app_knows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = luna()
    monkeypatch.setitem(panels._panels, "own", "the.provider")
    provider = panels.import_string
    monkeypatch.setattr(
        panels,
        "import_string",
        lambda name: (
            (lambda ids: dict.fromkeys((*ids, "other"), "mine")) if name == "the.provider" else provider(name)
        ),
    )
    [card] = client.get(LIST).context["cards"]
    assert card.parts["own"] == "mine"
    assert client.get(f"{LIST}{made.pk}/").context["parts"]["own"] == "mine"


# --- adding and editing ----------------------------------------------------------------------


def test_the_add_dialog_opens_over_the_list_and_is_a_page_without_scripts(client: Client) -> None:
    dialog = client.get(f"{LIST}add/", headers=htmx()).content.decode()
    assert dialog.strip().startswith("<dialog")
    page = client.get(f"{LIST}add/").content.decode()
    assert "<html" in page
    for content in (dialog, page):
        assert 'action="/characters/add/"' in content
        assert re.search(r'name="name"[^>]*autofocus', content)
        assert "<option>Europe/Madrid</option>" in content


def test_a_character_is_added_and_its_page_opens(client: Client) -> None:
    sent = {"name": "Luna", "personality": "Dreamy", "is_active": "on", "ai_label": "on", "steps": "12"}
    answer = client.post(f"{LIST}add/", sent, follow=True)
    made = Character.objects.get()
    assert answer.redirect_chain == [(f"{LIST}{made.pk}/", 303)]
    assert "Added Luna." in text(answer)
    assert (made.is_active, made.ai_label, made.practise_in_sandbox, made.steps) == (True, True, False, 12)


def test_htmx_is_told_where_to_go(client: Client) -> None:
    answer = client.post(f"{LIST}add/", {"name": "Luna", "personality": "Dreamy"}, headers=htmx())
    assert answer["HX-Redirect"] == f"{LIST}{Character.objects.get().pk}/"


def test_what_is_refused_comes_back_with_what_was_typed_and_why(client: Client) -> None:
    sent = {"name": "", "personality": "Dreamy", "steps": "999", "instagram_api_key": "IGAA-typed"}
    answer = client.post(f"{LIST}add/", sent, headers=htmx())
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "This field is required." in content
    assert 'value="999"' in content
    assert "Dreamy</textarea>" in content
    assert "IGAA-typed" not in content
    assert content.count('<details class="more" open>') == 2, "the sections with errors are open"
    assert rows_count() == 0


def rows_count() -> int:
    return len(rows()) if file().exists() else 0


def test_the_edit_dialog_shows_what_is_there_and_saving_it_untouched_changes_nothing(client: Client) -> None:
    made = luna(
        backstory="One\nTwo\n",
        avatar_image_id="img_1",
        lora_strength=0.8,
        width=832,
        timezone="Europe/Madrid",
        **INSTAGRAM,
    )
    before = rows()
    sent = filled(client.get(f"{LIST}{made.pk}/edit/").content, "character-form")
    assert (sent["name"], sent["lora_strength"], sent["backstory"]) == ("Luna", "0.8", "One\r\nTwo\r\n")
    assert client.post(f"{LIST}{made.pk}/edit/", sent).status_code == 303
    assert rows() == before


def test_editing_changes_what_was_typed(client: Client) -> None:
    made = luna(avatar_image_id="img_1")
    sent = filled(client.get(f"{LIST}{made.pk}/edit/").content, "character-form")
    answer = client.post(f"{LIST}{made.pk}/edit/", sent | {"name": "Luna Two", "mood": "calm"}, follow=True)
    assert "Saved Luna Two." in text(answer)
    stored = row(made.pk)
    assert (stored["name"], stored["promptSettings"], stored["avatarImageId"]) == (
        "Luna Two",
        {"mood": "calm"},
        "img_1",
    )


def test_editing_over_the_list_keeps_the_list_and_its_filters(client: Client) -> None:
    made = luna()
    over_list, over_page = htmx(page=f"{LIST}?q=lu"), htmx(page=f"{LIST}{made.pk}/")
    sent = {"name": "Luna", "personality": "Wild"}
    answer = client.post(f"{LIST}{made.pk}/edit/", sent, headers=over_list)
    assert answer.status_code == 204
    assert set(json.loads(answer["HX-Trigger"])) == {"toast", "dialog-close", "characters-changed"}
    assert toast(answer) == "Saved Luna."
    answer = client.post(f"{LIST}{made.pk}/edit/", sent, headers=over_page)
    assert answer["HX-Redirect"] == f"{LIST}{made.pk}/"


def test_editing_a_character_that_was_deleted_meanwhile_says_so_and_leaves_the_dialog(client: Client) -> None:
    made = luna()
    Character.objects.get().delete()
    answer = client.post(f"{LIST}{made.pk}/edit/", {"name": "Luna", "personality": "x"}, headers=htmx())
    assert (answer.status_code, answer["HX-Reswap"]) == (404, "none")
    assert toast(answer) == f"There is no character {made.pk}."


# --- sections --------------------------------------------------------------------------------


def section(client: Client, made: Character, name: str, /, **sent: str) -> Any:
    return client.post(f"{LIST}{made.pk}/section/{name}/", sent, headers=htmx(name, f"{LIST}{made.pk}/"))


def test_a_section_is_saved_where_it_stands_and_the_head_of_the_page_with_it(client: Client) -> None:
    made = luna(mood="calm")
    answer = section(client, made, "persona", name="Luna Two", personality="Wild")
    content = answer.content.decode()
    assert answer.status_code == 200
    assert toast(answer) == "Saved persona."
    assert '<section id="persona"' in content
    assert '<div class="hero" id="hero" hx-swap-oob="true">' in content
    assert "<h1><bdi>Luna Two</bdi></h1>" in content
    assert row(made.pk)["promptSettings"] == {"mood": "calm"}


def test_one_section_after_the_other_can_be_saved_without_a_reload(client: Client) -> None:
    made = luna()
    page = client.get(f"{LIST}{made.pk}/").content.decode()
    digests = {
        name: filled(page.partition(f'<section id="{name}"')[2].partition("</section>")[0])
        for name in ("persona", "look", "accounts")
    }
    assert section(client, made, "persona", **digests["persona"] | {"voice": "Low"}).status_code == 200
    assert client.post(f"{LIST}{made.pk}/active/", {}, headers=htmx("")).status_code == 204
    assert section(client, made, "look", **digests["look"] | {"mood": "calm"}).status_code == 200
    assert section(client, made, "accounts", **digests["accounts"] | {"ai_label": ""}).status_code == 200
    stored = row(made.pk)
    assert (stored["voice"], stored["isActive"], stored["aiLabel"]) == ("Low", False, False)


def test_a_refused_section_comes_back_in_its_place(client: Client) -> None:
    made = luna()
    answer = section(client, made, "look", steps="0", mood="calm")
    assert answer.status_code == 422
    assert '<section id="look"' in answer.content.decode()
    assert 'value="calm"' in answer.content.decode()
    assert "hx-swap-oob" not in answer.content.decode()


def test_without_scripts_a_section_leads_back_to_itself_and_a_refusal_shows_the_whole_page(
    client: Client,
) -> None:
    made = luna()
    answer = client.post(f"{LIST}{made.pk}/section/persona/", {"name": "Luna Two", "personality": "Wild"})
    assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{made.pk}/#persona")
    answer = client.post(f"{LIST}{made.pk}/section/persona/", {"name": "", "personality": "Wilder"})
    assert answer.status_code == 422
    assert "<html" in answer.content.decode()
    assert "<h1><bdi>Luna Two</bdi></h1>" in answer.content.decode()
    assert "Wilder</textarea>" in answer.content.decode()


def test_the_accounts_section_takes_and_removes_secrets_and_shows_none(client: Client) -> None:
    made = luna()
    both = {"ai_label": "on", "instagram_account_id": "178"}
    answer = section(client, made, "accounts", **both, instagram_api_key="IGAA-typed")
    assert "IGAA-typed" not in answer.content.decode()
    assert Character.objects.get().instagram_api_key.reveal() == "IGAA-typed"
    answer = section(client, made, "accounts", **both, instagram_api_key="")
    assert Character.objects.get().instagram_api_key
    removed = {"ai_label": "on", "instagram_api_key": "", "instagram_api_key_remove": "on"}
    answer = section(client, made, "accounts", **removed, instagram_account_id="")
    assert answer.status_code == 200
    assert not Character.objects.get().instagram_api_key


# --- small deeds -----------------------------------------------------------------------------


def test_the_switch_tells_what_it_means(client: Client) -> None:
    made = luna()
    answer = client.post(f"{LIST}{made.pk}/active/", {}, headers=htmx(""))
    assert toast(answer) == "Luna is paused: tasks don't fire, buttons still work."
    assert "characters-changed" in answer["HX-Trigger"]
    answer = client.post(f"{LIST}{made.pk}/active/", {"is_active": "on"})
    assert (answer.status_code, answer["Location"]) == (303, LIST)
    assert Character.objects.get().is_active


def test_deleting_asks_first_and_names_what_goes_and_what_stays(client: Client) -> None:
    made = luna()
    chapter(made)
    asked = client.get(f"{LIST}{made.pk}/delete/", headers=htmx())
    assert "Delete Luna ?" in text(asked)
    assert "the character, their credentials and 1 narrative." in text(asked)
    assert "This stays: 0 images and 0 posts." in text(asked)
    assert len(rows()) == 1
    answer = client.post(f"{LIST}{made.pk}/delete/", headers=htmx(page=f"{LIST}?q=lu&page=2"))
    assert answer["HX-Redirect"] == f"{LIST}?q=lu&page=2"
    assert rows() == []
    assert "Deleted Luna. Images and posts are kept." in text(client.get(LIST))


def test_deleting_from_its_own_page_leads_to_the_list(client: Client) -> None:
    made, other = luna(), luna(name="Kai")
    answer = client.post(f"{LIST}{made.pk}/delete/", headers=htmx(page=f"{LIST}{made.pk}/"))
    assert answer["HX-Redirect"] == LIST
    assert client.post(f"{LIST}{other.pk}/delete/")["Location"] == LIST


def test_a_copy_opens_at_once(client: Client) -> None:
    answer = client.post(f"{LIST}{luna(**INSTAGRAM).pk}/duplicate/", follow=True)
    assert "Added Luna copy, without credentials." in text(answer)
    assert answer.context["character"].name == "Luna copy"


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("Luna the Mystic", "luna-the-mystic"),
        ("月", "character"),
        ('a"; x=\n', "a-x"),
        ("../..", "character"),
    ],
)
def test_an_export_is_the_record_without_secrets(client: Client, name: str, saved_as: str) -> None:
    write(
        {"id": "luna", "name": name, "personality": "Dreamy", "pet": "owl", "instagramApiKey": "IGAA-plain"}
    )
    answer = client.get(f"{LIST}luna/export/")
    assert answer["Content-Disposition"] == f'attachment; filename="{saved_as}.json"'
    record = json.loads(answer.content)
    assert (record["name"], record["pet"]) == (name, "owl")
    assert "instagramApiKey" not in record


@pytest.mark.parametrize("address", ["active", "duplicate", "section/persona"])
def test_what_changes_something_can_not_be_asked_for_with_get(client: Client, address: str) -> None:
    assert client.get(f"{LIST}{luna().pk}/{address}/").status_code == 405


def test_a_damaged_file_is_told_on_every_page_and_saving_keeps_what_was_typed(client: Client) -> None:
    made = luna()
    client.get(LIST)
    file().write_text('[{"id": "char_')
    page = client.get(LIST)
    assert names(page) == ["Luna"]
    assert "characters.json can’t be read" in text(page)
    answer = section(client, made, "persona", name="Luna Two", personality="Wild")
    assert (answer.status_code, answer["HX-Reswap"]) == (503, "none")
    assert "characters.json" in toast(answer)
    assert file().read_text() == '[{"id": "char_'
