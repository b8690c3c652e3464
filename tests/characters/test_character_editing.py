"""Adding and editing characters: dialogs, pages without scripts, sections that save where they stand."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from characters.models import Character
from tests.characters.browsing import LIST, htmx, text, toast
from tests.characters.factories import INSTAGRAM, file, filled, luna, row, rows, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


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
    unlabelled = {"ai_label": "", "ai_label_reason": "Drawn by hand"}
    assert section(client, made, "accounts", **digests["accounts"] | unlabelled).status_code == 200
    stored = row(made.pk)
    assert (stored["voice"], stored["isActive"], stored["aiLabel"]) == ("Low", False, False)


def test_the_label_is_switched_off_for_a_reason(client: Client) -> None:
    made = luna()
    answer = section(client, made, "accounts", ai_label="", ai_label_reason="")
    assert answer.status_code == 422
    assert "Say why the posts are not labelled as AI-generated." in answer.content.decode()
    assert section(client, made, "accounts", ai_label="", ai_label_reason="By hand").status_code == 200
    assert (row(made.pk)["aiLabel"], row(made.pk)["aiLabelReason"]) == (False, "By hand")
    assert section(client, made, "accounts", ai_label="on", ai_label_reason="").status_code == 200


def test_a_form_that_says_nothing_of_the_label_leaves_it_on(client: Client) -> None:
    made = luna()
    assert client.post(f"{LIST}{made.pk}/edit/", {"name": "Luna", "personality": "Dry"}).status_code == 303
    assert (row(made.pk)["personality"], row(made.pk)["aiLabel"]) == ("Dry", True)


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
