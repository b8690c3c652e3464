"""What can be done with characters, whoever asks for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import payload, services
from characters.models import Character
from influencer.errors import Conflict, Invalid, NotFound
from tests.characters.factories import INSTAGRAM, X, chapter, luna, row, rows, write

pytestmark = pytest.mark.django_db


def save(character: Character, still: Any = None, **data: Any) -> Character:
    given = payload.read(data)
    form = given.form(Character.objects.get(pk=character.pk))
    assert form.is_valid(), form.errors
    return services.update(character.pk, form, still=still, beside=given.beside)


def titles(character: Character) -> list[str]:
    return [row["title"] for row in row(character.pk)["narratives"]]


def test_a_character_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="no character nobody"):
        services.get("nobody")


def test_search_finds_name_and_handles_in_any_case() -> None:
    luna(name="Luna", instagram_handle="@moon")
    luna(name="Kai", twitter_handle="@MOONLESS")
    luna(name="Straße")
    found = {
        q: [one.name for one in services.search(q=q)] for q in ("MOON", "lun", "STRASSE", "@", "xyz", "")
    }
    assert found == {
        "MOON": ["Kai", "Luna"],
        "lun": ["Luna"],
        "STRASSE": ["Straße"],
        "@": ["Kai", "Luna"],
        "xyz": [],
        "": ["Kai", "Luna", "Straße"],
    }


def test_search_narrows_by_state_and_model_and_sorts() -> None:
    first, second = timezone.now(), timedelta(seconds=1)
    luna(name="Luna", preferred_model="a.safetensors", created_at=first)
    luna(name="Kai", is_active=False, created_at=first + second)
    luna(name="Ana", is_active=False, preferred_model="a.safetensors", created_at=first + 2 * second)

    def names(**wanted: str) -> list[str]:
        return [one.name for one in services.search(**wanted)]

    assert names(show="active") == ["Luna"]
    assert names(show="paused") == ["Ana", "Kai"]
    assert names(model="a.safetensors", show="paused") == ["Ana"]
    assert names(sort="-created_at") == ["Ana", "Kai", "Luna"]
    assert services.counts() == {"all": 3, "active": 1, "paused": 2}
    assert services.models_in_use() == ["a.safetensors"]


def test_creating_writes_fields_unknown_keys_and_story_at_once() -> None:
    given = payload.read(
        {"name": "Luna", "personality": "Dreamy", "pet": "owl", "narratives": [{"title": "The Quest"}]}
    )
    made = services.create(given.form(), given.beside)
    stored = row(made.pk)
    assert (stored["name"], stored["pet"], titles(made)) == ("Luna", "owl", ["The Quest"])


def test_a_story_that_can_not_be_used_leaves_nothing_behind() -> None:
    given = payload.read({"name": "Luna", "personality": "Dreamy", "narratives": [{"title": ""}]})
    with pytest.raises(Invalid) as caught:
        services.create(given.form(), given.beside)
    assert list(caught.value.fields) == ["narratives.0.title"]
    assert Character.objects.count() == 0


def test_updating_changes_what_was_said_on_top_of_what_is_there_by_now() -> None:
    made = luna()
    form = payload.read({"mood": "calm", "promptSettings": {"style": "oil"}}).form(made)
    assert form.is_valid()
    Character.objects.change(made.pk, lambda record: setattr(record, "voice", "Low"))
    changed = services.update(made.pk, form)
    assert (changed.voice, changed.style) == ("Low", "oil")


def test_updating_with_nothing_new_leaves_file_and_time_alone() -> None:
    made = luna(**INSTAGRAM)
    before = rows()
    save(made, name="Luna", personality="Dreamy", instagramApiKey="********", isActive=True)
    assert rows() == before


def test_a_record_that_is_not_as_it_was_seen_is_left_alone() -> None:
    made = luna()
    with pytest.raises(Conflict, match="Someone saved Luna") as caught:
        save(made, still=lambda record: False, mood="calm")
    assert caught.value.code == "changed_since"
    assert caught.value.details["current"]["id"] == made.pk
    assert "promptSettings" not in row(made.pk)


def test_updating_a_character_that_was_deleted_says_so_and_brings_nothing_back() -> None:
    made = luna()
    form = payload.read({"personality": "Wild"}).form(made)
    assert form.is_valid()
    services.delete(made.pk)
    with pytest.raises(NotFound):
        services.update(made.pk, form)
    assert rows() == []


def test_two_people_changing_different_fields_at_once_lose_nothing() -> None:
    made = luna()
    changes = [{"voice": "Low"}, {"language": "English"}, {"triggerWord": "luna"}, {"lora": "l.safetensors"}]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: save(made, **data), changes))
    stored = row(made.pk)
    assert all(stored[key] == value for change in changes for key, value in change.items())


def test_prompt_settings_are_merged_and_other_unknown_objects_replaced() -> None:
    write(
        {
            "id": "luna",
            "name": "Luna",
            "personality": "Dreamy",
            "promptSettings": {"style": "oil", "own": 1, "list": [1]},
            "stats": {"likes": 1, "posts": 2},
        }
    )
    save(services.get("luna"), promptSettings={"mood": "calm", "own": 2}, stats={"likes": 3})
    assert row("luna")["promptSettings"] == {"style": "oil", "own": 2, "list": [1], "mood": "calm"}
    assert row("luna")["stats"] == {"likes": 3}


def test_narratives_are_replaced_in_the_given_order_and_keep_ids_and_unknown_keys() -> None:
    made = luna()
    write(
        row(made.pk)
        | {
            "narratives": [
                {"id": "narr_1", "title": "One", "colour": "red", "weather": "fog"},
                {"id": 2, "title": "Two"},
                {"id": "narr_3", "title": "Three"},
            ]
        }
    )
    given = [
        {"id": "narr_3", "title": "Three"},
        {"title": "New", "startDate": "2026-01-02"},
        {"id": "narr_1", "title": "One again", "weather": "sun"},
        {"id": "2", "title": "Two", "description": None},
    ]
    save(made, narratives=given)
    stored = row(made.pk)["narratives"]
    assert [one["title"] for one in stored] == ["Three", "New", "One again", "Two"]
    assert [stored[0]["id"], stored[2]["id"], stored[3]["id"]] == ["narr_3", "narr_1", "2"]
    assert stored[1]["id"].startswith("narr_")
    assert stored[2] == {"id": "narr_1", "title": "One again", "colour": "red", "weather": "sun"}


def test_an_empty_list_of_narratives_takes_the_story_away_and_none_leaves_it() -> None:
    made = luna()
    chapter(made)
    save(made, mood="calm", narratives=None)
    assert titles(made) == ["The Crystal Quest"]
    save(made, narratives=[])
    assert titles(made) == []


def test_switching_a_character_off_keeps_everything_else() -> None:
    made = luna(**INSTAGRAM)
    assert services.set_active(made.pk, active=False).is_active is False
    assert Character.objects.get().instagram_api_key.reveal() == INSTAGRAM["instagram_api_key"]


def test_a_copy_has_story_and_unknown_keys_but_no_credentials_and_no_portrait() -> None:
    made = luna(avatar_image_id="img_1", mood="calm", is_active=False, **INSTAGRAM, **X)
    write(row(made.pk) | {"pet": "owl", "narratives": [{"id": "n", "title": "One", "colour": "red"}]})
    copy = services.duplicate(made.pk)
    stored = row(copy.pk)
    assert (copy.name, copy.mood, copy.is_active, stored["pet"]) == ("Luna copy", "calm", False, "owl")
    assert stored["narratives"] == [{"id": stored["narratives"][0]["id"], "title": "One", "colour": "red"}]
    assert stored["narratives"][0]["id"] != "n"
    assert not any(key.startswith(("instagramA", "twitterA", "avatar")) for key in stored)


def test_a_copy_of_a_long_name_still_says_that_it_is_one() -> None:
    copy = services.duplicate(luna(name="x" * 120).pk)
    assert copy.name == "x" * 115 + " copy"


def test_what_is_given_away_holds_no_secret_in_any_form() -> None:
    made = luna(twitter_handle="@luna", **INSTAGRAM, **X)
    given = services.portable(made)
    assert not any("Key" in key or "Secret" in key or "Token" in key for key in given)
    older = services.portable(luna(extra={"accessToken": "EAAB-old", "old": {"apiKey": "k", "n": 1}}))
    assert "accessToken" not in older and older["old"] == {"n": 1}
    assert (given["instagramAccountId"], given["twitterHandle"]) == ("17841400000000001", "@luna")
