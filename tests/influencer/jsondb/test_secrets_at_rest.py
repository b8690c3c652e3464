"""Secrets typed into a file by hand: readable, and sealed by the next write, in every copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.jsondb import disk
from tests.influencer.jsondb.library.models import Author

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]

PLAIN = "typed-by-hand"
ROWS = [
    {"id": "ann", "name": "Ann", "publisherKey": PLAIN},
    {"id": "bob", "name": "Bob", "publisherKey": "INSTAGRAM_API_KEY"},
    {"id": "cleo", "name": "Cleo", "publisherKey": "env:TWITTER_APP_KEY"},
]


@pytest.fixture(autouse=True)
def by_hand(write_file: Write) -> Path:
    """A file of two versions, the newer one edited by hand."""
    Author.objects.create(id="old", name="Old")
    return write_file("authors.json", ROWS)


def holding_it(data_dir: Path) -> list[str]:
    files = (path for path in data_dir.iterdir() if path.is_file())
    return sorted(path.name for path in files if PLAIN in path.read_text())


def test_a_plain_secret_can_be_used() -> None:
    assert Author.objects.get(pk="ann").publisher_key.reveal() == PLAIN


@pytest.mark.parametrize(
    "write",
    [
        lambda: Author.objects.create(name="Dora"),
        lambda: Author.objects.get(pk="bob").delete(),
        lambda: Author.objects.change("bob", lambda author: setattr(author, "name", "Bobby")),
        lambda: Author.objects.get(pk="bob").books.create(title="One"),
        lambda: Author.objects.change("ann", lambda author: setattr(author, "publisher_key", "new")),
    ],
)
def test_any_write_of_the_collection_seals_it_everywhere(write: Callable[[], object], data_dir: Path) -> None:
    assert holding_it(data_dir) == ["authors.json"]
    write()
    assert holding_it(data_dir) == []
    write_again = Author.objects.create(name="Later")
    assert holding_it(data_dir) == []
    assert write_again.pk


def test_the_sealed_secret_is_still_the_same() -> None:
    Author.objects.create(name="Dora")
    assert Author.objects.get(pk="ann").publisher_key.reveal() == PLAIN


def test_bak_is_the_previous_version_with_the_secret_sealed(read_file: Read, data_dir: Path) -> None:
    Author.objects.create(name="Dora")
    kept = read_file("authors.json.bak")
    assert [row["id"] for row in kept] == ["ann", "bob", "cleo"]
    assert kept[0]["publisherKey"].startswith("sealed:v1:")
    assert disk.stamp(data_dir / "authors.json.bak").modified < disk.stamp(data_dir / "authors.json").modified  # type: ignore[union-attr]


def test_names_of_environment_variables_stay_readable(read_file: Read) -> None:
    Author.objects.create(name="Dora")
    keys = [row.get("publisherKey") for row in read_file("authors.json")]
    assert keys[1:] == ["INSTAGRAM_API_KEY", "env:TWITTER_APP_KEY", None]


def test_sealing_is_no_change_anyone_made(data_dir: Path) -> None:
    shown = Author.objects.get(pk="ann")
    Author.objects.create(name="Dora")
    after = Author.objects.get(pk="ann")
    assert after.digest == shown.digest
    assert after.updated_at == shown.updated_at


def test_saving_something_else_does_not_bring_an_old_secret_back() -> None:
    stale = Author.objects.get(pk="ann")
    Author.objects.change("ann", lambda author: setattr(author, "publisher_key", "newer"))
    stale.name = "Anna"
    stale.save()
    saved = Author.objects.get(pk="ann")
    assert (saved.name, saved.publisher_key.reveal()) == ("Anna", "newer")


def test_saving_without_a_change_is_none_here_either(data_dir: Path) -> None:
    before = (data_dir / "authors.json").stat().st_ino
    Author.objects.get(pk="ann").save()
    assert (data_dir / "authors.json").stat().st_ino == before


def test_a_damaged_file_set_aside_is_for_its_owner_alone(by_hand: Path, data_dir: Path) -> None:
    assert Author.objects.count() == 3
    by_hand.write_text(by_hand.read_text()[:-5])
    by_hand.chmod(0o644)
    aside = jsondb.restore("authors.json")
    assert aside is not None
    assert aside.stat().st_mode & 0o777 == 0o600
    assert holding_it(data_dir) == [aside.name]


def test_a_failed_write_leaves_no_copy_of_the_secret(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "second_name", fail)
    monkeypatch.setattr(disk, "sync_folder", fail)
    with pytest.raises(jsondb.StoreUnwritable):
        Author.objects.create(name="Dora")
    assert set(holding_it(data_dir)) <= {"authors.json"}
