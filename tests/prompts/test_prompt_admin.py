"""Prompts in the admin: the same records, through the same services."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client

from prompts.models import Prompt
from tests.characters.factories import filled, luna
from tests.prompts.library import prompt, rows, write

pytestmark = pytest.mark.django_db
HOME = "/admin/prompts/prompt/"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def form_of(client: Client, address: str, **fields: str) -> dict[str, str]:
    answer = client.get(address)
    assert answer.status_code == 200
    return {**filled(answer.content, "prompt_form"), **fields}


def test_the_list_searches_and_filters(client: Client) -> None:
    owner = luna()
    prompt("by the lake", character_id=owner.pk, character_name="Luna")
    prompt("on the train", character_id="char_gone", character_name="Kai", used=True)
    for query, hits in {
        "": {"lake", "train"},
        "?q=lake": {"lake"},
        "?used__exact=1": {"train"},
        f"?character={owner.pk}": {"lake"},
    }.items():
        text = client.get(HOME + query).content.decode()
        assert {word for word in ("lake", "train") if f"the {word}" in text} == hits, query


def test_a_prompt_is_added_and_changed_and_unknown_keys_stay(client: Client) -> None:
    owner = luna()
    fields = {"character_id": owner.pk, "source": "", "prompt": "at sea"}
    client.post(f"{HOME}add/", form_of(client, f"{HOME}add/", **fields))
    [row] = rows()
    assert row["characterName"] == "Luna" and row["source"] == "hand"
    write({**row, "mine": 1})
    address = f"{HOME}{quote(row['id'])}/change/"
    answer = client.post(address, form_of(client, address, **fields, caption="Tide."))
    assert answer.status_code == 302
    assert rows()[0]["caption"] == "Tide." and rows()[0]["mine"] == 1


def test_a_stale_form_is_refused(client: Client) -> None:
    one = prompt("at sea", character_id=luna().pk)
    address = f"{HOME}{quote(one.pk)}/change/"
    form = form_of(client, address, character_id=one.character_id, prompt="mine", source="")
    Prompt.objects.change(one.pk, lambda record: setattr(record, "prompt", "theirs"))
    answer = client.post(address, form)
    assert "Someone saved this prompt" in answer.content.decode() and rows()[0]["prompt"] == "theirs"


def test_actions_mark_and_delete_several(client: Client) -> None:
    ids = [prompt(f"number {number}").pk for number in range(3)]
    for action, used in (("mark_used", [True, True, False]), ("mark_unused", [False, False, False])):
        client.post(HOME, {"action": action, "_selected_action": ids[:2]})
        assert [row["used"] for row in rows()] == used
    client.post(HOME, {"action": "delete_selected", "_selected_action": ids[:2], "post": "yes"})
    assert [row["id"] for row in rows()] == ids[2:]
