"""Ids: made, found, and given to what was written by hand without one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from influencer.jsondb.declared import Declaration
from influencer.jsondb.ids import adopt, identity, new_id


def test_a_new_id_has_prefix_milliseconds_and_nine_signs() -> None:
    assert re.fullmatch(r"char_\d{13}_[0-9a-z]{9}", new_id("char"))


def test_new_ids_differ() -> None:
    assert len({new_id("x") for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"id": "luna"}, "luna"),
        ({"id": 7}, "7"),
        ({"id": ""}, None),
        ({"id": None}, None),
        ({"id": True}, None),
        ({"id": ["a"]}, None),
        ({}, None),
        ("text", None),
        (None, None),
    ],
)
def test_an_entry_is_known_by_its_text_or_number(row: Any, name: str | None) -> None:
    assert identity(row) == name


def adopted(rows: list[Any]) -> list[Any]:
    adopt(rows, Declaration(prefix="char", lists={"narratives": "narr"}))
    return rows


def test_an_entry_without_id_gets_the_same_one_in_every_process() -> None:
    first, second = (adopted([{"name": "Luna"}, {"name": "Kai"}]) for _ in range(2))
    assert first == second
    assert re.fullmatch(r"char_0_[0-9a-z]{9}", first[0]["id"])
    assert first[0]["id"] != first[1]["id"]


def test_the_id_stands_first_and_all_else_stays() -> None:
    row = adopted([{"name": "Luna", "id": "", "x": 1}])[0]
    assert list(row) == ["id", "name", "x"]


def test_two_alike_get_two_ids() -> None:
    first, second = adopted([{"name": "Luna"}, {"name": "Luna"}])
    assert first["id"] != second["id"]


def test_rows_within_records_are_adopted_too() -> None:
    row = adopted([{"id": "luna", "narratives": [{"title": "One"}, {"id": "n2"}]}])[0]
    assert row["narratives"][0]["id"].startswith("narr_0_")
    assert row["narratives"][1] == {"id": "n2"}


def test_what_is_no_object_or_list_is_left_alone() -> None:
    rows: list[Any] = [1, None, {"id": "a", "narratives": "none"}, {"id": "b", "narratives": [3]}]
    assert adopted(list(rows)) == rows
