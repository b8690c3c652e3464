"""Backups: opened again, restored into an empty folder, the last seven kept."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from characters.models import Character
from influencer.errors import Unavailable
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from scheduling import backup, runs
from scheduling.models import Task
from tests.characters.people import someone
from tests.scheduling.plans import NOON, a_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(data_dir: Path) -> Path:
    """A data folder with something of everything in it."""
    task = a_task(character=someone(instagram_account_id="1", instagram_api_key="IGAA-secret"))
    Task.objects.change(task.pk, lambda record: setattr(record, "late_hours", 3))
    for name in ("media/char_1/img_1.png", "media/char_1/img_1.json", "sandbox/x/posts.json", "run/up.lock"):
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
    (data_dir / "backups").mkdir()
    (data_dir / "backups" / "db-20200101-000000.sqlite3").write_text("from before a migration")
    (data_dir / "settings.json").write_text('{"timeZone": "UTC"}')
    (data_dir / "characters.json.tmp").write_text("half")
    return data_dir


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def restored(path: Path, target: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def test_a_backup_holds_what_cannot_be_made_again(folder: Path) -> None:
    kept = backup.make()
    assert kept.parent == folder / "backups" and kept.name.startswith("backup-")
    assert kept.stat().st_mode & 0o777 == 0o600
    found = names(kept)
    assert {"db.sqlite3", "characters.json", "scheduler.json", "settings.json", "scheduler.json.bak"} <= found
    assert not [name for name in found if name.startswith(("media", "sandbox", "run", "backups"))]
    assert not [name for name in found if name.endswith((".tmp", ".lock", "-wal", "-shm"))]
    assert b"IGAA-secret" not in zipfile.ZipFile(kept).read("characters.json")


def test_images_come_along_when_asked_for(folder: Path) -> None:
    found = names(backup.make(media=True))
    assert {"media/char_1/img_1.png", "media/char_1/img_1.json", "sandbox/x/posts.json"} <= found


def test_a_backup_restores_into_an_empty_folder(folder: Path, tmp_path: Path, settings: Any) -> None:
    job = jobs.start(runs.KIND, character_id="char_1", request={"taskId": "task_1"})
    target = restored(backup.make(), tmp_path / "elsewhere")
    with closing(sqlite3.connect(target / "db.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT id FROM jobs_job").fetchall() == [(job.pk,)]
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    assert set(connection.introspection.table_names()) <= tables
    settings.DATA_DIR = target
    assert [task.schedule for task in Task.objects.all()] == ["0 18 * * *"]
    assert Character.objects.get().instagram_api_key.reveal() == "IGAA-secret"


def test_the_last_seven_stay(folder: Path) -> None:
    made = [backup.make() for _ in range(9)]
    assert backup.all_kept() == made[2:]
    assert (folder / "backups" / "db-20200101-000000.sqlite3").exists()
    assert [
        path.name for path in (folder / "backups").iterdir() if not path.name.startswith(("backup-", "db-"))
    ] == []


def test_as_many_stay_as_the_settings_say(folder: Path) -> None:
    (folder / "settings.json").write_text('{"backupsKept": 2}')
    kept = [backup.make() for _ in range(3)]
    assert backup.all_kept() == kept[1:]


def test_a_damaged_file_is_kept_as_it_is(folder: Path, tmp_path: Path) -> None:
    (folder / "prompts.json").write_text('[{"id": "prompt_1"')
    target = restored(backup.make(), tmp_path / "elsewhere")
    assert (target / "prompts.json").read_text() == '[{"id": "prompt_1"'


def test_what_does_not_open_again_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier, write = backup.make(), backup.write

    def write_badly(draft: Path, **more: Any) -> None:
        write(draft, **more)
        with draft.open("r+b") as file:
            file.seek(60)
            file.write(b"\0" * 400)

    monkeypatch.setattr(backup, "write", write_badly)
    with pytest.raises(Unavailable, match="No backup was made"):
        backup.make()
    assert backup.all_kept() == [earlier]


def test_a_damaged_database_is_not_a_backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = folder / "broken.sqlite3"
    with closing(sqlite3.connect(broken)) as database:
        database.execute("CREATE TABLE a (b)")
        database.executemany("INSERT INTO a VALUES (?)", [("x" * 500,)] * 500)
        database.commit()
    content = bytearray(broken.read_bytes())
    content[4096 * 3 : 4096 * 9] = os.urandom(4096 * 6)
    broken.write_bytes(content)
    with monkeypatch.context() as patch, pytest.raises(Unavailable) as failure:
        patch.setitem(connection.settings_dict, "NAME", str(broken))
        backup.make()
    assert failure.value.code == "backup_failed"
    assert backup.all_kept() == []


def test_a_full_disk_is_said_and_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_add_files", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        backup.make()
    assert [path.name for path in (folder / "backups").iterdir()] == ["db-20200101-000000.sqlite3"]


def test_what_a_killed_backup_left_is_cleared_away_after_a_day(folder: Path) -> None:
    old, fresh = folder / "backups" / "snapshot-old", folder / "backups" / "snapshot-fresh"
    for path in (old, fresh):
        path.mkdir()
        (path / "db.sqlite3").write_text("half")
    os.utime(old, (0, 0))
    backup.make()
    assert not old.exists() and fresh.exists()


def test_a_picture_that_goes_meanwhile_stops_nothing(folder: Path) -> None:
    def told(fraction: float) -> None:
        shutil.rmtree(folder / "media", ignore_errors=True)

    found = names(backup.make(media=True, told=told))
    assert "characters.json" in found and "media/char_1/img_1.png" not in found


def test_a_backup_is_a_job_of_its_own(folder: Path) -> None:
    task = a_task("1d", type="backup", character_id="", config={"media": True})
    job = runs.start(task, due=NOON)
    jobs.run_here(job.pk)
    done = jobs.get(job.pk)
    assert done.state == JobState.SUCCEEDED, done.error
    assert done.result is not None and done.result["media"] is True
    [kept] = backup.all_kept()
    assert (kept.name, kept.stat().st_size) == (done.result["file"], done.result["bytes"])
    assert "media/char_1/img_1.png" in names(kept)
    assert json.loads(zipfile.ZipFile(kept).read("settings.json")) == {"timeZone": "UTC"}


def test_a_cancelled_backup_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.JOBS = {"look": 0}
    job = runs.start(a_task("1d", type="backup", character_id=""), due=NOON)
    write = backup.write

    def cancelled_meanwhile(draft: Path, **more: Any) -> None:
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=NOON)
        write(draft, **more)

    monkeypatch.setattr(backup, "write", cancelled_meanwhile)
    jobs.run_here(job.pk)
    assert jobs.get(job.pk).state == JobState.CANCELLED
    assert [path.name for path in (folder / "backups").iterdir()] == ["db-20200101-000000.sqlite3"]
