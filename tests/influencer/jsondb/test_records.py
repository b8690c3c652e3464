"""Records: Django instances whose row lies in a file."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from influencer import jsondb
from influencer.errors import Conflict, NotFound
from influencer.jsondb import Secret, StoreDamaged
from tests.influencer.jsondb.library.models import Author, Book, Shelf

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]

ANN = {
    "zodiac": "fish",
    "id": "ann",
    "name": "Ann",
    "publicity": {"agent": "Bo", "penName": "A. N."},
    "createdAt": "2025-08-07T00:57:56.811Z",
    "updatedAt": "2025-08-08T10:30:00.000Z",
    "notes": [{"deep": [1, None]}],
}


@pytest.fixture
def ann(write_file: Write) -> Author:
    write_file("authors.json", [ANN])
    return Author.objects.get(pk="ann")


def stored(read_file: Read, place: int = 0) -> dict[str, Any]:
    return read_file("authors.json")[place]


def test_a_new_record_gets_id_and_times_and_lies_in_the_file(read_file: Read) -> None:
    author = Author.objects.create(name="Ann", pen_name="A. N.", books_sold=0, is_active=False)
    row = stored(read_file)
    assert re.fullmatch(r"auth_\d{13}_[0-9a-z]{9}", author.pk)
    assert row == {
        "id": author.pk,
        "name": "Ann",
        "isActive": False,
        "booksSold": 0,
        "publicity": {"penName": "A. N."},
        "createdAt": row["createdAt"],
        "updatedAt": row["createdAt"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["createdAt"])


def test_a_saved_record_is_as_if_freshly_loaded() -> None:
    author = Author(name="Ann", born_on="1970-01-01", books_sold="3")
    assert author._state.adding
    author.save()
    assert not author._state.adding
    assert author == Author.objects.get()
    assert (author.born_on.isoformat(), author.books_sold) == ("1970-01-01", 3)
    assert author.digest == Author.objects.get().digest


def test_a_record_without_its_id_gets_one_when_saved() -> None:
    author = Author(name="Ann")
    author.pk = None  # as the admin does with a new parent of inline rows
    author.save()
    assert author.pk.startswith("auth_")


def test_only_what_was_changed_is_written(ann: Author, read_file: Read) -> None:
    ann.name = "Anna"
    ann.save()
    expected = {**ANN, "name": "Anna", "updatedAt": stored(read_file)["updatedAt"]}
    assert stored(read_file) == expected
    assert list(stored(read_file)) == list(ANN)


def test_an_unset_key_is_not_written_unless_it_was_there(ann: Author, read_file: Read) -> None:
    ann.biography = ""
    ann.genre = ""
    ann.pen_name = ""
    ann.save()
    row = stored(read_file)
    assert "biography" not in row
    assert row["publicity"] == {"agent": "Bo", "penName": ""}


def test_saving_without_a_change_writes_nothing(ann: Author, data_dir: Path) -> None:
    before = (data_dir / "authors.json").stat().st_ino
    ann.save()
    ann.name = "Ann"
    ann.save()
    assert (data_dir / "authors.json").stat().st_ino == before


def test_two_edits_of_different_fields_both_stay(ann: Author) -> None:
    other = Author.objects.get(pk="ann")
    ann.name = "Anna"
    other.biography = "Born by the sea"
    ann.save()
    other.save()
    saved = Author.objects.get()
    assert (saved.name, saved.biography) == ("Anna", "Born by the sea")
    assert (other.name, other.biography) == ("Anna", "Born by the sea")


def test_named_fields_alone_can_be_saved(ann: Author) -> None:
    ann.name, ann.biography = "Anna", "left out"
    ann.extra["zodiac"] = "left out"
    ann.save(update_fields=["name"])
    saved = Author.objects.get()
    assert (saved.name, saved.biography, saved.extra["zodiac"]) == ("Anna", "", "fish")


def test_a_loaded_record_can_be_stored_as_a_new_one(ann: Author, read_file: Read) -> None:
    ann.delete()
    ann.save(force_insert=True)
    assert stored(read_file) == {**ANN, "isActive": True, "updatedAt": stored(read_file)["updatedAt"]}


def test_the_time_of_change_rises_even_within_a_millisecond_or_a_clock_set_back(
    ann: Author, write_file: Write
) -> None:
    future = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    write_file("authors.json", [{**ANN, "updatedAt": future.isoformat()}])
    times = []
    for number in range(3):
        ann.name = f"Ann {number}"
        ann.save()
        times.append(ann.updated_at)
    assert times == [future + timedelta(milliseconds=step) for step in (1, 2, 3)]


def test_a_record_whose_time_of_change_is_unreadable_can_be_saved(write_file: Write, read_file: Read) -> None:
    write_file("authors.json", [{"id": "ann", "name": "Ann", "updatedAt": "recently"}])
    ann = Author.objects.get()
    assert ann.updated_at is None
    ann.name = "Anna"
    ann.save()
    assert ann.updated_at is not None


def test_a_value_that_cannot_be_read_is_kept_until_it_is_changed(write_file: Write, read_file: Read) -> None:
    write_file("authors.json", [{"id": "ann", "name": "Ann", "bornOn": "in spring", "booksSold": "many"}])
    ann = Author.objects.get()
    assert (ann.born_on, ann.books_sold) == (None, None)
    ann.name, ann.books_sold = "Anna", 3
    ann.save()
    assert stored(read_file)["bornOn"] == "in spring"
    assert stored(read_file)["booksSold"] == 3


def test_a_record_deleted_meanwhile_does_not_come_back(ann: Author) -> None:
    Author.objects.get().delete()
    ann.name = "Anna"
    with pytest.raises(NotFound):
        ann.save()
    assert Author.objects.count() == 0


def test_a_taken_id_is_a_conflict(ann: Author) -> None:
    with pytest.raises(Conflict) as caught:
        Author.objects.create(id="ann", name="Another")
    assert caught.value.code == "exists"
    assert Author.objects.get().name == "Ann"


def test_deleting_takes_the_row_and_nothing_else(ann: Author, write_file: Write, read_file: Read) -> None:
    write_file("authors.json", [{"id": "x"}, ANN, {"id": "y"}])
    assert ann.delete() == (1, {"library.Author": 1})
    assert [row["id"] for row in read_file("authors.json")] == ["x", "y"]
    assert ann.delete() == (0, {})


def test_a_change_works_on_what_is_in_the_file_now(ann: Author, write_file: Write) -> None:
    write_file("authors.json", [{**ANN, "name": "By hand"}])
    changed = Author.objects.change("ann", lambda author: setattr(author, "name", author.name + "!"))
    assert changed.name == "By hand!"
    assert Author.objects.get().name == "By hand!"


def test_a_change_of_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="author nobody"):
        Author.objects.change("nobody", lambda author: None)


def test_a_stale_digest_is_refused_with_what_is_there_now(ann: Author, write_file: Write) -> None:
    shown = ann.digest
    write_file("authors.json", [{**ANN, "name": "By hand", "publisherKey": "open-sesame"}])
    with pytest.raises(Conflict) as caught:
        Author.objects.change("ann", lambda author: setattr(author, "name", "Mine"), digest=shown)
    assert caught.value.code == "changed_since"
    current = caught.value.details["current"]
    assert (current["name"], current["publisherKey"]) == ("By hand", "********")
    assert Author.objects.get().name == "By hand"
    fresh = Author.objects.get().digest
    assert (
        Author.objects.change("ann", lambda author: setattr(author, "name", "Mine"), digest=fresh).name
        == "Mine"
    )


def test_the_digest_follows_the_row_and_not_its_layout(ann: Author, write_file: Write) -> None:
    digest = ann.digest
    write_file("authors.json", [{key: ANN[key] for key in reversed(ANN)}])
    assert Author.objects.get().digest == digest
    write_file("authors.json", [{**ANN, "unknown": 1}])
    assert Author.objects.get().digest != digest
    assert Author(name="new").digest == ""


def test_unknown_keys_can_be_read_and_changed(ann: Author, read_file: Read) -> None:
    assert ann.extra == {"zodiac": "fish", "publicity": {"agent": "Bo"}, "notes": [{"deep": [1, None]}]}
    ann.extra["zodiac"] = "goat"
    ann.extra["publicity"]["fee"] = 10
    del ann.extra["notes"]
    ann.save()
    row = stored(read_file)
    assert row["zodiac"] == "goat"
    assert row["publicity"] == {"agent": "Bo", "penName": "A. N.", "fee": 10}
    assert "notes" not in row


def test_keys_of_fields_are_not_taken_from_the_unknown_ones(ann: Author, read_file: Read) -> None:
    ann.extra = {
        "zodiac": "goat",
        "name": "Sneaked in",
        "books": [1],
        "publicity": {"penName": "x", "fee": 1},
    }
    ann.save()
    row = stored(read_file)
    assert (row["name"], row["zodiac"], row.get("books")) == ("Ann", "goat", None)
    assert row["publicity"] == {"penName": "A. N.", "fee": 1}


def test_a_new_record_can_bring_unknown_keys(read_file: Read) -> None:
    Author.objects.create(name="Ann", pen_name="A", extra={"zodiac": "fish", "publicity": {"agent": "Bo"}})
    assert stored(read_file)["zodiac"] == "fish"
    assert stored(read_file)["publicity"] == {"penName": "A", "agent": "Bo"}


def test_as_json_shows_every_field_and_masks_secrets(ann: Author) -> None:
    ann.publisher_key = "open-sesame"
    ann.save()
    Book.objects.create(author=ann, title="Sea")
    shown = Author.objects.get().as_json()
    assert (shown["name"], shown["biography"], shown["isActive"]) == ("Ann", "", True)
    assert shown["publicity"] == {"agent": "Bo", "penName": "A. N.", "genre": ""}
    assert shown["publisherKey"] == "********"
    assert shown["zodiac"] == "fish"
    assert [book["title"] for book in shown["books"]] == ["Sea"]
    assert Author().as_json()["publisherKey"] == ""


def test_a_secret_may_be_assigned_as_text_and_is_masked_from_then_on(ann: Author, data_dir: Path) -> None:
    ann.publisher_key = "  open-sesame\n"
    assert isinstance(ann.publisher_key, Secret)
    ann.save()
    assert Author.objects.get().publisher_key.reveal() == "open-sesame"
    assert "sesame" not in (data_dir / "authors.json").read_text()
    assert "sesame" not in repr(ann) + str(ann) + str(vars(ann)) + repr(Author(publisher_key="sesame"))


def test_a_secret_can_be_cleared(ann: Author, read_file: Read) -> None:
    ann.publisher_key = "open-sesame"
    ann.save()
    ann.publisher_key = None
    ann.save()
    assert stored(read_file)["publisherKey"] == ""
    assert not Author.objects.get().publisher_key


def test_a_secret_that_is_not_touched_keeps_its_sealed_text(ann: Author, read_file: Read) -> None:
    ann.publisher_key = "open-sesame"
    ann.save()
    before = stored(read_file)["publisherKey"]
    ann.name = "Anna"
    ann.save()
    assert stored(read_file)["publisherKey"] == before


def test_only_two_families_of_environment_variables_are_valid() -> None:
    Author(name="Ann", publisher_key="env:INSTAGRAM_KEY").full_clean()
    with pytest.raises(ValidationError, match="INSTAGRAM_"):
        Author(name="Ann", publisher_key="env:HOME").full_clean()


def test_fields_and_unique_values_are_validated() -> None:
    Shelf.objects.create(label="A")
    with pytest.raises(ValidationError, match="already exists"):
        Shelf(label="A").full_clean()
    with pytest.raises(ValidationError):
        Author(name="x" * 99).full_clean()
    mine = Shelf.objects.get()
    mine.full_clean()


def test_a_record_is_loaded_again_on_request(ann: Author, write_file: Write) -> None:
    write_file("authors.json", [{**ANN, "name": "By hand", "zodiac": "goat"}])
    ann.extra["zodiac"] = "mine"
    ann.refresh_from_db()
    assert (ann.name, ann.extra["zodiac"]) == ("By hand", "goat")


@pytest.mark.usefixtures("library")
def test_a_record_can_be_copied_and_pickled(ann: Author) -> None:
    for twin in (copy.deepcopy(ann), pickle.loads(pickle.dumps(ann))):
        assert twin == ann
        assert twin.digest == ann.digest


def test_a_number_as_id_is_kept_a_number(write_file: Write, read_file: Read) -> None:
    write_file("authors.json", [{"id": 7, "name": "Seven"}])
    Author.objects.change("7", lambda author: setattr(author, "name", "Sieben"))
    assert stored(read_file)["id"] == 7
    assert Author.objects.get(pk=7).name == "Sieben"


def test_a_record_written_by_hand_without_id_keeps_the_one_it_is_given(
    write_file: Write, read_file: Read
) -> None:
    write_file("authors.json", [{"name": "Ann", "books": [{"title": "Sea"}]}])
    author, book = Author.objects.get(), Book.objects.get()
    assert Author.objects.get(pk=author.pk) == author
    Author.objects.create(name="Bea")
    assert stored(read_file)["id"] == author.pk
    assert stored(read_file)["books"][0]["id"] == book.pk


def test_a_damaged_file_is_read_on_and_refuses_changes(ann: Author, write_file: Write) -> None:
    write_file("authors.json", b"[{")
    assert Author.objects.get(pk="ann").name == "Ann"
    for write in (ann.delete, lambda: Author.objects.create(name="Bea")):
        with pytest.raises(StoreDamaged):
            write()


def test_the_keys_of_a_new_record_stand_in_the_order_its_store_names(read_file: Read) -> None:
    Shelf.objects.create(label="Poems")
    assert list(read_file("shelves.json")[0]) == ["id", "createdAt", "label", "updatedAt"]


def test_records_stay_out_of_the_database() -> None:
    for model in (Author, Book, Shelf):
        assert not model._meta.managed
        assert model._base_manager.name == "objects"


def test_a_nested_row_with_a_secret_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="secrets"):

        class Letter(jsondb.Nested):
            author = jsondb.ParentKey(Author, related_name="letters")
            key = jsondb.SecretField(blank=True)

            class Store:
                parent = "author"
                key = "letters"
                prefix = "letter"

            class Meta:
                app_label = "library_refused"
