"""A backup of the data folder: one zip with a consistent database in it, opened again before it counts."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection
from django.dispatch import Signal

from influencer import effective, paths
from influencer.errors import Problem, Unavailable
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import HandOver

STEPS = ("copy", "check", "keep")
DATABASE = "db.sqlite3"
# Pictures are large and already compressed; what the stand-ins hold can be made again.
MEDIA = ("media", "sandbox")
NEVER = ("backups", "run")
PASSING = (".lock", ".tmp", "-wal", "-shm", "-journal")
LEFT_BEHIND = ("draft-*.tmp", "snapshot-*", "check-*")
A_DAY = 24 * 3600
Told = Callable[[float], object]
# Sent with `file` once a backup is made and checked.
made = Signal()


def make(*, media: bool = False, told: Told = lambda fraction: None) -> Path:
    """Write, check and keep a backup; where it lies. The last ones stay (`backups_kept`).

    `media`: with all images. `told` hears how far it is, 0 to 1, and may raise to stop it.
    Raises `Unavailable` (`backup_failed`) when it can't be written or does not open again.
    """
    draft = draft_for("now")
    try:
        write(draft, media=media, told=told)
        check(draft)
        return keep(draft)
    finally:
        draft.unlink(missing_ok=True)


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. A later attempt starts anew; half a backup is never kept."""
    config = job.request.get("config")
    media = isinstance(config, dict) and config.get("media") is True

    def told(fraction: float) -> None:
        try:
            job.check_cancelled()
        except HandOver:
            if job.time_left() > 0:  # this worker stops, another begins anew
                raise
            raise _failed(
                "it takes too long for a job; use `manage.py backup`, or leave the images out"
            ) from None
        job.progress(0.8 * fraction)

    draft = draft_for(job.id)
    try:
        with job.step("copy"):
            write(draft, media=media, told=told)
        with job.step("check"):
            check(draft)
        with job.step("keep"):
            kept = keep(draft)
    finally:
        draft.unlink(missing_ok=True)
    return {"file": kept.name, "bytes": kept.stat().st_size, "media": media}


def all_kept() -> list[Path]:
    """The backups there are, oldest first."""
    return sorted(paths.data_dir().glob("backups/backup-*.zip"))


def draft_for(name: str) -> Path:
    return paths.data_dir() / "backups" / f"draft-{name}-{os.getpid()}.tmp"


def write(draft: Path, *, media: bool, told: Told = lambda fraction: None) -> None:
    """Zip the data folder into the draft. Raises `Unavailable`."""
    with _failures_in_words(), _snapshot() as database:
        draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
                archive.write(database, DATABASE)
                _add_files(archive, media=media, told=told)
            file.flush()
            os.fsync(file.fileno())


def check(draft: Path) -> None:
    """Open the draft as a restore would. Raises `Unavailable` when something in it is broken."""
    with _failures_in_words(), zipfile.ZipFile(draft) as archive:
        if broken := archive.testzip():
            raise _failed(f"{broken} in it is damaged")
        with TemporaryDirectory(dir=draft.parent, prefix="check-") as folder:
            archive.extract(DATABASE, folder)
            _check_database(Path(folder) / DATABASE)
            for name in archive.namelist():
                if name.endswith(".json") and "/" not in name:
                    _check_json(archive, name)


def keep(draft: Path) -> Path:
    """Give the checked draft its name and let the oldest go that are too many."""
    with _failures_in_words():
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
        kept = draft.with_name(f"backup-{stamp}.zip")
        draft.replace(kept)
        for old in all_kept()[: -effective.config().backups_kept]:
            old.unlink(missing_ok=True)
        _clear_away()
    made.send_robust(sender=make, file=kept)
    return kept


def _clear_away() -> None:
    """What backups left whose process was killed."""
    for pattern in LEFT_BEHIND:
        for path in (paths.data_dir() / "backups").glob(pattern):
            if time.time() - path.stat().st_mtime > A_DAY:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _add_files(archive: zipfile.ZipFile, *, media: bool, told: Told) -> None:
    found = list(_files(media=media))
    for number, (path, name) in enumerate(found):
        told(number / len(found))
        stored = zipfile.ZIP_STORED if name.partition("/")[0] in MEDIA else None
        # What was deleted or renamed meanwhile belongs to no moment.
        with contextlib.suppress(FileNotFoundError):
            archive.write(path, name, compress_type=stored)


def _files(*, media: bool) -> Iterator[tuple[Path, str]]:
    """What goes in, each with its name in the archive. The database has its own way."""
    root = paths.data_dir()
    left_out = {*NEVER, *(() if media else MEDIA)}
    for where, folders, names in os.walk(root):
        here = Path(where).relative_to(root)
        if here == Path():
            folders[:] = [name for name in folders if name not in left_out]
            names = [name for name in names if not name.startswith(DATABASE)]
        for name in sorted(names):
            if not name.endswith(PASSING):
                yield Path(where) / name, (here / name).as_posix()


@contextlib.contextmanager
def _snapshot() -> Iterator[Path]:
    """The whole database as it is at one moment, also while others write."""
    backups = paths.data_dir() / "backups"
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=backups, prefix="snapshot-") as folder:
        copy = Path(folder) / DATABASE
        with (
            contextlib.closing(sqlite3.connect(str(connection.settings_dict["NAME"]))) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        yield copy


def _check_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        answers = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
    if answers != ["ok"]:
        raise _failed(f"the database in it is damaged: {answers[0]}")


def _check_json(archive: zipfile.ZipFile, name: str) -> None:
    """A file that was damaged before is kept as it was: better than nothing, and said elsewhere."""
    original = paths.data_dir() / name
    try:
        json.loads(archive.read(name).decode("utf-8-sig"))
    except ValueError:
        try:
            json.loads(original.read_bytes().decode("utf-8-sig"))
        except (OSError, ValueError):
            return
        raise _failed(f"{name} in it can't be read") from None


@contextlib.contextmanager
def _failures_in_words() -> Iterator[None]:
    try:
        yield
    except Problem:
        raise
    except OSError as error:
        raise _failed(error.strerror or str(error)) from error
    except (sqlite3.Error, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _failed(str(error)) from error


def _failed(why: str) -> Unavailable:
    return Unavailable(
        f"No backup was made: {why.rstrip('.')}. Earlier ones are kept.", code="backup_failed", retryable=True
    )
