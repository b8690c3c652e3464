"""A file that can't be used: read on, refuse to write, restore."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.errors import Conflict, NotFound
from influencer.jsondb import Collection, StoreDamaged

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]

NAME = "things.json"
BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{}", id="no list"),
    pytest.param(b'[\n  {"id": "a"', id="truncated"),
    pytest.param(b'[{"id": "a\xff"}]', id="no UTF-8"),
    pytest.param(b'[{"id": "a", "n": 99999999999999999999}]', id="huge number"),
]


@pytest.fixture
def things() -> Collection:
    """Three versions old: a, a+b, a+b+c; the middle one is `.bak`."""
    things = jsondb.collection(NAME)
    for name in "abc":
        add(things, name)
    return things


def add(things: Collection, name: str) -> None:
    things.change(lambda rows: rows.add({"id": name}))


def names(things: Collection) -> list[str]:
    return [row["id"] for row in things.rows()]


def another_process(things: Collection) -> Collection:
    """One that has never read the file."""
    return Collection(things.path)


@pytest.mark.parametrize("content", BROKEN)
def test_reading_goes_on_from_the_last_good_copy(
    things: Collection, write_file: Write, content: bytes
) -> None:
    write_file(NAME, content)
    assert names(things) == ["a", "b", "c"]
    assert things.damage().reading_from == "last good copy"  # type: ignore[union-attr]


@pytest.mark.parametrize("content", BROKEN)
def test_without_one_in_memory_reading_goes_on_from_bak(
    things: Collection, write_file: Write, content: bytes
) -> None:
    write_file(NAME, content)
    fresh = another_process(things)
    assert names(fresh) == ["a", "b"]
    assert fresh.damage().reading_from == ".bak"  # type: ignore[union-attr]


@pytest.mark.parametrize("content", BROKEN)
def test_writing_is_refused_and_the_damaged_file_left_as_it_is(
    things: Collection, write_file: Write, content: bytes
) -> None:
    path = write_file(NAME, content)
    with pytest.raises(StoreDamaged) as caught:
        add(things, "d")
    assert path.read_bytes() == content
    assert caught.value.status == 503
    assert caught.value.code == "store_damaged"
    assert set(caught.value.details) == {"file", "line", "column", "reason"}


def test_the_place_of_the_damage_is_named(things: Collection, write_file: Write) -> None:
    write_file(NAME, b'[\n  {"id": "a"},\n]')
    damage = things.damage()
    assert damage is not None
    assert (damage.file, damage.line, damage.column) == (NAME, 2, 14)
    assert damage.place == " at line 2, column 14"
    assert datetime.now(UTC) - damage.since < timedelta(minutes=5)


def test_without_any_good_copy_reading_is_refused_too(write_file: Write) -> None:
    write_file(NAME, b"[{")
    with pytest.raises(StoreDamaged):
        jsondb.collection(NAME).rows()
    assert jsondb.collection(NAME).damage().reading_from == ""  # type: ignore[union-attr]


def test_the_newer_of_the_two_copies_is_used(things: Collection, write_file: Write) -> None:
    assert names(things) == ["a", "b", "c"]
    other = another_process(things)
    for name in "de":
        add(other, name)
    write_file(NAME, b"")
    assert names(things) == ["a", "b", "c", "d"]  # `.bak`, newer than what this process had seen


def test_a_file_that_is_gone_is_damage_and_no_empty_collection(things: Collection) -> None:
    things.path.unlink()
    for reader, expected in ((things, ["a", "b", "c"]), (another_process(things), ["a", "b"])):
        assert names(reader) == expected
        assert reader.damage().reason == "The file is gone."  # type: ignore[union-attr]
        with pytest.raises(StoreDamaged):
            add(reader, "d")
    assert not things.path.exists()


def test_damage_is_logged_once(
    things: Collection, write_file: Write, caplog: pytest.LogCaptureFixture
) -> None:
    for content in (b"[1,]", b"[1", b"[1"):
        write_file(NAME, content)
        names(things)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "things.json is damaged at line 1, column 3: Trailing comma is not allowed."


def test_a_mended_file_is_used_again_by_itself(things: Collection, write_file: Write) -> None:
    write_file(NAME, b"[")
    assert things.damage() is not None
    write_file(NAME, [{"id": "mended"}])
    assert things.damage() is None
    add(things, "d")
    assert names(things) == ["mended", "d"]


def test_a_slow_edit_in_place_is_bridged_and_seen_at_its_end(things: Collection, write_file: Write) -> None:
    edited = things.path.read_bytes().replace(b'"c"', b'"x"')
    for length in range(0, len(edited), 7):
        write_file(NAME, edited[:length])
        assert names(things) == ["a", "b", "c"]
        with pytest.raises(StoreDamaged):
            add(things, "d")
    write_file(NAME, edited)
    assert names(things) == ["a", "b", "x"]


def test_restoring_sets_the_damaged_file_aside_for_its_owner_alone(
    things: Collection, write_file: Write, read_file: Read
) -> None:
    path = write_file(NAME, b"[ damaged")
    path.chmod(0o644)
    aside = jsondb.restore(NAME)
    assert aside is not None
    assert aside.read_bytes() == b"[ damaged"
    assert aside.name.startswith("things.damaged-")
    assert aside.suffix == ".json"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [row["id"] for row in read_file(NAME)] == ["a", "b", "c"]
    assert jsondb.damage() == []
    add(things, "d")


def test_a_process_that_never_saw_it_whole_restores_bak(
    things: Collection, write_file: Write, read_file: Read
) -> None:
    write_file(NAME, b"")
    another_process(things).restore()
    assert [row["id"] for row in read_file(NAME)] == ["a", "b"]
    assert names(things) == ["a", "b"]


def test_restoring_a_file_that_is_gone_sets_nothing_aside(things: Collection, read_file: Read) -> None:
    things.path.unlink()
    assert jsondb.restore(NAME) is None
    assert len(read_file(NAME)) == 3


def test_restoring_twice_in_one_second_keeps_both_damaged_files(
    things: Collection, write_file: Write
) -> None:
    kept = []
    for content in (b"first", b"second"):
        write_file(NAME, content)
        kept.append(jsondb.restore(NAME))
    assert [path.read_bytes() for path in kept if path] == [b"first", b"second"]


def test_only_what_is_damaged_and_has_a_copy_is_restored(things: Collection, write_file: Write) -> None:
    with pytest.raises(Conflict) as caught:
        jsondb.restore(NAME)
    assert caught.value.code == "not_damaged"
    write_file("lost.json", b"{")
    jsondb.collection("lost.json")
    with pytest.raises(StoreDamaged):
        jsondb.restore("lost.json")
    with pytest.raises(NotFound):
        jsondb.restore("../outside.json")


def test_damage_of_every_file_is_listed(things: Collection, write_file: Write) -> None:
    assert jsondb.damage() == []
    jsondb.Document("settings.json").change(lambda values: values.update(a=1))
    write_file(NAME, b"[")
    write_file("settings.json", b"[]")
    assert [found.file for found in jsondb.damage()] == ["settings.json", NAME]


def test_a_damaged_document_is_read_on_and_not_written(write_file: Write) -> None:
    settings = jsondb.Document("settings.json")
    settings.change(lambda values: values.update(a=1))
    write_file("settings.json", b'{"a":')
    assert settings.read() == {"a": 1}
    with pytest.raises(StoreDamaged):
        settings.change(lambda values: values.update(a=2))


def test_nothing_is_parsed_again_while_a_damaged_file_stays_the_same(
    things: Collection, write_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(NAME, b"[")
    assert things.damage() is not None
    monkeypatch.setattr("influencer.jsondb.text.parse", lambda *args: pytest.fail("parsed again"))
    assert names(things) == ["a", "b", "c"]
