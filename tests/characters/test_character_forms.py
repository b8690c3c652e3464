"""What may be typed into a character, and what comes out of it."""

from __future__ import annotations

from typing import Any

import pytest

from characters import forms
from characters.models import Character
from influencer.jsondb import seen
from tests.characters.factories import INSTAGRAM, X, luna, row, write

WHOLE = {"name": "Luna", "personality": "Dreamy"}


def errors(names: str = "name personality", instance: Character | None = None, **data: Any) -> dict[str, str]:
    form = forms.partial_form(names.split())({**WHOLE, **data}, instance=instance)
    return {name: str(messages[0]) for name, messages in form.errors.items()}


@pytest.mark.parametrize(
    "name",
    [
        "Luna",
        "月の巫女",
        "לונה המיסטית",
        "لونا",
        "👩‍🎤",
        "Zoë d’Arc-Müller",
        "e\u0301va",
        "<b>Luna</b>",
        "'; DROP TABLE",
        "x" * 120,
    ],
)
def test_names_of_all_kinds_are_taken_as_they_are(name: str) -> None:
    form = forms.CharacterForm({**WHOLE, "name": f"  {name} "})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["name"] == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "This field is required."),
        (" \t\n", "This field is required."),
        ("x" * 121, "at most 120 characters"),
        ("Lu\x07na", "control character"),
        ("Lu\nna", "control character"),
        ("Lu\x00na", "control character"),
        ("Luna\u202egnp.exe", "direction of text"),
        ("\u200b\u200d", "visible character"),
        ("\u2067", "direction of text"),
    ],
)
def test_names_nobody_could_read_are_refused_with_a_reason(name: str, why: str) -> None:
    assert why in errors(name=name)["name"]


def test_line_breaks_of_a_browser_are_stored_as_plain_ones() -> None:
    form = forms.CharacterForm({**WHOLE, "backstory": "one\r\ntwo\rthree\n\n"})
    form.is_valid()
    assert form.cleaned_data["backstory"] == "one\ntwo\nthree"


def test_text_sent_back_untouched_is_no_change() -> None:
    made = luna(backstory="one\ntwo\n", style=" oil ")
    data = {**WHOLE, "backstory": "one\r\ntwo\r\n", "style": "oil"}
    form = forms.partial_form(["name", "personality", "backstory", "style"])(data, instance=made)
    assert form.is_valid()
    assert form.said == []


def test_a_control_character_is_refused_in_every_text_and_a_tab_only_on_one_line() -> None:
    assert "control" in errors("name personality trigger_word", trigger_word="a\tb")["trigger_word"]
    assert "control" in errors("name personality backstory", backstory="a\x1bb")["backstory"]
    assert errors("name personality backstory", backstory="a\tb") == {}


@pytest.mark.parametrize("zone", ["Europe/Madrid", "UTC", "US/Eastern", ""])
def test_every_time_zone_there_is_can_be_chosen(zone: str) -> None:
    assert errors("name personality timezone", timezone=zone) == {}


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../zone", "Europe", "x" * 60])
def test_any_other_time_zone_is_refused(zone: str) -> None:
    assert "no time zone" in errors("name personality timezone", timezone=zone)["timezone"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", "0"),
        ("steps", "151"),
        ("width", "63"),
        ("cfg", "31"),
        ("lora_strength", "-2.1"),
        ("cfg", "nan"),
    ],
)
def test_numbers_out_of_range_are_refused(name: str, value: str) -> None:
    assert name in errors(f"name personality {name}", **{name: value})


def test_an_empty_secret_keeps_the_stored_one() -> None:
    made = luna(**INSTAGRAM)
    form = forms.section_form("accounts")({"instagram_account_id": "178", "ai_label": "on"}, instance=made)
    assert form.is_valid(), form.errors
    assert form.said == ["instagram_account_id"]


@pytest.mark.parametrize(("account", "typed", "stored"), [("", "", ""), ("178", "IGAA-new", "IGAA-new")])
def test_the_remove_box_takes_a_secret_away_unless_a_new_one_is_typed(
    account: str, typed: str, stored: str
) -> None:
    data = {"instagram_account_id": account, "instagram_api_key": typed, "instagram_api_key_remove": "on"}
    form = forms.partial_form(INSTAGRAM.keys())(data, instance=luna(**INSTAGRAM))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["instagram_api_key"] == stored
    assert form.said == list(INSTAGRAM)


def test_removing_only_the_secret_leaves_the_account_half_filled_in() -> None:
    data = {"instagram_account_id": "1", "instagram_api_key": "", "instagram_api_key_remove": "on"}
    form = forms.partial_form(INSTAGRAM.keys())(data, instance=luna(**INSTAGRAM))
    assert list(form.errors) == ["instagram_api_key"]


def test_a_secret_is_never_rendered_back() -> None:
    form = forms.CharacterForm({**WHOLE, **X}, instance=luna(**INSTAGRAM))
    html = form.as_p()
    assert not any(secret in html for secret in (*X.values(), INSTAGRAM["instagram_api_key"]))


@pytest.mark.parametrize("name", ["instagram_api_key", "instagram_account_id"])
@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("IGAA-token", True),
        ("INSTAGRAM_API_KEY", True),
        ("env:INSTAGRAM_API_KEY", True),
        ("env:TWITTER_KEY_2", True),
        ("env:HOME", False),
        ("env:instagram_key", False),
        ("two words", False),
        ("tøken", False),
    ],
)
def test_a_credential_is_a_key_or_the_name_of_an_allowed_variable(name: str, value: str, fits: bool) -> None:
    found = errors("name personality instagram_account_id instagram_api_key", **INSTAGRAM | {name: value})
    assert (name not in found) is fits
    assert value not in found.get(name, "")


def test_half_of_the_credentials_is_refused_naming_what_is_missing() -> None:
    found = errors("name personality instagram_api_key", instagram_api_key="IGAA")
    assert found == {"instagram_account_id": "Instagram account id is missing: fill in all of them, or none."}


def test_a_record_half_filled_in_by_hand_does_not_stand_in_the_way_of_other_changes() -> None:
    write({"id": "luna", "name": "Luna", "personality": "Dreamy", "twitterAppKey": "k"})
    stored = Character.objects.get()
    assert errors("name personality", stored, name="Luna Two") == {}
    assert set(errors("name personality twitter_app_secret", stored, twitter_app_secret="s")) == {
        "twitter_access_token",
        "twitter_access_secret",
    }


def test_the_portrait_is_not_part_of_the_dialog() -> None:
    made = luna(avatar_image_id="img_1")
    form = forms.dialog_form()({**WHOLE, "mood": "calm"}, instance=made)
    assert form.is_valid()
    assert "avatar_image_id" not in form.fields


def test_every_field_of_the_record_but_the_times_is_in_the_form() -> None:
    fields = {field.name for field in Character._meta.concrete_fields}
    assert fields - set(forms.CharacterForm.Meta.fields) == {"id", "created_at", "updated_at"}


def test_a_digest_tells_whether_the_record_is_as_it_was_shown() -> None:
    made = luna()
    shown = forms.section_form("persona")(instance=made).digest
    form = forms.section_form("persona")({**WHOLE, "digest": shown}, instance=made)
    assert form.is_current(made)
    Character.objects.change(made.pk, lambda record: setattr(record, "mood", "calm"))
    assert form.is_current(Character.objects.get()), "another section does not matter"
    Character.objects.change(made.pk, lambda record: setattr(record, "voice", "Low"))
    assert not form.is_current(Character.objects.get())


def test_a_form_that_comes_back_with_errors_keeps_the_digest_of_what_was_first_shown() -> None:
    made = luna()
    form = forms.section_form("persona")({"name": "", "digest": "as.first.shown"}, instance=made)
    assert not form.is_valid()
    assert form.digest == "as.first.shown"


def test_sealing_a_secret_is_no_change_of_what_was_shown() -> None:
    write({"id": "luna", "name": "Luna", "personality": "Dreamy", **{"instagramApiKey": "plain"}})
    form = forms.section_form("accounts")
    shown = form(instance=Character.objects.get()).digest
    Character.objects.change("luna", lambda record: setattr(record, "name", "Luna Two"))
    assert row("luna")["instagramApiKey"] != "plain"
    assert form({"digest": shown}).is_current(Character.objects.get())


def test_marks_are_equal_for_what_looks_equal_in_a_form() -> None:
    assert seen.mark(None) == seen.mark("") == seen.mark("  \r\n")
    assert seen.mark("a\r\nb ") == seen.mark("a\nb")
    assert len({seen.mark(value) for value in ("a", "b", 1, True, 1.5)}) == 5


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"q": " luna ", "show": "paused", "sort": "-updated_at"}, ("luna", "paused", "-updated_at")),
        ({"show": "nobody", "sort": "; drop"}, ("", "", "")),
        ({"q": "x" * 201}, ("", "", "")),
        ({"q": "a\x00b"}, ("", "", "")),
    ],
)
def test_filters_that_can_not_be_used_are_ignored(given: dict[str, str], values: tuple[str, ...]) -> None:
    found = forms.CharacterFilter(given).values()
    assert (found["q"], found["show"], found["sort"]) == values
