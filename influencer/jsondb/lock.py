"""One writer at a time: first among the threads of a process, then among processes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from .errors import StoreBusy, StoreUnwritable

DEADLINE = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.002


class Turn:
    """The right to write one file; the lock file itself is never deleted."""

    def __init__(self) -> None:
        self._thread = threading.Lock()
        self._owner = 0
        self._descriptor = -1
        _turns.add(self)

    @contextmanager
    def held(self, path: Path) -> Iterator[None]:
        """Wait for the turn, at most `DEADLINE` seconds. Raises `StoreBusy`, `StoreUnwritable`."""
        if self._owner == threading.get_ident():
            raise nested_write()
        deadline = time.monotonic() + DEADLINE
        if not self._thread.acquire(timeout=DEADLINE):
            raise _busy(path)
        try:
            self._owner = threading.get_ident()
            self._descriptor = _locked(path, deadline)
            yield
        finally:
            self._release()

    def _release(self) -> None:
        if self._descriptor >= 0:
            # Unlocking first frees it even if a child forked meanwhile still has the file open.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
        self._descriptor, self._owner = -1, 0
        self._thread.release()

    def forget(self) -> None:
        """In a forked child: the parent's turn is not ours."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._thread = threading.Lock()
        self._descriptor, self._owner = -1, 0


def nested_write() -> RuntimeError:
    return RuntimeError("A write was started inside the function of another write; use jsondb.batch().")


def _locked(path: Path, deadline: float) -> int:
    try:
        # Reading is enough to lock: a file root once made must not shut everyone else out.
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreUnwritable(f"{path.parent.name}/ can't be written: {error.strerror}.") from error
    pause = _FIRST_PAUSE
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise _busy(path)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(path: Path) -> StoreBusy:
    name = path.name.removesuffix(".lock")
    return StoreBusy(f"{name} is being written by someone else. Try again in a moment.", retryable=True)


def _forget_all() -> None:
    for turn in list(_turns):
        turn.forget()


_turns: WeakSet[Turn] = WeakSet()
os.register_at_fork(after_in_child=_forget_all)
