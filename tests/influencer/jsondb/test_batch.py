"""Several writes as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.errors import Conflict, NotFound
from influencer.jsondb import StoreDamaged
from tests.influencer.jsondb.library.models import Author, Book, Shelf

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]


def names(read_file: Read, file: str = "authors.json", key: str = "name") -> list[str]:
    return [row[key] for row in read_file(file)]


def inode(data_dir: Path) -> int:
    return (data_dir / "authors.json").stat().st_ino


def test_writes_are_seen_inside_and_stored_at_the_end(data_dir: Path, read_file: Read) -> None:
    with jsondb.batch():
        ann = Author.objects.create(name="Ann")
        ann.books.create(title="Sea")
        assert Author.objects.get(pk=ann.pk).books.get().title == "Sea"
        assert not (data_dir / "authors.json").exists()
    assert names(read_file) == ["Ann"]
    assert not (data_dir / "authors.json.bak").exists()  # one version was written, not three


def test_others_see_nothing_before_the_end() -> None:
    seen: list[int] = []
    with jsondb.batch():
        Author.objects.create(name="Ann")
        other = threading.Thread(target=lambda: seen.append(Author.objects.count()))
        other.start()
        other.join()
    assert seen == [0]


def test_a_block_that_raises_stores_nothing(data_dir: Path) -> None:
    with pytest.raises(ZeroDivisionError), jsondb.batch():
        Author.objects.create(name="Ann")
        raise ZeroDivisionError
    assert Author.objects.count() == 0
    Author.objects.create(name="Bea")


def test_a_refused_write_in_it_leaves_the_others(read_file: Read) -> None:
    with jsondb.batch():
        Author.objects.create(id="a", name="Ann")
        with pytest.raises(Conflict):
            Author.objects.create(id="a", name="Again")
        Author.objects.create(id="b", name="Bea")
    assert names(read_file) == ["Ann", "Bea"]


def test_each_collection_is_written_once(read_file: Read) -> None:
    with jsondb.batch():
        for label in "AB":
            Author.objects.create(name=label)
            Shelf.objects.create(label=label)
    assert names(read_file) == ["A", "B"]
    assert names(read_file, "shelves.json", "label") == ["A", "B"]


def test_an_inner_batch_joins_the_outer_one(data_dir: Path) -> None:
    with jsondb.batch():
        with jsondb.batch():
            Author.objects.create(name="Ann")
        assert not (data_dir / "authors.json").exists()
    assert Author.objects.count() == 1


def test_edits_are_made_on_what_the_file_holds_at_the_end(write_file: Write) -> None:
    write_file("authors.json", [{"id": "a", "name": "Ann"}])
    with jsondb.batch():
        Author.objects.change("a", lambda author: setattr(author, "biography", author.name + " writes"))
        Author.objects.create(name="Bea")
        write_file("authors.json", [{"id": "a", "name": "Anna"}, {"id": "h", "name": "By hand"}])
    assert list(Author.objects.values_list("name", "biography")) == [
        ("Anna", "Anna writes"),
        ("Bea", ""),
        ("By hand", ""),
    ]


def test_instances_show_what_was_stored_in_the_end(write_file: Write) -> None:
    write_file("authors.json", [{"id": "a", "name": "Ann"}])
    with jsondb.batch():
        ann = Author.objects.get()
        ann.biography = "Writes"
        ann.save()
        write_file("authors.json", [{"id": "a", "name": "By hand"}])
    assert ann.name == "By hand"
    assert ann.digest == Author.objects.get().digest


def test_what_cannot_be_done_at_the_end_fails_the_whole_collection(
    write_file: Write, read_file: Read
) -> None:
    write_file("authors.json", [{"id": "a", "name": "Ann"}])
    with pytest.raises(NotFound), jsondb.batch():
        Author.objects.create(name="Bea")
        Author.objects.change("a", lambda author: setattr(author, "name", "Anna"))
        write_file("authors.json", [])
    assert read_file("authors.json") == []


def test_a_damaged_file_is_refused_at_the_first_write(write_file: Write) -> None:
    Author.objects.create(name="Ann")
    write_file("authors.json", b"[")
    with pytest.raises(StoreDamaged), jsondb.batch():
        Author.objects.create(name="Bea")
        pytest.fail("the refusal came too late")


def test_a_batch_without_a_change_writes_nothing(data_dir: Path) -> None:
    Author.objects.create(name="Ann")
    before = inode(data_dir)
    with jsondb.batch():
        Author.objects.get().save()
    with jsondb.batch():
        pass
    assert inode(data_dir) == before


def test_a_write_inside_the_function_of_a_change_is_refused() -> None:
    ann = Author.objects.create(name="Ann")
    with pytest.raises(RuntimeError, match="batch"):
        Author.objects.change(ann.pk, lambda author: Book.objects.create(author=author, title="Sea"))
    with pytest.raises(RuntimeError, match="batch"), jsondb.batch():
        Author.objects.change(ann.pk, lambda author: Book.objects.create(author=author, title="Sea"))
    assert Book.objects.count() == 0


def test_many_records_at_once_are_one_write(data_dir: Path) -> None:
    Author.objects.bulk_create([Author(name=str(number)) for number in range(300)])
    assert Author.objects.count() == 300
    assert not (data_dir / "authors.json.bak").exists()
