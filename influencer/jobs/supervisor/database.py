"""The database before the product starts: backed up and migrated when something is pending."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from influencer.errors import Unavailable

KEEP = 3


def bring_up_to_date(backups: Path) -> Path | None:
    """Apply pending migrations; where the copy made before lies, if there was anything to copy.

    Raises `Unavailable` (`database_damaged`) when the file is no database.
    """
    path = Path(str(connection.settings_dict["NAME"]))
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise Unavailable(
            f"The database {path} can't be opened: {error}. Copies from before lie in {backups}.",
            code="database_damaged",
        ) from error
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return None
    copy = back_up(path, backups) if executor.loader.applied_migrations else None
    call_command("migrate", interactive=False, verbosity=0)
    return copy


def back_up(path: Path, backups: Path) -> Path:
    """A whole copy of the database at one moment, also while others write. The last KEEP stay."""
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = backups / f"db-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}.sqlite3"
    draft = target.with_suffix(".tmp")
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)
    draft.chmod(0o600)
    draft.replace(target)
    for old in sorted(backups.glob("db-*.sqlite3"))[:-KEEP]:
        old.unlink()
    return target
