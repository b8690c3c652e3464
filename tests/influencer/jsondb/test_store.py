"""Files of JSON: read through a cache, changed by a function, replaced in one step."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from influencer import jsondb
from influencer.errors import Conflict, Invalid
from influencer.jsondb import Collection, Document, Rows, StoreUnwritable, disk, lock

Write = Callable[[str, Any], Path]
Read = Callable[[str], Any]

NAME = "things.json"


@pytest.fixture
def things() -> Collection:
    return jsondb.collection(NAME)


def add(things: Collection, name: str, **values: Any) -> None:
    things.change(lambda rows: rows.add({"id": name, **values}))


def count_up(things: Collection, name: str = "a") -> int:
    def edit(rows: Rows) -> int:
        row = rows.get(name)
        row["n"] = row.get("n", 0) + 1
        rows.put(row)
        return row["n"]

    return things.change(edit)


def names(things: Collection) -> list[str]:
    return [row["id"] for row in things.rows()]


def test_a_change_is_in_the_file_and_readable(things: Collection, data_dir: Path) -> None:
    add(things, "a", title="Ünïcode")
    assert (data_dir / NAME).read_text() == '[\n  {\n    "id": "a",\n    "title": "Ünïcode"\n  }\n]\n'
    assert names(things) == ["a"]


def test_a_change_gives_what_the_function_gives(things: Collection) -> None:
    add(things, "a")
    assert [count_up(things), count_up(things)] == [1, 2]


def test_no_file_is_an_empty_collection_and_reading_makes_none(things: Collection, data_dir: Path) -> None:
    assert names(things) == []
    assert not (data_dir / NAME).exists()


def test_unknown_keys_and_their_order_survive(things: Collection, write_file: Write, data_dir: Path) -> None:
    write_file(NAME, b'[{"zeta": {"b": 1, "a": [null, 1.5, "\xc3\xbc"]}, "id": "a", "n": 1, "alpha": 2}]')
    count_up(things)
    text = (data_dir / NAME).read_text()
    order = ['"zeta"', '"b"', '"a": [', '"id"', '"n": 2', '"alpha"']
    places = [text.index(key) for key in order]
    assert places == sorted(places)


def test_a_function_that_raises_changes_nothing(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    before = (data_dir / NAME).read_bytes()

    def edit(rows: Rows) -> None:
        rows.remove("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        things.change(edit)
    assert (data_dir / NAME).read_bytes() == before
    assert names(things) == ["a"]


def test_a_change_without_an_edit_writes_nothing(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    before = (data_dir / NAME).stat()
    things.change(lambda rows: rows.remove("b"))
    assert (data_dir / NAME).stat().st_ino == before.st_ino


def test_the_previous_version_is_kept_as_bak(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    first = (data_dir / NAME).read_bytes()
    add(things, "b")
    assert (data_dir / f"{NAME}.bak").read_bytes() == first


def test_no_draft_is_left_behind_and_the_lock_file_stays(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    add(things, "b")
    found = {path.name for path in data_dir.iterdir() if path.is_file()}
    assert found == {NAME, f"{NAME}.bak", f"{NAME}.lock"}


def test_a_new_file_is_for_its_owner_alone(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    assert stat.S_IMODE((data_dir / NAME).stat().st_mode) == 0o600


def test_the_mode_of_a_file_is_kept(things: Collection, write_file: Write) -> None:
    path = write_file(NAME, [])
    path.chmod(0o664)
    add(things, "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_symbolic_link_stays_one_and_its_target_is_written(things: Collection, data_dir: Path) -> None:
    real = data_dir.parent / "elsewhere" / "real.json"
    real.parent.mkdir()
    real.write_bytes(b"[]")
    (data_dir / NAME).symlink_to(real)
    add(things, "a")
    assert (data_dir / NAME).is_symlink()
    assert b'"a"' in real.read_bytes()
    assert (real.parent / "real.json.bak").read_bytes() == b"[]"


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give files away.")
def test_what_root_writes_still_belongs_to_the_folders_owner(things: Collection, data_dir: Path) -> None:
    os.chown(data_dir, 1234, 1234)
    for name in "ab":
        add(things, name)
        assert (data_dir / NAME).stat().st_uid == 1234


def test_an_edit_of_the_same_size_in_place_is_seen(things: Collection, data_dir: Path) -> None:
    add(things, "a")
    path = data_dir / NAME
    for name in "qwertyuop":
        path.write_bytes(path.read_bytes().replace(f'"{names(things)[0]}"'.encode(), f'"{name}"'.encode()))
        assert names(things) == [name]


def test_a_file_an_editor_put_in_its_place_is_seen(things: Collection, write_file: Write) -> None:
    add(things, "a")
    write_file("draft", [{"id": "b"}]).replace(things.path)
    assert names(things) == ["b"]
    count_up(things, "b")
    assert names(things) == ["b"]


def test_an_edit_between_reading_and_replacing_is_not_lost(things: Collection, write_file: Write) -> None:
    add(things, "a")
    runs: list[int] = []

    def edit(rows: Rows) -> None:
        if not runs:
            write_file(NAME, [{"id": "a"}, {"id": "typed by hand"}])
        runs.append(len(rows))
        rows.add({"id": "b"})

    things.change(edit)
    assert runs == [1, 2]
    assert names(things) == ["a", "typed by hand", "b"]


def test_a_file_that_never_stands_still_is_a_conflict(things: Collection, write_file: Write) -> None:
    runs: list[int] = []

    def edit(rows: Rows) -> None:
        runs.append(1)
        write_file(NAME, [{"id": str(number)} for number in runs])
        rows.add({"id": "b"})

    with pytest.raises(Conflict) as caught:
        things.change(edit)
    assert caught.value.code == "file_changing"
    assert len(runs) == 5
    assert "b" not in names(things)


def test_the_time_of_change_rises_even_when_the_clock_is_set_back(
    things: Collection, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(things, "a")
    first = (data_dir / NAME).stat().st_mtime_ns
    monkeypatch.setattr(disk.time, "time_ns", lambda: first - 3_600_000_000_000)
    count_up(things)
    second = (data_dir / NAME).stat().st_mtime_ns
    count_up(things)
    assert first < second < (data_dir / NAME).stat().st_mtime_ns


def test_a_read_only_file_is_refused_and_left_alone(things: Collection, write_file: Write) -> None:
    path = write_file(NAME, [{"id": "a"}])
    path.chmod(0o444)
    with pytest.raises(StoreUnwritable, match="read-only"):
        add(things, "b")
    assert names(things) == ["a"]


@pytest.mark.parametrize("broken", ["write_draft", "second_name", "sync_folder"])
def test_a_failing_disk_leaves_the_file_whole(
    broken: str, things: Collection, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(things, "a")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, broken, fail)
    with pytest.raises(StoreUnwritable, match="No space left on device") as caught:
        add(things, "b")
    assert caught.value.status == 503
    assert not (data_dir / f"{NAME}.tmp").exists()
    monkeypatch.undo()
    # Only the folder's fsync comes after the replacement.
    assert names(things) == (["a", "b"] if broken == "sync_folder" else ["a"])


def test_a_disk_without_hard_links_gets_a_copied_backup(
    things: Collection, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(things, "a")

    def refuse(*args: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    before = (data_dir / NAME).read_bytes()
    add(things, "b")
    assert (data_dir / f"{NAME}.bak").read_bytes() == before


def test_a_missing_folder_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable):
        add(Collection(tmp_path / "nowhere" / NAME), "a")


def test_what_json_cannot_carry_is_refused_and_nothing_written(things: Collection) -> None:
    add(things, "a")
    for value in (float("nan"), float("inf"), 2**64):
        with pytest.raises(Invalid):
            add(things, "b", n=value)
    assert names(things) == ["a"]


def test_two_stores_of_one_file_lose_nothing(things: Collection) -> None:
    add(things, "a")
    other = Collection(things.path)
    for _ in range(10):
        count_up(things)
        count_up(other)
    assert things.rows().get("a")["n"] == 20


def test_threads_lose_no_update_and_readers_see_no_step_back(things: Collection) -> None:
    add(things, "a", n=0)
    seen: list[list[int]] = [[], []]
    done = threading.Event()

    def read(values: list[int]) -> None:
        while not done.is_set():
            values.append(things.rows().get("a")["n"])

    readers = [threading.Thread(target=read, args=(values,)) for values in seen]
    writers = [threading.Thread(target=lambda: [count_up(things) for _ in range(20)]) for _ in range(8)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert things.rows().get("a")["n"] == 160
    assert all(values == sorted(values) for values in seen)


def test_a_write_inside_a_write_is_refused_at_once(things: Collection) -> None:
    with pytest.raises(RuntimeError, match=r"jsondb\.batch"):
        things.change(lambda rows: add(things, "a"))
    add(things, "b")


def test_a_turn_that_does_not_come_is_busy(things: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "DEADLINE", 0.05)
    inside, leave = threading.Event(), threading.Event()

    def hold(rows: Rows) -> None:
        inside.set()
        leave.wait(10)

    holder = threading.Thread(target=lambda: things.change(hold))
    holder.start()
    inside.wait(10)
    for other in (things, Collection(things.path)):
        with pytest.raises(jsondb.StoreBusy) as caught:
            add(other, "a")
        assert caught.value.retryable
    leave.set()
    holder.join()
    add(things, "a")


def test_a_forked_child_reads_and_writes_on_its_own(things: Collection) -> None:
    add(things, "a")
    assert names(things) == ["a"]
    child = os.fork()
    if child == 0:
        try:
            add(things, "from the child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert names(things) == ["a", "from the child"]
    add(things, "b")


def test_a_child_forked_during_a_write_does_not_keep_the_lock(things: Collection) -> None:
    children: list[int] = []

    def edit(rows: Rows) -> None:
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        children.append(child)

    things.change(edit)
    try:
        add(things, "a")
    finally:
        os.kill(children[0], 9)
        os.waitpid(children[0], 0)
    assert names(things) == ["a"]


def test_the_collection_of_a_file_is_shared_and_follows_the_data_folder(
    settings: Any, tmp_path: Path
) -> None:
    first = jsondb.collection(NAME)
    assert jsondb.collection(NAME) is first
    settings.DATA_DIR = tmp_path
    assert jsondb.collection(NAME).path == tmp_path / NAME


def test_a_document_is_one_object(data_dir: Path, read_file: Read) -> None:
    document = Document("settings.json")
    assert document.read() == {}
    document.change(lambda values: values.update(theme="dark", gemini={"model": "flash"}))
    assert read_file("settings.json") == {"theme": "dark", "gemini": {"model": "flash"}}
    assert document.change(lambda values: values.pop("theme")) == "dark"
    assert document.read() == {"gemini": {"model": "flash"}}


def test_a_document_given_out_is_a_copy() -> None:
    document = Document("settings.json")
    document.change(lambda values: values.update(list=[1]))
    document.read()["list"].append(2)
    assert document.read() == {"list": [1]}


def test_a_document_that_stays_the_same_is_not_written(data_dir: Path) -> None:
    document = Document("settings.json")
    document.change(lambda values: values.update(a=1))
    before = (data_dir / "settings.json").stat().st_ino
    document.change(lambda values: values.update(a=1))
    assert (data_dir / "settings.json").stat().st_ino == before


def test_a_secret_in_a_document_is_sealed(data_dir: Path) -> None:
    jsondb.declare_secret("service.json", "gemini.apiKey")
    Document("service.json").change(lambda values: values.update(gemini={"apiKey": "open-sesame"}))
    assert "open-sesame" not in (data_dir / "service.json").read_text()
    assert "sealed:v1:" in (data_dir / "service.json").read_text()
