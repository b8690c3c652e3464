"""Files on disk: noticing a change, and replacing a file so that it is always whole."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NEW_FILE_MODE = 0o600
READ_ATTEMPTS = 3


class Stamp(NamedTuple):
    """Two equal stamps of a path mean: the same content."""

    inode: int
    modified: int
    changed: int
    size: int


# Never equal to a stamp of a real file.
UNKNOWN = Stamp(0, 0, 0, -1)


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def stamp(path: str | Path | int) -> Stamp | None:
    """The stamp of a path or an open file; None when there is no file."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Stamp(found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)


def read(path: Path) -> tuple[bytes, Stamp]:
    """A file's bytes with the stamp they had.

    While an editor is writing in place the stamp is the one from before, so that the next look sees a change.
    """
    with path.open("rb", buffering=0) as file:
        for _ in range(READ_ATTEMPTS):
            before = stamp(file.fileno())
            file.seek(0)
            content = file.readall()
            if before == stamp(file.fileno()):
                break
    assert before is not None
    return content, before


def next_moment(previous: Stamp | None) -> int:
    """A time of change that rises from version to version even when the clock is set back."""
    return max(time.time_ns(), previous.modified + 1 if previous else 0)


def write_draft(path: Path, content: bytes, *, like: Path, modified: int) -> int:
    """Write and fsync a new file with the mode of `like`; the time of change the disk could store."""
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, NEW_FILE_MODE)
    try:
        _write_all(descriptor, content)
        _take_after(descriptor, like)
        os.utime(descriptor, ns=(modified, modified))
        os.fsync(descriptor)
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def second_name(path: Path, name: Path) -> None:
    """Let `name` be the same file as `path`, or a copy where the disk or its owner allows no links."""
    draft = beside(name, ".tmp")
    with suppress(FileNotFoundError):
        draft.unlink()
    try:
        os.link(path, draft)
    except OSError:
        shutil.copy2(path, draft)
    draft.replace(name)
    # Renaming onto another name of the same file does nothing, and leaves both.
    with suppress(FileNotFoundError):
        draft.unlink()


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_protected(path: Path) -> bool:
    """Whether someone took the right to write away (root could write all the same)."""
    try:
        return not os.stat(path).st_mode & 0o222 or not os.access(path, os.W_OK)
    except FileNotFoundError:
        return False


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _take_after(descriptor: int, like: Path) -> None:
    """Give the new file the old one's mode and, as far as allowed, its owner (or else the folder's)."""
    is_new = not like.exists()
    old = os.stat(like.parent if is_new else like)
    mine = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (mine.st_uid, mine.st_gid):
        with suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    if not is_new:
        os.fchmod(descriptor, old.st_mode & 0o7777)
