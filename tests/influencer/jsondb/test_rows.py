"""The rows one change sees and edits."""

from __future__ import annotations

from typing import Any

import pytest

from influencer import vault
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jsondb.declared import Declaration
from influencer.jsondb.rows import Rows, Table

SECRET = Declaration(secrets={("key",)})


def table(*rows: Any, declared: Declaration | None = None) -> Table:
    return Table(list(rows), declared or Declaration())


def test_rows_are_found_by_id() -> None:
    rows = Rows(table({"id": "a", "n": 1}, {"id": 7, "n": 2}))
    assert rows.find("a") == {"id": "a", "n": 1}
    assert rows.get("7")["n"] == 2
    assert rows.find("b") is None
    assert "a" in rows
    assert len(rows) == 2


def test_rows_given_out_are_copies() -> None:
    base = table({"id": "a", "list": [1]})
    Rows(base).get("a")["list"].append(2)
    next(iter(Rows(base)))["list"].append(3)
    assert base.rows == [{"id": "a", "list": [1]}]


def test_rows_put_in_are_copies() -> None:
    rows = Rows(table({"id": "a"}))
    row: dict[str, Any] = {"id": "a", "list": [1]}
    rows.put(row)
    row["list"].append(2)
    assert rows.get("a")["list"] == [1]


def test_edits_leave_the_table_beneath_as_it_was() -> None:
    base = table({"id": "a"}, {"id": "b"}, {"id": "c"})
    rows = Rows(base)
    rows.put({"id": "b", "n": 1})
    rows.add({"id": "d"})
    assert rows.remove("a")
    rows.put({"id": "c", "n": 2})
    assert rows.table.rows == [{"id": "b", "n": 1}, {"id": "c", "n": 2}, {"id": "d"}]
    assert [row["id"] for row in rows] == ["b", "c", "d"]
    assert base.rows == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert list(base.index) == ["a", "b", "c"]


def test_without_an_edit_the_table_is_the_same_one() -> None:
    base = table({"id": "a"})
    rows = Rows(base)
    assert not rows.remove("b")
    assert rows.table is base


def test_of_two_rows_with_one_id_the_first_counts_and_both_are_kept() -> None:
    rows = Rows(table({"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": "b"}))
    assert [row.get("n") for row in rows] == [1, None]
    rows.put({"id": "a", "n": 9})
    assert rows.table.rows == [{"id": "a", "n": 9}, {"id": "a", "n": 2}, {"id": "b"}]


def test_what_is_no_record_is_kept_in_place_and_not_shown() -> None:
    rows = Rows(table(1, {"id": "a"}, None, {"id": "b"}))
    assert [row["id"] for row in rows] == ["a", "b"]
    rows.put({"id": "b", "n": 1})
    rows.remove("a")
    assert rows.table.rows == [1, None, {"id": "b", "n": 1}]


def test_what_does_not_fit_is_refused() -> None:
    rows = Rows(table({"id": "a"}))
    with pytest.raises(NotFound):
        rows.put({"id": "b"})
    with pytest.raises(NotFound):
        rows.get("b")
    with pytest.raises(Conflict) as taken:
        rows.add({"id": "a"})
    assert taken.value.code == "exists"
    with pytest.raises(Invalid):
        rows.add({"name": "no id"})
    with pytest.raises(Invalid):
        rows.add({"id": "c", "n": float("nan")})
    assert rows.table.rows == [{"id": "a"}]


def test_secrets_are_sealed_on_their_way_in() -> None:
    rows = Rows(table({"id": "a"}, declared=SECRET))
    rows.put({"id": "a", "key": "plain"})
    rows.add({"id": "b", "key": "other"})
    assert [vault.unseal(row["key"]) for row in rows.table.rows] == ["plain", "other"]
    assert not rows.table.has_plain_secrets
    assert "plain" not in str(rows.table.rows)


def test_a_sealed_table_is_given_back_itself() -> None:
    base = table({"id": "a", "key": vault.seal("x")}, declared=SECRET)
    assert base.sealed() is base


def test_sealing_a_table_leaves_its_rows_untouched() -> None:
    base = table({"id": "a", "key": "plain"}, 3, declared=SECRET)
    closed = base.sealed()
    assert base.rows[0]["key"] == "plain"
    assert vault.unseal(closed.rows[0]["key"]) == "plain"
    assert closed.rows[1] == 3
    assert not closed.has_plain_secrets
