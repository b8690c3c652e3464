"""What everything is kept in: the data folder, its files, the database, the disk below."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction

from influencer import effective, jsondb, paths
from influencer.jobs.models import iso
from influencer.jsondb.files import store_files
from influencer.jsondb.store import Collection
from monitoring.report import Finding, State

MB = 1_000_000
LOW = 2_000 * MB
FULL = 100 * MB
LOCK_MILLISECONDS = 1500
BACKUPS = ("backup-*.zip", "db-*.sqlite3")
CHOOSE = "Make it writable, or choose another folder with INFLUENCER_DATA_DIR."


def database(fresh: bool) -> Finding:
    """The data folder takes writes, no file in it is damaged, and the database answers and can be written."""
    folder = paths.data_dir()
    details: dict[str, Any] = {"folder": str(folder), "writable": False}
    if not folder.is_dir():
        return Finding(
            State.DOWN, f"The data folder {folder} is gone. Put it back, then start `up`.", details
        )
    if fault := _write_fault(folder):
        return Finding(State.DOWN, f"The data folder {folder} can't be written: {fault}. {CHOOSE}", details)
    details |= {"writable": True, "files": list(_files()), **_sizes(folder)}
    if damage := jsondb.damage():
        return Finding(State.DOWN, _damaged(damage), details)
    if fault := _database_fault():
        return Finding(State.DOWN, f"The database can't be written: {fault}.", details)
    if faults := effective.faults():
        return Finding(State.DEGRADED, f"{faults[0]} It counts as unset; correct it.", details)
    records = sum(file.get("records", 0) for file in details["files"])
    return Finding(State.OK, f"Everything can be read and written; {records:,} records in files.", details)


def _write_fault(folder: Path) -> str:
    """Why nothing can be written there; found out by writing, as rights alone don't tell."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _files() -> Iterator[dict[str, Any]]:
    """Each file with its size, how many records it holds, and what is wrong with it."""
    for file in store_files():
        facts: dict[str, Any] = {"name": file.name, "bytes": _size(file.path)}
        if damage := file.damage():
            facts |= {"damaged": damage.reason, "readingFrom": damage.reading_from}
        elif isinstance(file, Collection):
            facts["records"] = len(file.rows())
        yield facts


def _damaged(found: list[jsondb.Damage]) -> str:
    damage = found[0]
    reading = f"Reading goes on from the {damage.reading_from}" if damage.reading_from else "It can't be read"
    others = f" So are {len(found) - 1} more." if len(found) > 1 else ""
    return (
        f"{damage.file} is damaged{damage.place}; nothing can be saved in it. {reading}. "
        f"Restore it, or mend the file.{others}"
    )


def _database_fault() -> str:
    """Why the database takes no write: a write transaction is begun, and given up at once."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS}")
        with transaction.atomic():
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error).rstrip(".")
    return ""


def _sizes(folder: Path) -> dict[str, Any]:
    made = max((at for pattern in BACKUPS for at in _times(folder / "backups", pattern)), default=None)
    return {"bytes": _size(Path(str(connection.settings_dict["NAME"]))), "lastBackupAt": iso(made)}


def _times(folder: Path, pattern: str) -> Iterator[datetime]:
    """When each was written; one that goes meanwhile is none."""
    for copy in folder.glob(pattern):
        with contextlib.suppress(OSError):
            yield datetime.fromtimestamp(copy.stat().st_mtime, UTC)


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def disk(fresh: bool) -> Finding:
    """Free space below the data folder."""
    folder = paths.data_dir()
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return Finding(State.DOWN, f"The disk below {folder} can't be read: {error.strerror}.")
    details = {"folder": str(folder), "freeBytes": usage.free, "totalBytes": usage.total}
    if usage.free < FULL:
        return Finding(State.DOWN, f"The disk is full: {_megabytes(usage.free)} free. Make space.", details)
    if usage.free < LOW:
        return Finding(State.DEGRADED, f"Only {_megabytes(usage.free)} free. Make space soon.", details)
    return Finding(State.OK, f"{_megabytes(usage.free)} free.", details)


def _megabytes(size: int) -> str:
    return f"{size / 1000 / MB:,.1f} GB" if size >= 1000 * MB else f"{size / MB:,.0f} MB"
