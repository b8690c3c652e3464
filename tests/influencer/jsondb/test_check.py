"""Going through a file for everything worth mending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.errors import NotFound
from influencer.jsondb import check
from tests.influencer.jsondb.library.models import Author

Write = Callable[[str, Any], Path]


def found(rows: Any = None) -> set[tuple[str, str]]:
    return {(finding.code, finding.record) for finding in check("authors.json")}


def test_a_file_that_is_well_has_no_findings() -> None:
    assert check("authors.json") == []
    author = Author.objects.create(name="Ann", publisher_key="secret", genre="poem", extra={"unknown": 1})
    author.books.create(title="Sea")
    assert check("authors.json") == []


def test_a_damaged_file_is_told_with_its_place(write_file: Write) -> None:
    write_file("authors.json", b"[\n1,]")
    (finding,) = check("authors.json")
    assert (finding.code, finding.is_error) == ("damaged", True)
    assert "at line 2, column 2" in finding.message


def test_ids_are_checked_in_records_and_within_them(write_file: Write) -> None:
    one = {
        "id": "a",
        "name": "A",
        "books": [{"id": "b", "title": "t"}, {"id": "b", "title": "t"}, 5, {"title": "t"}],
    }
    write_file("authors.json", [one, {"id": "a", "name": "B"}, {"name": "C"}, 3])
    assert found() == {
        ("double_id", "a"),
        ("no_id", ""),
        ("no_object", ""),
        ("no_object", "a"),
        ("no_id", "a"),
    }


def test_plain_secrets_are_named_without_showing_them(write_file: Write) -> None:
    rows = [
        {"id": "a", "name": "A", "publisherKey": "open-sesame"},
        {"id": "b", "name": "B", "publisherKey": "INSTAGRAM_KEY"},
        {"id": "c", "name": "C", "publisherKey": "env:HOME"},
    ]
    write_file("authors.json", rows)
    write_file("authors.json.bak", rows)
    assert ("plain_secret", "a") in found()
    assert ("plain_secret", "") in found()
    assert ("refused_variable", "c") in found()
    assert "open-sesame" not in str(check("authors.json"))


def test_values_and_records_that_break_the_rules_are_named(write_file: Write) -> None:
    rows = [
        {"id": "a", "name": "", "bornOn": "in spring", "publicity": {"genre": "opera"}},
        {"id": "b", "name": "B", "books": [{"id": "x"}]},
        {"id": "c", "name": "C", "books": "none"},
    ]
    write_file("authors.json", rows)
    messages = {(finding.record, finding.message) for finding in check("authors.json")}
    assert ("a", "bornOn can't be used as it stands.") in messages
    assert ("a", "name: This field cannot be blank.") in messages
    assert ("b", "title: This field cannot be blank.") in messages
    assert ("c", "“books” is not a list.") in messages
    assert any(record == "a" and "opera" in message for record, message in messages)


def test_a_key_that_stands_twice_is_told(write_file: Write) -> None:
    write_file("authors.json", b'[{"id": "a", "name": "A", "name": "B"}]')
    assert found() == {("double_key", "")}


def test_a_large_file_is_a_warning(write_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("influencer.jsondb.checking.MANY_RECORDS", 2)
    monkeypatch.setattr("influencer.jsondb.checking.MANY_BYTES", 20)
    write_file("authors.json", [{"id": str(number), "name": "N"} for number in range(3)])
    findings = check("authors.json")
    assert {finding.code for finding in findings} == {"many_records", "large_file"}
    assert not any(finding.is_error for finding in findings)


def test_a_document_is_checked_too(write_file: Write) -> None:
    jsondb.declare_secret("service.json", "gemini.apiKey")
    write_file("service.json", {"gemini": {"apiKey": "open-sesame"}})
    assert [finding.code for finding in check("service.json")] == ["plain_secret"]


def test_only_files_of_the_store_are_checked() -> None:
    with pytest.raises(NotFound):
        check("../secret.json")
