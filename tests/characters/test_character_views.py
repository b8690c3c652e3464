"""The list of characters and the page of one, with and without scripts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from characters import panels
from characters.models import Character
from tests.characters.browsing import LIST, htmx, names, text, toast
from tests.characters.factories import INSTAGRAM, X, chapter, file, luna, rows, signed_in, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


# --- the list --------------------------------------------------------------------------------


def test_the_first_page_offers_to_begin(client: Client) -> None:
    page = client.get(LIST)
    assert "Make your first character" in text(page)
    assert "Try it with sample characters" in text(page)
    assert "A Gemini key gives them a voice." in text(page)
    assert 'role="search"' not in page.content.decode()


def test_the_first_page_says_what_is_connected_and_leads_to_what_is_not(
    client: Client, settings: Any
) -> None:
    assert "/settings/#" not in client.get(LIST).content.decode()
    User.objects.update(is_superuser=True)
    page = client.get(LIST).content.decode()
    assert 'href="/settings/#comfyui"' in page and 'href="/settings/#gemini"' in page
    settings.INFLUENCER = replace(settings.INFLUENCER, gemini_api_key="key")
    assert "Written by Gemini" in client.get(LIST).content.decode()


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
    sent = {"name": "Luna Two", "personality": "Wild"}
    answer = client.post(f"{LIST}{made.pk}/section/persona/", sent, headers=htmx("persona"))
    assert (answer.status_code, answer["HX-Reswap"]) == (503, "none")
    assert "characters.json" in toast(answer)
    assert file().read_text() == '[{"id": "char_'
