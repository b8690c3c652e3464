"""Writing one file: replaced in one step by a whole one, with the previous version kept beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from . import disk
from .errors import StoreUnwritable

SET_ASIDE_MODE = 0o600


def replace_file(
    target: Path, content: bytes, *, expected: disk.Stamp | None, backup: bytes | None = None
) -> disk.Stamp | None:
    """Put `content` in the place of the version stamped `expected`; the new stamp.

    None when that version is no longer there: then nothing was written. `backup` is written as
    `.bak` instead of the previous version. Raises `StoreUnwritable`, the old file being intact.
    """
    draft = disk.beside(target, ".tmp")
    with _explained(target, draft):
        if disk.write_protected(target):
            raise PermissionError(0, "The file is read-only")
        modified = disk.write_draft(draft, content, like=target, modified=disk.next_moment(expected))
        if disk.stamp(target) != expected:
            return None
        if expected is not None:
            _keep_previous(target, backup, modified=expected.modified)
        draft.replace(target)
        disk.sync_folder(target.parent)
    return _stamp_if_ours(target, modified, len(content))


def set_aside_and_replace(target: Path, content: bytes, *, backup: bytes | None = None) -> Path | None:
    """Give a damaged file another name and put `content` in its place; that name, None if it was gone.

    There is a file under the old name at every moment. Raises `StoreUnwritable`.
    """
    draft = disk.beside(target, ".tmp")
    with _explained(target, draft):
        before = disk.stamp(target)
        like = target if before else disk.beside(target, ".bak")
        moment = disk.next_moment(before)
        disk.write_draft(draft, content, like=like, modified=moment)
        aside = None
        if before is not None:
            aside = _free_name(target)
            disk.second_name(target, aside)
            aside.chmod(SET_ASIDE_MODE)
        if backup is not None:
            _write_backup(target, backup, modified=moment - 1)
        draft.replace(target)
        disk.sync_folder(target.parent)
        return aside


@contextmanager
def _explained(target: Path, draft: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreUnwritable(
            f"{target.name} can't be written: {reason}. Nothing was changed.",
            retryable=True,
            details={"file": target.name, "reason": reason},
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _keep_previous(target: Path, backup: bytes | None, *, modified: int) -> None:
    if backup is None:
        disk.second_name(target, disk.beside(target, ".bak"))
    else:
        _write_backup(target, backup, modified=modified)


def _write_backup(target: Path, content: bytes, *, modified: int) -> None:
    place = disk.beside(target, ".bak")
    draft = disk.beside(place, ".tmp")
    try:
        disk.write_draft(draft, content, like=target, modified=modified)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _stamp_if_ours(target: Path, modified: int, size: int) -> disk.Stamp:
    """A stamp that matches nothing when an editor was quicker than this look."""
    found = disk.stamp(target)
    if found is None or (found.modified, found.size) != (modified, size):
        return disk.UNKNOWN
    return found


def _free_name(target: Path) -> Path:
    stem = f"{target.stem}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    name, number = target.with_name(f"{stem}{target.suffix}"), 1
    while name.exists():
        number += 1
        name = target.with_name(f"{stem}-{number}{target.suffix}")
    return name
