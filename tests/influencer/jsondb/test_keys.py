"""Names in Python and keys in the file."""

from __future__ import annotations

import pytest

from influencer.jsondb.keys import MISSING, camel_case, merge, pick, put, tree_of, without


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("name", "name"),
        ("instagram_api_key", "instagramApiKey"),
        ("is_active", "isActive"),
        ("lora_v2", "loraV2"),
        ("character_id", "characterId"),
    ],
)
def test_snake_case_becomes_camel_case(name: str, key: str) -> None:
    assert camel_case(name) == key


def test_a_path_is_picked_through_objects() -> None:
    row = {"promptSettings": {"style": "film"}, "list": [1]}
    assert pick(row, ("promptSettings", "style")) == "film"
    assert pick(row, ("promptSettings", "mood")) is MISSING
    assert pick(row, ("list", "style")) is MISSING


def test_putting_keeps_what_stands_beside() -> None:
    row = {"promptSettings": {"custom": [1]}, "other": "text"}
    put(row, ("promptSettings", "style"), "film")
    put(row, ("deep", "er", "key"), 1)
    put(row, ("other", "inner"), 2)
    assert row == {
        "promptSettings": {"custom": [1], "style": "film"},
        "other": {"inner": 2},
        "deep": {"er": {"key": 1}},
    }


def test_taking_paths_out_leaves_the_rest() -> None:
    row = {"id": "a", "settings": {"known": 1, "unknown": 2}, "only": {"known": 1}, "x": None}
    assert without(row, tree_of([("id",), ("settings", "known"), ("only", "known"), ("x", "y")])) == {
        "settings": {"unknown": 2},
        "x": None,
    }


def test_merging_carries_over_only_the_difference() -> None:
    row = {"a": 1, "b": {"x": 1, "y": 2}, "mine": True, "gone": 1}
    merge(row, {"a": 1, "b": {"x": 1}, "gone": 1}, {"a": 1, "b": {"x": 5, "z": 6}, "new": "n"})
    assert row == {"a": 1, "b": {"x": 5, "y": 2, "z": 6}, "mine": True, "new": "n"}


def test_merging_nothing_changes_nothing() -> None:
    row = {"a": {"b": 1}}
    merge(row, {"a": {"b": 9}}, {"a": {"b": 9}})
    assert row == {"a": {"b": 1}}
