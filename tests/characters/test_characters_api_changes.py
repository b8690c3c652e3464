"""`/api/characters`: changing and deleting."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from characters.models import Character
from tests.characters.asking import JSON, URL, put, refused
from tests.characters.factories import INSTAGRAM, X, luna, row, signed_in, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> Client:
    return signed_in()


# --- changing --------------------------------------------------------------------------------


def test_changing_leaves_alone_what_was_not_sent(api: Client) -> None:
    made = luna(mood="calm", style="oil", steps=20, **INSTAGRAM)
    answer = put(api, made, promptSettings={"style": "film"}, steps=None, isActive=False)
    assert answer.status_code == 200
    record = answer.json()["character"]
    assert (record["promptSettings"]["style"], record["promptSettings"]["mood"]) == ("film", "calm")
    assert (record["steps"], record["isActive"], record["name"]) == (None, False, "Luna")
    assert record["instagramApiKey"] == "********"


def test_the_whole_record_can_be_sent_back_as_it_came(api: Client) -> None:
    write({**row(luna(**INSTAGRAM, **X).pk), "pet": "owl", "narratives": [{"id": "n", "title": "x", "y": 1}]})
    before = row(Character.objects.get().pk)
    record = api.get(URL).json()["characters"][0]
    answer = api.put(URL, record, content_type=JSON)
    assert answer.status_code == 200
    after = row(record["id"])
    del before["updatedAt"], after["updatedAt"]
    assert after == before


@pytest.mark.parametrize(
    ("sent", "stored"), [("********", "IGAA-plain-token"), ("", "IGAA-plain-token"), ("new", "new")]
)
def test_mask_and_empty_text_keep_a_secret_and_a_new_one_takes_its_place(
    api: Client, sent: str, stored: str
) -> None:
    made = luna(**INSTAGRAM)
    assert put(api, made, instagramApiKey=sent).status_code == 200
    assert Character.objects.get().instagram_api_key.reveal() == stored


def test_the_label_is_switched_off_for_a_reason_which_stays_as_long_as_it_is_off(api: Client) -> None:
    made = luna()
    answer = put(api, made, aiLabel=False)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["aiLabelReason"]
    assert put(api, made, aiLabel=False, aiLabelReason="Drawn by hand").status_code == 200
    assert put(api, made, aiLabelReason="").status_code == 400
    assert put(api, made, aiLabel=False, name="Luna B").status_code == 200, "that is no news"
    stored = row(made.pk)
    assert (stored["aiLabel"], stored["aiLabelReason"]) == (False, "Drawn by hand")
    assert put(api, made, aiLabel=True, aiLabelReason="").status_code == 200


def test_null_clears_a_secret(api: Client) -> None:
    made = luna(**INSTAGRAM)
    assert put(api, made, instagramApiKey=None, instagramAccountId="").status_code == 200
    assert not Character.objects.get().instagram_api_key
    assert put(api, made, instagramApiKey=None).status_code == 200


def test_a_part_of_the_credentials_names_the_rest_also_when_that_was_not_sent(api: Client) -> None:
    found = refused(put(api, luna(), instagramAccountId="178"), 400, "invalid")
    assert list(found["fields"]) == ["instagramApiKey"]
    found = refused(put(api, luna(**INSTAGRAM), instagramApiKey=None), 400, "invalid")
    assert list(found["fields"]) == ["instagramApiKey"]


def test_narratives_are_replaced_and_unknown_keys_kept(api: Client) -> None:
    made = luna()
    first = put(api, made, narratives=[{"title": "One", "colour": "red"}, {"title": "Two"}])
    one, two = first.json()["character"]["narratives"]
    answer = put(api, made, pet="owl", narratives=[two, {"id": one["id"], "title": "One again"}])
    record = answer.json()["character"]
    assert record["narratives"] == [two, {**one, "title": "One again"}]
    assert record["pet"] == "owl"


def test_a_record_that_has_changed_since_is_409_and_shows_what_is_there(api: Client) -> None:
    made = luna()
    seen = made.as_json()["updatedAt"]
    assert put(api, made, updatedAt=seen, promptSettings={"mood": "calm"}).status_code == 200
    found = refused(put(api, made, updatedAt=seen, promptSettings={"mood": "wild"}), 409, "changed_since")
    assert found["details"]["current"]["promptSettings"]["mood"] == "calm"
    now = found["details"]["current"]["updatedAt"]
    assert put(api, made, updatedAt=now, promptSettings={"mood": "wild"}).status_code == 200


def test_the_time_may_be_written_in_another_way(api: Client) -> None:
    write({"id": "luna", "name": "Luna", "personality": "Dreamy", "updatedAt": "2025-09-01T12:00:00+02:00"})
    assert put(api, "luna", updatedAt="2025-09-01T10:00:00Z", voice="Low").status_code == 200


@pytest.mark.parametrize("seen", ["yesterday", [], {}])
def test_a_time_that_is_none_is_400(api: Client, seen: Any) -> None:
    assert "updatedAt" in refused(put(api, luna(), updatedAt=seen), 400, "invalid")["fields"]


def test_of_two_who_saw_the_same_record_one_wins_and_one_is_told(api: Client) -> None:
    made = luna()
    seen = made.as_json()["updatedAt"]

    def change(voice: str) -> int:
        return int(put(signed_in(), made, updatedAt=seen, voice=voice).status_code)

    assert sorted(map(change, ("Low", "High"))) == [200, 409]


@pytest.mark.parametrize("pk", [None, "", 7, ["x"]])
def test_changing_needs_an_id(api: Client, pk: Any) -> None:
    assert "id" in refused(put(api, pk), 400, "invalid")["fields"]


def test_changing_an_unknown_one_is_404(api: Client) -> None:
    refused(put(api, "nobody", name="Luna"), 404, "not_found")


# --- deleting --------------------------------------------------------------------------------


def test_deleting_takes_the_record_away(api: Client) -> None:
    made = luna()
    answer = api.delete(f"{URL}?id={made.pk}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    refused(api.delete(f"{URL}?id={made.pk}"), 404, "not_found")
    refused(api.delete(URL), 400, "invalid")
