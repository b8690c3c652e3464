"""`/api/characters`: reading, adding, and who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from characters.models import Character
from influencer.jsondb import MASK
from influencer.web import body
from tests.characters.asking import JSON, URL, post, put, refused
from tests.characters.factories import INSTAGRAM, file, luna, row, rows, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> Client:
    return signed_in()


# --- reading ---------------------------------------------------------------------------------


def test_all_characters_are_listed_in_the_order_they_were_made(api: Client) -> None:
    for name in ("Zoe", "Ana", "Kai"):
        luna(name=name)
    answer = api.get(URL)
    assert answer.status_code == 200
    assert [one["name"] for one in answer.json()["characters"]] == ["Zoe", "Ana", "Kai"]
    assert answer.json()["total"] == 3


def test_an_empty_house_is_an_empty_list(api: Client) -> None:
    assert api.get(URL).json() == {"success": True, "characters": [], "total": 0}


def test_one_character_is_shown_with_every_field_and_its_secrets_masked(api: Client) -> None:
    made = luna(**INSTAGRAM)
    found = api.get(URL, {"id": made.pk}).json()
    assert found["total"] == 1
    record = found["characters"][0]
    assert (record["instagramApiKey"], record["twitterAppKey"]) == ("********", "")
    assert record["promptSettings"] == {"basePrompt": "", "negativePrompt": "", "style": "", "mood": ""}
    assert (record["narratives"], record["aiLabel"], record["width"]) == ([], True, None)
    assert record["createdAt"].endswith("Z")


def test_an_unknown_id_is_404(api: Client) -> None:
    refused(api.get(URL, {"id": "nobody"}), 404, "not_found")


def test_the_list_can_be_searched_narrowed_and_cut_into_pages(api: Client) -> None:
    for number in range(7):
        luna(name=f"Luna {number}", is_active=number % 2 == 0)
    luna(name="Kai")

    def names(**query: Any) -> tuple[list[str], int]:
        found = api.get(URL, query).json()
        return [one["name"].removeprefix("Luna ") for one in found["characters"]], found["total"]

    assert names(q="luna", active="true") == (["0", "2", "4", "6"], 4)
    assert names(active="false") == (["1", "3", "5"], 3)
    assert names(q="LUNA", page=2, pageSize=3) == (["3", "4", "5"], 7)
    assert names(page=3, pageSize=3) == (["6", "Kai"], 8)
    assert names(page=4, pageSize=3) == ([], 8)
    assert names(pageSize=10_000)[1] == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "x"),
        ("page", "0"),
        ("page", "-1"),
        ("pageSize", "1.5"),
        ("page", "9" * 30),
        ("active", "maybe"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_400(api: Client, name: str, value: str) -> None:
    assert name in refused(api.get(URL, {name: value}), 400, "invalid")["fields"]


# --- adding ----------------------------------------------------------------------------------


def test_adding_answers_201_with_the_whole_record(api: Client) -> None:
    answer = post(api, {"name": "Luna", "personality": "Dreamy", "steps": 12, "cfg": 4, "isActive": False})
    assert answer.status_code == 201
    made = answer.json()["character"]
    assert (made["name"], made["steps"], made["cfg"], made["isActive"]) == ("Luna", 12, 4.0, False)
    assert made["id"].startswith("char_")
    assert row(made["id"])["steps"] == 12


def test_unknown_keys_are_kept_and_ids_and_times_are_our_own(api: Client) -> None:
    given = {
        **{"name": "Luna", "personality": "Dreamy", "id": "mine", "createdAt": "x", "pet": {"kind": "owl"}},
        **{"promptSettings": {"mood": "calm", "palette": ["blue"]}},
    }
    made = post(api, given).json()["character"]
    assert made["id"] != "mine"
    assert made["pet"] == {"kind": "owl"}
    assert made["promptSettings"]["palette"] == ["blue"]


OLDER = {
    "accessToken": "EAAB-old",
    "keys": [{"api_key": "k-old", "n": 1}],
    "stats": {"tokens": 7},
    "pet": "owl",
}


def test_credentials_under_names_nobody_knows_are_masked_and_kept(api: Client) -> None:
    made = post(api, {"name": "Luna", "personality": "Dreamy", **OLDER}).json()["character"]
    assert made["accessToken"] == made["keys"][0]["api_key"] == MASK
    assert (made["keys"][0]["n"], made["stats"], made["pet"]) == (1, {"tokens": 7}, "owl")
    assert "EAAB-old" not in api.get("/api/characters").content.decode()
    again = put(api, made.pop("id"), **{**made, "pet": "cat", "refreshToken": MASK}).json()["character"]
    assert again["pet"] == "cat"
    stored = row(again["id"])
    assert {key: stored[key] for key in OLDER} == {**OLDER, "pet": "cat"}
    assert "refreshToken" not in stored


def test_a_credential_under_a_name_nobody_knows_can_be_changed(api: Client) -> None:
    made = post(api, {"name": "Luna", "personality": "Dreamy", **OLDER}).json()["character"]
    put(api, made["id"], accessToken="EAAB-new")
    assert row(made["id"])["accessToken"] == "EAAB-new"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"personality": "Dreamy"}, "name"),
        ({"name": "Luna"}, "personality"),
        ({"name": "  ", "personality": "Dreamy"}, "name"),
        ({"name": None, "personality": "Dreamy"}, "name"),
        ({"name": 7, "personality": "Dreamy"}, "name"),
        ({"name": ["Luna"], "personality": "Dreamy"}, "name"),
        ({"name": "Luna", "personality": ["dreamy"]}, "personality"),
        ({"name": "x" * 121, "personality": "Dreamy"}, "name"),
        ({"name": "Lu\nna", "personality": "Dreamy"}, "name"),
        ({"name": "Lu\u202ena", "personality": "Dreamy"}, "name"),
        ({"name": "Luna", "personality": "x" * 2001}, "personality"),
        ({"name": "Luna", "personality": "Dreamy", "isActive": "yes"}, "isActive"),
        ({"name": "Luna", "personality": "Dreamy", "isActive": None}, "isActive"),
        ({"name": "Luna", "personality": "Dreamy", "steps": "many"}, "steps"),
        ({"name": "Luna", "personality": "Dreamy", "steps": True}, "steps"),
        ({"name": "Luna", "personality": "Dreamy", "steps": 1.5}, "steps"),
        ({"name": "Luna", "personality": "Dreamy", "width": 10**18}, "width"),
        ({"name": "Luna", "personality": "Dreamy", "loraStrength": 3}, "loraStrength"),
        ({"name": "Luna", "personality": "Dreamy", "timezone": "Mars"}, "timezone"),
        ({"name": "Luna", "personality": "Dreamy", "promptSettings": []}, "promptSettings"),
        ({"name": "Luna", "personality": "Dreamy", "promptSettings": {"mood": 1}}, "promptSettings.mood"),
        ({"name": "Luna", "personality": "Dreamy", "narratives": {}}, "narratives"),
        ({"name": "Luna", "personality": "Dreamy", "narratives": ["x"]}, "narratives"),
        ({"name": "Luna", "personality": "Dreamy", "narratives": [{}]}, "narratives.0.title"),
        (
            {"name": "Luna", "personality": "Dreamy", "narratives": [{"title": "x"}, {"title": ["x"]}]},
            "narratives.1.title",
        ),
        (
            {"name": "Luna", "personality": "Dreamy", "narratives": [{"title": "x", "startDate": "May"}]},
            "narratives.0.startDate",
        ),
        (
            {
                **{"name": "Luna", "personality": "Dreamy"},
                "narratives": [{"title": "x", "startDate": "2026-02-01", "endDate": "2026-01-01"}],
            },
            "narratives.0.endDate",
        ),
        (
            {
                **{"name": "Luna", "personality": "Dreamy"},
                "narratives": [{"id": "n", "title": "x"}, {"id": "n", "title": "y"}],
            },
            "narratives.1.id",
        ),
    ],
)
def test_what_can_not_be_used_is_400_under_the_key_it_came_in(
    api: Client, given: dict[str, Any], field: str
) -> None:
    assert field in refused(post(api, given), 400, "invalid")["fields"]
    assert Character.objects.count() == 0


@pytest.mark.parametrize("name", ["月", "לונה", "لونا", "👩‍🎤", "e\u0301va", "<script>"])
def test_names_of_all_kinds_come_back_as_they_were_sent(api: Client, name: str) -> None:
    made = post(api, {"name": name, "personality": "Dreamy"}).json()["character"]
    assert api.get(URL, {"id": made["id"]}).json()["characters"][0]["name"] == name


def test_a_secret_goes_in_sealed_and_never_comes_out(api: Client) -> None:
    given = {"instagramAccountId": "178", "instagramApiKey": "IGAA-plain"}
    answer = post(api, {"name": "Luna", "personality": "Dreamy", **given})
    assert answer.json()["character"]["instagramApiKey"] == "********"
    assert b"IGAA-plain" not in answer.content + file().read_bytes() + api.get(URL).content
    assert Character.objects.get().instagram_api_key.reveal() == "IGAA-plain"


def test_a_secret_may_name_a_variable_which_is_stored_as_it_is_and_masked_all_the_same(api: Client) -> None:
    given = {"instagramAccountId": "178", "instagramApiKey": "env:INSTAGRAM_LUNA"}
    answer = post(api, {"name": "Luna", "personality": "Dreamy", **given})
    assert answer.json()["character"]["instagramApiKey"] == "********"
    assert rows()[0]["instagramApiKey"] == "env:INSTAGRAM_LUNA"


def test_any_other_variable_is_400(api: Client) -> None:
    given = {"instagramAccountId": "178", "instagramApiKey": "env:HOME"}
    found = refused(post(api, {"name": "Luna", "personality": "Dreamy", **given}), 400, "invalid")
    assert list(found["fields"]) == ["instagramApiKey"]


def test_credentials_half_filled_in_are_400_naming_what_is_missing(api: Client) -> None:
    given = {"twitterAppKey": "k", "twitterAppSecret": "s"}
    found = refused(post(api, {"name": "Luna", "personality": "Dreamy", **given}), 400, "invalid")
    assert set(found["fields"]) == {"twitterAccessToken", "twitterAccessSecret"}
    assert "X access token" in found["fields"]["twitterAccessToken"][0]


def test_the_same_idempotency_key_adds_once_and_answers_again(api: Client) -> None:
    first = post(api, Idempotency_Key="once")
    again = post(api, Idempotency_Key="once")
    assert (again.status_code, again.json()) == (201, first.json())
    assert Character.objects.count() == 1
    refused(
        post(api, {"name": "Kai", "personality": "Dry"}, Idempotency_Key="once"), 409, "idempotency_mismatch"
    )


def test_a_refused_request_with_a_key_may_be_mended_under_a_new_one(api: Client) -> None:
    refused(post(api, {"name": "Luna"}, Idempotency_Key="a"), 400, "invalid")
    assert post(api, Idempotency_Key="b").status_code == 201


# --- the frame -------------------------------------------------------------------------------


def test_only_who_is_known_gets_an_answer() -> None:
    refused(Client().get(URL), 401, "unauthorized")
    refused(Client().delete(URL), 401, "unauthorized")


def test_a_session_needs_the_csrf_token_to_change_anything(db: None) -> None:
    refused(post(signed_in(enforce_csrf_checks=True)), 403, "csrf")


def test_other_methods_kinds_and_sizes_are_refused(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(api.patch(URL, {}, content_type=JSON), 405, "method_not_allowed")
    refused(api.post(URL, {"name": "Luna"}), 415, "unsupported_media_type")
    refused(api.post(URL, "{", content_type=JSON), 400, "bad_json")
    monkeypatch.setattr(body, "JSON_LIMIT", 10)
    refused(post(api), 413, "too_large")


def test_the_trailing_slash_is_optional_and_head_is_answered(api: Client) -> None:
    assert api.get(f"{URL}/").status_code == 200
    assert api.head(URL).status_code == 200


def test_a_damaged_file_is_read_on_and_refuses_changes(api: Client) -> None:
    made = luna()
    file().write_text('[{"id": "char_')
    assert api.get(URL).json()["characters"][0]["id"] == made.pk
    for answer in (post(api), put(api, made, voice="Low"), api.delete(f"{URL}?id={made.pk}")):
        found = refused(answer, 503, "store_damaged")
        assert found["details"]["file"] == "characters.json"
    assert file().read_text() == '[{"id": "char_'


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_adds_once() -> None:
    clients = [signed_in() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda api: post(api, Idempotency_Key="double-click"), clients))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["character"]["id"] for answer in answers}) == 1
    assert Character.objects.count() == 1
