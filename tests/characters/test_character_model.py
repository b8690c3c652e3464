"""The record itself: its shape in the file, its rules, its days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from characters import payload, services
from characters.models import Character, Narrative
from tests.characters.factories import DOCUMENTED, INSTAGRAM, X, chapter, luna, row, write


def documented() -> dict[str, Any]:
    record: dict[str, Any] = orjson.loads(DOCUMENTED.read_bytes())[0]
    return record


def test_a_character_written_by_the_app_has_the_documented_keys_in_the_documented_order() -> None:
    given = payload.read(documented())
    made = services.create(given.form(), given.beside)
    written = row(made.pk)
    shape = documented()
    assert [key for key in written if key in shape] == list(shape)
    assert list(written["promptSettings"]) == list(shape["promptSettings"])
    assert list(written["narratives"][0]) == list(shape["narratives"][0])
    own = {"id", "createdAt", "updatedAt"}
    assert {key: written[key] for key in shape if key not in own} == {
        key: value for key, value in shape.items() if key not in own
    }
    assert set(written) - set(shape) == {"aiLabel", "practiseInSandbox"}


def test_the_documented_file_is_read_as_it_stands() -> None:
    write(documented())
    found = Character.objects.get()
    assert (found.name, found.instagram_handle, found.is_active) == ("Luna the Mystic", "@luna_mystic", True)
    assert (found.base_prompt, found.mood) == ("a beautiful portrait of luna_character", "serene")
    assert found.twitter_access_secret.variable == "TWITTER_ACCESS_SECRET"
    assert found.narratives.get().start_date == date(2025, 8, 1)


def test_saving_the_documented_record_changes_nothing_but_what_was_changed() -> None:
    write(documented())
    Character.objects.change(documented()["id"], lambda record: setattr(record, "mood", "stormy"))
    expected = documented()
    expected["promptSettings"]["mood"] = "stormy"
    written = row(documented()["id"])
    assert written["updatedAt"] > expected.pop("updatedAt")
    del written["updatedAt"]
    assert orjson.dumps(written) == orjson.dumps(expected)


def test_what_is_not_set_is_not_written() -> None:
    assert list(row(luna().pk)) == [
        *("id", "name", "personality", "isActive", "createdAt", "updatedAt", "narratives"),
        *("aiLabel", "practiseInSandbox"),
    ]


def test_the_first_narrative_takes_the_place_of_the_empty_list() -> None:
    made = luna(trigger_word="luna_character", **X)
    chapter(made)
    keys = list(row(made.pk))
    assert keys.index("triggerWord") < keys.index("narratives") < keys.index("twitterAppKey")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"instagram_account_id": "178"}, {"instagram_api_key"}),
        ({"instagram_api_key": "IGAA"}, {"instagram_account_id"}),
        (
            {"twitter_app_key": "k", "twitter_access_token": "t"},
            {"twitter_app_secret", "twitter_access_secret"},
        ),
        ({"twitter_account_id": "1"}, set()),
        ({**INSTAGRAM, **X}, set()),
        ({}, set()),
    ],
)
def test_credentials_are_whole_or_absent(given: dict[str, str], missing: set[str]) -> None:
    character = Character(name="Luna", personality="Dreamy", **given)
    try:
        character.clean()
    except ValidationError as error:
        assert set(error.message_dict) == missing
        assert all("is missing" in messages[0] for messages in error.message_dict.values())
    else:
        assert not missing


@pytest.mark.parametrize("zone", ["", "Mars/Phobos", "../../etc/passwd", "/etc/localtime", "x" * 4000])
def test_a_time_zone_nobody_knows_is_the_dashboards(zone: str) -> None:
    with timezone.override("Asia/Tokyo"):
        assert Character(timezone=zone).zone == ZoneInfo("Asia/Tokyo")


def test_today_is_the_characters_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 5, 14, 23, 30, tzinfo=UTC))
    assert Character(timezone="Asia/Tokyo").today == date(2026, 5, 15)
    assert Character(timezone="America/Bogota").today == date(2026, 5, 14)


def test_the_current_narrative_holds_the_day_and_began_last() -> None:
    made = luna()
    chapter(made, "Always")
    chapter(made, "May", start_date=date(2026, 5, 1), end_date=date(2026, 5, 31))
    chapter(made, "Since March", start_date=date(2026, 3, 1))
    chapter(made, "Until June", end_date=date(2026, 6, 1))
    titles = {
        day: getattr(made.current_narrative(day), "title", None)
        for day in (date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 31), date(2026, 6, 2))
    }
    assert list(titles.values()) == ["Always", "Since March", "May", "Since March"]


def test_a_character_without_a_story_has_no_current_narrative() -> None:
    assert luna().current_narrative(date(2026, 5, 1)) is None


def test_a_chapter_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="ends before it begins"):
        Narrative(title="Odd", start_date=date(2026, 2, 1), end_date=date(2026, 1, 1)).clean()
