"""Whether SQLite's one write lock is held by a process that stands still. Standard library only.

While it is, nobody can write: the clock neither, which would otherwise tell who is stuck.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

# No transaction of ours takes a second; a queue of them leaves the lock free now and then.
STUCK_AFTER = 40.0


class WriteLock:
    """Looks every time it is asked and waits for nothing. `database` None: it is no SQLite file."""

    def __init__(self, database: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._held_since: float | None = None
        self._told = False

    def is_stuck(self) -> bool:
        """True once for each time it was found held at every look for STUCK_AFTER seconds."""
        if self._database is None or not _is_held(self._database):
            self._held_since, self._told = None, False
            return False
        now = self._clock()
        if self._held_since is None:
            self._held_since = now
        if self._told or now - self._held_since < STUCK_AFTER:
            return False
        self._told = True
        return True


def _is_held(database: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=0)) as ours:
            ours.execute("BEGIN IMMEDIATE")
            ours.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.Error:
        return False
    return False
