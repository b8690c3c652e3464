"""The store among real processes that are killed, stopped and run out of disk."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from influencer.jsondb import Collection, Rows, StoreBusy, StoreDamaged, StoreUnwritable, lock

pytestmark = pytest.mark.drill

PROCESSES, UPDATES = 4, 200
KILLS = 200


@pytest.fixture
def things(tmp_path: Path) -> Collection:
    """A collection of 100 records, in a file."""
    path = tmp_path / "things.json"
    path.write_bytes(orjson.dumps([{"id": f"t{number}", "n": 0, "text": "x" * 200} for number in range(100)]))
    return Collection(path)


def child(work: Callable[[], None]) -> int:
    """Run `work` in a forked process; its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def count_up(things: Collection, name: str = "t0") -> int:
    def edit(rows: Rows) -> int:
        row = rows.get(name)
        row["n"] += 1
        rows.put(row)
        return row["n"]

    return things.change(edit)


def on_disk(things: Collection) -> list[dict[str, int]]:
    """The file as any other program would read it."""
    return orjson.loads(things.path.read_bytes())


def drafts(things: Collection) -> list[str]:
    return [path.name for path in things.path.parent.iterdir() if path.suffix == ".tmp"]


@contextmanager
def lock_holder(things: Collection) -> Iterator[int]:
    """A process that sits in the middle of a write, for as long as it lives."""
    reading, writing = os.pipe()

    def hold() -> None:
        def edit(rows: Rows) -> None:
            os.write(writing, b"!")
            time.sleep(60)

        things.change(edit)

    pid = child(hold)
    try:
        assert os.read(reading, 1) == b"!"
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        os.close(writing)


def test_four_processes_lose_no_update_and_readers_see_no_step_back(things: Collection) -> None:
    def work() -> None:
        for _ in range(UPDATES):
            count_up(things)

    pids = [child(work) for _ in range(PROCESSES)]
    seen = [0]
    deadline = time.monotonic() + 60
    while seen[-1] < PROCESSES * UPDATES and time.monotonic() < deadline:
        assert len(on_disk(things)) == 100
        assert things.damage() is None
        seen.append(things.rows().get("t0")["n"])
        time.sleep(0.002)
    assert [exit_code(pid) for pid in pids] == [0] * PROCESSES
    assert seen == sorted(seen)
    assert on_disk(things)[0]["n"] == PROCESSES * UPDATES


def test_a_killed_writer_leaves_the_file_whole_and_what_it_acknowledged(things: Collection) -> None:
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = max(acknowledged, _killed_while_counting(things))
        rows = on_disk(things)
        assert len(rows) == 100
        assert rows[0]["n"] >= acknowledged
        assert len(drafts(things)) <= 2  # of the file and of its backup, each under one fixed name
    assert acknowledged, "not one of them had the time to write anything"
    assert count_up(things) > acknowledged
    assert drafts(things) == []


def _killed_while_counting(things: Collection) -> int:
    """Kill -9 a process at a random moment of its writing; the last number it acknowledged."""
    reading, writing = os.pipe()

    def work() -> None:
        os.write(writing, b"0\n")
        while True:
            os.write(writing, b"%d\n" % count_up(things))

    pid = child(work)
    os.close(writing)
    assert os.read(reading, 2) == b"0\n"
    time.sleep(random.uniform(0.001, 0.02))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        numbers = pipe.read().splitlines()
    return int(numbers[-1]) if numbers else 0


def test_a_killed_lock_holder_frees_the_file_at_once(things: Collection) -> None:
    with lock_holder(things) as pid:
        os.kill(pid, signal.SIGKILL)
        assert count_up(things) == 1


def test_a_stopped_lock_holder_means_busy_and_readers_do_not_wait(
    things: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "DEADLINE", 0.1)
    with lock_holder(things) as pid:
        os.kill(pid, signal.SIGSTOP)
        assert things.rows().get("t0")["n"] == 0
        with pytest.raises(StoreBusy):
            count_up(things)
    assert count_up(things) == 1


def test_a_file_size_limit_leaves_the_old_file_as_it_was(things: Collection) -> None:
    count_up(things)
    before = things.path.read_bytes()

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with pytest.raises(StoreUnwritable, match="File too large"):
            count_up(things)
        assert things.rows().get("t0")["n"] == 1

    assert exit_code(child(work)) == 0
    assert things.path.read_bytes() == before
    assert drafts(things) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("Mounting a small disk needs root.")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_the_old_file_as_it_was(small_disk: Path) -> None:
    things = Collection(small_disk / "things.json")
    things.change(lambda rows: rows.add({"id": "t0", "n": 0, "text": "x" * 100_000}))
    before = things.path.read_bytes()
    (small_disk / "filler").write_bytes(b"x" * 100_000)
    with pytest.raises(StoreUnwritable, match="No space left on device"):
        count_up(things)
    assert things.path.read_bytes() == before
    assert drafts(things) == []
    (small_disk / "filler").unlink()
    assert count_up(things) == 1


def test_a_read_only_disk_is_read_on_and_refuses_changes(small_disk: Path) -> None:
    things = Collection(small_disk / "things.json")
    things.change(lambda rows: rows.add({"id": "t0", "n": 0}))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreUnwritable, match="read-only"):
        count_up(things)
    assert Collection(things.path).rows().get("t0")["n"] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="No folder is read-only for root.")
def test_a_read_only_folder_is_read_on_and_refuses_changes(things: Collection) -> None:
    count_up(things)
    things.path.parent.chmod(0o555)
    try:
        with pytest.raises(StoreUnwritable, match="Permission denied"):
            count_up(things)
    finally:
        things.path.parent.chmod(0o755)
    assert count_up(things) == 2


def test_a_file_cut_off_while_others_work_is_never_written_over(things: Collection) -> None:
    count_up(things)
    whole = things.path.read_bytes()
    things.path.write_bytes(whole[: len(whole) // 2])

    def work() -> None:
        fresh = Collection(things.path)
        assert len(fresh.rows()) == 100  # from `.bak`
        with pytest.raises(StoreDamaged):
            count_up(fresh)

    assert [exit_code(child(work)) for _ in range(3)] == [0, 0, 0]
    assert things.path.read_bytes() == whole[: len(whole) // 2]
    things.restore()
    assert on_disk(things)[0]["n"] == 1
    assert count_up(things) == 2
