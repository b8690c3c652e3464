"""Files written by hand or by the predecessor: nothing crashes, nothing is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest
from django.test import Client

from characters import panels, story
from characters.models import Character
from tests.characters.factories import INSTAGRAM, LEGACY, X, file, filled, row, rows, signed_in, write

pytestmark = pytest.mark.django_db

# What each field may hold after a careless edit.
ODD: tuple[Any, ...] = (None, "", " ", "text\nlines", 0, -1, 1.5, 10**15, True, [], ["a", 1], {}, {"a": [1]})
KEYS = (
    *("name", "personality", "backstory", "isActive", "createdAt", "updatedAt", "timezone", "width", "cfg"),
    *("preferredModel", "triggerWord", "promptSettings", "narratives", "instagramApiKey", "aiLabel"),
    *("instagramHandle", "avatarImageId", "lora", "loraStrength"),
)


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


@pytest.fixture
def legacy() -> list[dict[str, Any]]:
    file().write_bytes(LEGACY.read_bytes())
    found: list[dict[str, Any]] = orjson.loads(LEGACY.read_bytes())
    return found


def test_the_predecessors_characters_are_listed_each_id_once(client: Client, legacy: Any) -> None:
    page = client.get("/characters/")
    assert page.status_code == 200
    assert [card.character.name for card in page.context["cards"]] == [
        "Kai",
        "Luna",
        "Numeric",
        "Test Character",
    ]
    answer = client.get("/api/characters").json()
    assert [one["id"] for one in answer["characters"]] == [
        *("luna", "char_1754528276811_4suaz8mqv", "7", "0b6f2c1e-6c0a-4c8d-9a0e-9d1e1f7a2b33")
    ]


def test_each_of_them_can_be_opened_and_edited(client: Client, legacy: Any) -> None:
    for one in Character.objects.all():
        for address in ("", "edit/", "delete/", "export/", "generate/"):
            assert client.get(f"/characters/{one.pk}/{address}").status_code == 200, (one.pk, address)


def test_saving_one_of_them_through_a_form_changes_only_what_was_typed(client: Client, legacy: Any) -> None:
    for one in Character.objects.all():
        before = row(one.pk)
        page = client.get(f"/characters/{one.pk}/edit/").content
        answer = client.post(f"/characters/{one.pk}/edit/", filled(page) | {"voice": "Low"})
        assert answer.status_code == 303, answer.content.decode()
        after = row(one.pk)
        del after["updatedAt"]
        assert after == {key: value for key, value in before.items() if key != "updatedAt"} | {"voice": "Low"}
    assert len(rows()) == len(legacy)
    assert rows()[-1] == legacy[-1], "the second Luna is not shown, and not lost"


def test_saving_one_of_them_by_the_api_changes_only_what_was_sent(client: Client, legacy: Any) -> None:
    for one in client.get("/api/characters").json()["characters"]:
        before = row(one["id"])
        sent = {key: value for key, value in one.items() if key != "narratives"} | {"voice": "Low"}
        answer = client.put("/api/characters", sent, content_type="application/json")
        assert answer.status_code == 200, answer.content
        after = row(one["id"])
        assert after.pop("updatedAt")
        assert after == {key: value for key, value in before.items() if key != "updatedAt"} | {"voice": "Low"}


def test_a_list_as_personality_is_shown_as_text_and_stays_a_list(client: Client, legacy: Any) -> None:
    shown = client.get("/api/characters?id=luna").json()["characters"][0]
    assert orjson.loads(shown["personality"]) == ["dreamy", "curious"]
    client.post("/characters/luna/active/", {"is_active": "on"})
    client.post("/characters/luna/active/", {})
    assert row("luna")["personality"] == ["dreamy", "curious"]
    assert row("luna")["narrative"] == ["finds a map", "crosses the sea"]


def test_the_story_of_an_old_record_is_in_order_and_its_odd_dates_are_read(legacy: Any) -> None:
    kai = Character.objects.get(name="Kai")
    chapters = story.timeline(kai)
    assert [(one.record.title, one.span) for one in chapters] == [
        ("Harbour", "any time"),
        ("Open sea", "1 Sep – 1 Oct 2025"),
    ]


def test_an_old_record_can_be_copied_and_deleted(client: Client, legacy: Any) -> None:
    for one in list(Character.objects.all()):
        assert client.post(f"/characters/{one.pk}/duplicate/").status_code == 303
        assert client.post(f"/characters/{one.pk}/delete/").status_code == 303
    assert sorted(one.name for one in Character.objects.all()) == [
        *("Kai copy", "Luna again", "Luna copy", "Numeric copy", "Test Character copy")
    ]


@pytest.mark.parametrize("key", KEYS)
def test_no_value_of_any_kind_brings_a_page_down_or_gets_lost(client: Client, key: str) -> None:
    records = [
        {"id": f"c{number}", "name": "Luna", "personality": "Dreamy", key: value}
        for number, value in enumerate(ODD)
    ]
    write(*records)
    assert client.get("/characters/").status_code == 200
    assert client.get("/api/characters").status_code == 200
    for record in records:
        assert client.get(f"/characters/{record['id']}/").status_code == 200, record
        assert client.get(f"/characters/{record['id']}/edit/").status_code == 200, record
        assert client.post(f"/characters/{record['id']}/active/", {}).status_code == 303, record
    for record in records:
        after = row(record["id"])
        for name in record.keys() - {"updatedAt", "isActive", "instagramApiKey"}:
            assert after[name] == record[name], record


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    return {key: item for key, item in value.items() if key != "id"} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "narratives",
    [
        "once upon a time",
        {"title": "One"},
        ["finds a map", 7, None],
        [{}, {"id": "n"}, {"id": "n", "title": "again"}, {"title": ["x"], "startDate": 5, "endDate": "soon"}],
        [{"id": "a b/c", "title": "<script>", "startDate": "2026-01-01T00:00:00Z"}],
    ],
)
def test_a_story_of_any_shape_is_shown_as_far_as_it_goes_and_kept(client: Client, narratives: Any) -> None:
    write({"id": "luna", "name": "Luna", "personality": "Dreamy", "narratives": narratives})
    page = client.get("/characters/luna/")
    assert page.status_code == 200
    assert b"<script>" not in page.content
    assert client.get("/characters/luna/delete/").status_code == 200
    client.post("/characters/luna/active/", {})
    kept = row("luna")["narratives"]
    assert without_ids(kept) == without_ids(narratives), "but for an id where there was none"


@pytest.mark.parametrize("pk", ["a b", "luna?x=1&y", "ü#1", "%2e", "<b>", "'\"", "..", "add", "a/b", "x\ny"])
def test_an_id_of_any_kind_leaves_the_list_standing(client: Client, pk: str) -> None:
    write(
        {"id": pk, "name": "Luna", "personality": "Dreamy"},
        {"id": "kai", "name": "Kai", "personality": "Dry"},
    )
    page = client.get("/characters/")
    assert page.status_code == 200
    assert {card.character.pk for card in page.context["cards"]} == {pk, "kai"}
    assert panels.collect([pk])[pk]["images"].count == 0


@pytest.mark.parametrize("pk", ["a b", "luna?x=1&y", "ü#1", "%2e", "<b>", "'\"", "a/b"])
def test_an_id_of_any_kind_leads_to_its_page(client: Client, pk: str) -> None:
    write({"id": pk, "name": "Luna", "personality": "Dreamy"})
    [card] = client.get("/characters/").context["cards"]
    address = (
        client.get("/characters/").content.decode().partition('class="plain" href="')[2].partition('"')[0]
    )
    found = client.get(address.replace("&amp;", "&").replace("&#x27;", "'"))
    assert (found.status_code, found.context["character"].pk) == (200, card.character.pk)


def test_a_record_without_a_name_is_still_one_that_can_be_mended(client: Client) -> None:
    write({"id": "luna", "personality": "Dreamy"})
    assert client.get("/characters/").status_code == 200
    page = client.get("/characters/luna/edit/").content
    assert client.post("/characters/luna/edit/", filled(page)).status_code == 422
    assert client.post("/characters/luna/edit/", filled(page) | {"name": "Luna"}).status_code == 303
    assert row("luna")["name"] == "Luna"


def test_secrets_sealed_with_a_key_that_is_gone_leave_every_page_standing(
    client: Client, settings: Any
) -> None:
    made = Character.objects.create(name="Luna", personality="Dreamy", **INSTAGRAM, **X)
    key = dataclasses.replace(settings.INFLUENCER, master_key="another key of enough characters")
    settings.INFLUENCER = key
    assert client.get("/characters/").status_code == 200
    page = client.get(f"/characters/{made.pk}/")
    assert page.status_code == 200
    assert "sealed with another key" in page.content.decode()
    sent = filled(client.get(f"/characters/{made.pk}/edit/").content) | {"voice": "Low"}
    assert client.post(f"/characters/{made.pk}/edit/", sent).status_code == 303
