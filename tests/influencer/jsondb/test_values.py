"""One field's value in Python and in the file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from influencer.jsondb.keys import MISSING
from influencer.jsondb.secret import Secret
from influencer.jsondb.values import is_unset, reader, usable, writer
from tests.influencer.jsondb.library.models import Author

NOON = datetime(2025, 8, 7, 12, 0, 0, 811000, tzinfo=UTC)


def read(name: str, raw: Any) -> Any:
    return reader(Author._meta.get_field(name))(raw)


def write(name: str, value: Any) -> Any:
    return writer(Author._meta.get_field(name))(value)


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ("name", "Ann", "Ann"),
        ("name", None, ""),
        ("name", 7, "7"),
        ("name", True, "true"),
        ("biography", ["dreamy", "curious"], None),
        ("is_active", False, False),
        ("is_active", "true", True),
        ("is_active", None, True),
        ("is_active", MISSING, True),
        ("books_sold", 3, 3),
        ("books_sold", "3", 3),
        ("books_sold", "many", None),
        ("books_sold", "", None),
        ("rating", 4, 4.0),
        ("born_on", "2025-08-01", date(2025, 8, 1)),
        ("born_on", "2025-09-01T00:00:00", date(2025, 9, 1)),
        ("born_on", "", None),
        ("born_on", "yesterday", None),
        ("created_at", "2025-08-07T12:00:00.811Z", NOON),
        ("created_at", "2025-08-07T14:00:00.811+02:00", NOON),
        ("created_at", "2025-08-07T12:00:00.811", NOON),
        ("created_at", 1754568000811, NOON),
        ("created_at", "some day", None),
        ("created_at", {}, None),
        ("created_at", MISSING, None),
        ("contract", {"a": 1}, {"a": 1}),
        ("contract", MISSING, {}),
        ("publisher_key", "INSTAGRAM_API_KEY", Secret("INSTAGRAM_API_KEY")),
        ("publisher_key", MISSING, Secret()),
        ("publisher_key", None, Secret()),
        ("publisher_key", 123, Secret()),
    ],
)
def test_what_a_file_may_hold_can_be_read(field: str, raw: Any, value: Any) -> None:
    if field == "biography":
        value = '[\n  "dreamy",\n  "curious"\n]'
    found = read(field, raw)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("field", "value", "raw"),
    [
        ("name", "Ann", "Ann"),
        ("is_active", "True", True),
        ("books_sold", "12", 12),
        ("books_sold", None, None),
        ("rating", 3, 3.0),
        ("born_on", date(2025, 8, 1), "2025-08-01"),
        ("born_on", "2025-08-01", "2025-08-01"),
        ("created_at", NOON, "2025-08-07T12:00:00.811Z"),
        ("created_at", NOON.astimezone(timezone(timedelta(hours=5))), "2025-08-07T12:00:00.811Z"),
        ("created_at", "2025-08-07T12:00:00Z", "2025-08-07T12:00:00.000Z"),
        ("contract", {"a": [1]}, {"a": [1]}),
        ("publisher_key", "env:TWITTER_KEY", "env:TWITTER_KEY"),
    ],
)
def test_values_are_written_in_the_documented_form(field: str, value: Any, raw: Any) -> None:
    assert write(field, value) == raw


def test_a_secret_is_written_sealed() -> None:
    assert write("publisher_key", Secret("plain")).startswith("sealed:v1:")


def test_an_object_read_twice_is_two_objects() -> None:
    raw = {"a": [1]}
    read("contract", raw)["a"].append(2)
    read("contract", MISSING)["b"] = 1
    assert raw == {"a": [1]}
    assert read("contract", MISSING) == {}


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_empty_values_need_not_be_written(value: Any) -> None:
    assert is_unset(value)


@pytest.mark.parametrize("value", [0, False, 0.0, " ", [0]])
def test_zero_and_false_are_values(value: Any) -> None:
    assert not is_unset(value)


def test_what_would_read_as_a_default_is_not_usable() -> None:
    field = Author._meta.get_field
    assert usable(field("born_on"), "2025-08-01")
    assert not usable(field("born_on"), "yesterday")
    assert not usable(field("books_sold"), "many")
    assert not usable(field("is_active"), "perhaps")
    assert not usable(field("publisher_key"), 123)
