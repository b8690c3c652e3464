"""A write lock that is never let go of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from influencer.jobs.supervisor.write_lock import STUCK_AFTER, WriteLock


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db.sqlite3"
    with held(path) as one:
        one.execute("CREATE TABLE t (x)")
        one.execute("COMMIT")
    return path


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """The lock, as a transaction of another program holds it."""
    one = sqlite3.connect(path, isolation_level=None)
    one.execute("PRAGMA journal_mode = WAL")
    one.execute("BEGIN IMMEDIATE")
    try:
        yield one
    finally:
        one.close()


class Watch:
    def __init__(self, database: Path | None) -> None:
        self.now = 1000.0
        self.lock = WriteLock(database, clock=lambda: self.now)

    def after(self, seconds: float) -> bool:
        self.now += seconds
        return self.lock.is_stuck()


def test_one_that_is_held_for_long_is_told_once_until_it_was_free(database: Path) -> None:
    watch = Watch(database)
    with held(database):
        assert [watch.after(0), watch.after(STUCK_AFTER - 1), watch.after(1), watch.after(STUCK_AFTER)] == [
            False,
            False,
            True,
            False,
        ]
    assert not watch.after(1)
    with held(database):
        assert [watch.after(1), watch.after(STUCK_AFTER)] == [False, True]


def test_one_that_was_free_in_between_is_not_stuck(database: Path) -> None:
    watch = Watch(database)
    with held(database):
        assert not watch.after(0)
    assert not watch.after(STUCK_AFTER)
    with held(database):
        assert not watch.after(1)


@pytest.mark.parametrize("name", [None, "gone.sqlite3", "text.sqlite3"])
def test_no_sqlite_file_is_never_stuck(tmp_path: Path, name: str | None) -> None:
    (tmp_path / "text.sqlite3").write_text("no database " * 1000)
    watch = Watch(tmp_path / name if name else None)
    assert [watch.after(0), watch.after(STUCK_AFTER)] == [False, False]
    assert not (tmp_path / "gone.sqlite3").exists()
