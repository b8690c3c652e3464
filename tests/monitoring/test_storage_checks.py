"""The data folder, its files, the database and the disk: each of them can fail."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection

from characters.models import Character
from monitoring.checks import storage
from monitoring.report import State
from tests.characters.people import someone

pytestmark = pytest.mark.django_db(transaction=True)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def files(finding: Any) -> dict[str, dict[str, Any]]:
    return {file["name"]: file for file in finding.details["files"]}


def test_all_well_shows_each_file_with_its_size_and_records(data_dir: Path) -> None:
    someone("Luna")
    someone("Nova")
    finding = storage.database(False)
    assert finding.state is State.OK
    assert "2 records" in finding.message
    assert files(finding)["characters.json"]["records"] == 2
    assert files(finding)["characters.json"]["bytes"] == (data_dir / "characters.json").stat().st_size
    assert finding.details["folder"] == str(data_dir)
    assert finding.details["writable"] is True
    assert finding.details["lastBackupAt"] is None


def test_the_last_backup_is_told_whoever_made_it(data_dir: Path) -> None:
    (data_dir / "backups").mkdir()
    for name, at in {
        "db-20261123-120000.sqlite3": 1_000_000,
        "backup-20261124-030000-1.zip": 2_000_000,
    }.items():
        (data_dir / "backups" / name).touch()
        os.utime(data_dir / "backups" / name, (at, at))
    assert storage.database(False).details["lastBackupAt"] == "1970-01-24T03:33:20.000Z"


def test_a_damaged_file_is_down_and_says_what_is_read(data_dir: Path) -> None:
    someone("Luna")
    (data_dir / "characters.json").write_text('[{"id": "char_1",')
    finding = storage.database(False)
    assert finding.state is State.DOWN
    assert "characters.json is damaged at line 1" in finding.message
    assert "Reading goes on from the last good copy" in finding.message
    assert "Restore it" in finding.message
    assert files(finding)["characters.json"]["readingFrom"]
    assert Character.objects.count() == 1


def test_a_setting_that_can_not_be_used_is_named(data_dir: Path) -> None:
    (data_dir / "settings.json").write_text('{"sandbox": "maybe"}')
    finding = storage.database(False)
    assert finding.state is State.DEGRADED
    assert "settings.json: sandbox is 'maybe'" in finding.message


def test_a_data_folder_that_is_gone_is_down(data_dir: Path) -> None:
    shutil.rmtree(data_dir)
    finding = storage.database(False)
    assert finding.state is State.DOWN
    assert f"{data_dir} is gone" in finding.message


def test_a_data_folder_nothing_can_be_written_to_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    finding = storage.database(False)
    assert finding.state is State.DOWN
    assert "No space left on device" in finding.message
    assert "INFLUENCER_DATA_DIR" in finding.message
    assert finding.details["writable"] is False


def test_a_database_somebody_keeps_locked_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LOCK_MILLISECONDS", 20)
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        finding = storage.database(False)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert finding.state is State.DOWN
    assert "The database can't be written: database is locked." in finding.message


def test_nothing_is_left_in_the_folder(data_dir: Path) -> None:
    before = sorted(data_dir.rglob("*"))
    storage.database(False)
    assert sorted(data_dir.rglob("*")) == before


@pytest.mark.parametrize(
    ("free", "state", "said"),
    [
        (500_000_000_000, State.OK, "500.0 GB free"),
        (1_500_000_000, State.DEGRADED, "Only 1.5 GB free"),
        (50_000_000, State.DOWN, "50 MB free"),
    ],
)
def test_the_disk_is_judged_by_its_free_space(
    monkeypatch: pytest.MonkeyPatch, free: int, state: State, said: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 0, free))
    finding = storage.disk(False)
    assert finding.state is state
    assert said in finding.message
    assert finding.details["freeBytes"] == free


def test_a_disk_that_can_not_be_read_is_down(data_dir: Path) -> None:
    shutil.rmtree(data_dir)
    assert storage.disk(False).state is State.DOWN
