"""Rows within a record's list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jsondb import NotSupported
from tests.influencer.jsondb.library.models import Author, Book

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]

ANN = {
    "id": "ann",
    "name": "Ann",
    "updatedAt": "2025-08-08T10:30:00.000Z",
    "books": [{"id": "b1", "title": "Sea", "isbn": "1-2"}, "no book", {"id": "b2", "title": "Sky"}],
}


@pytest.fixture
def ann(write_file: Write) -> Author:
    write_file("authors.json", [ANN, {"id": "bob", "name": "Bob"}])
    return Author.objects.get(pk="ann")


def books(read_file: Read, place: int = 0) -> Any:
    return read_file("authors.json")[place].get("books")


def test_a_row_is_appended_to_its_parents_list(ann: Author, read_file: Read) -> None:
    book = Book.objects.create(author=ann, title="Rain", published_on=date(2025, 8, 1))
    assert book.pk.startswith("book_")
    assert books(read_file)[-1] == {"id": book.pk, "title": "Rain", "publishedOn": "2025-08-01"}


def test_the_first_row_makes_the_list(ann: Author, read_file: Read) -> None:
    Author.objects.get(pk="bob").books.create(title="One")
    assert [book["title"] for book in books(read_file, 1)] == ["One"]


def test_a_row_is_changed_in_place_with_its_unknown_keys(ann: Author, read_file: Read) -> None:
    book = ann.books.get(pk="b1")
    assert book.extra == {"isbn": "1-2"}
    book.title = "Deep sea"
    book.save()
    assert books(read_file) == [{"id": "b1", "title": "Deep sea", "isbn": "1-2"}, *ANN["books"][1:]]


def test_a_row_is_taken_out(ann: Author, read_file: Read) -> None:
    assert ann.books.get(pk="b1").delete() == (1, {"library.Book": 1})
    assert books(read_file) == ANN["books"][1:]


def test_the_record_counts_as_changed(ann: Author) -> None:
    times = [ann.updated_at]
    for change in (
        lambda: ann.books.create(title="Rain"),
        lambda: Book.objects.change("b1", lambda book: setattr(book, "title", "Deep sea")),
        lambda: ann.books.get(pk="b2").delete(),
    ):
        before = Author.objects.get(pk="ann").digest
        change()
        times.append(Author.objects.get(pk="ann").updated_at)
        assert Author.objects.get(pk="ann").digest != before
    assert times == sorted(set(times))


def test_saving_a_row_without_a_change_writes_nothing(ann: Author, data_dir: Path) -> None:
    before = (data_dir / "authors.json").stat().st_ino
    ann.books.get(pk="b1").save()
    assert (data_dir / "authors.json").stat().st_ino == before


def test_one_id_may_stand_in_two_records(ann: Author, read_file: Read) -> None:
    bob = Author.objects.get(pk="bob")
    bob.books.create(id="b1", title="Bob's")
    twin = bob.books.get(pk="b1")
    twin.title = "Bob's own"
    twin.save()
    assert books(read_file)[0]["title"] == "Sea"
    assert books(read_file, 1)[0]["title"] == "Bob's own"
    with pytest.raises(NotFound, match="more than one"):
        Book.objects.change("b1", lambda book: None)


def test_within_one_record_an_id_is_taken_once(ann: Author) -> None:
    with pytest.raises(Conflict):
        ann.books.create(id="b1", title="Again")


def test_what_is_gone_stays_gone(ann: Author) -> None:
    book = ann.books.get(pk="b1")
    ann.books.get(pk="b1").delete()
    book.title = "Back"
    with pytest.raises(NotFound):
        book.save()
    assert book.delete() == (0, {})
    ann.delete()
    with pytest.raises(NotFound):
        Book.objects.create(author=ann, title="Orphan")
    assert book.delete() == (0, {})


def test_a_row_stays_with_its_record(ann: Author) -> None:
    book = ann.books.get(pk="b1")
    book.author = Author.objects.get(pk="bob")
    with pytest.raises(NotSupported):
        book.save()


def test_a_list_that_is_none_is_not_written_over(write_file: Write) -> None:
    write_file("authors.json", [{"id": "ann", "name": "Ann", "books": "none yet"}])
    ann = Author.objects.get()
    assert list(ann.books.all()) == []
    with pytest.raises(Invalid, match="books"):
        ann.books.create(title="Sea")


def test_all_rows_are_replaced_in_one_write_with_a_batch(ann: Author, read_file: Read) -> None:
    with jsondb.batch():
        ann.books.all().delete()
        Book.objects.bulk_create([Book(author=ann, title=title) for title in ("One", "Two")])
    assert [book if book == "no book" else book["title"] for book in books(read_file)] == [
        "no book",
        "One",
        "Two",
    ]
