"""What `up` does before anything runs."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from influencer.config import ConfigError
from influencer.errors import Conflict, Unavailable
from influencer.jobs.supervisor import database, startup
from influencer.jobs.supervisor.listening import free_port, listen
from influencer.jobs.supervisor.screen import Facts, compose


def config(settings: Any, **changes: Any) -> Any:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, data_dir=settings.DATA_DIR, **changes)
    return settings.INFLUENCER


def plan_of(settings: Any, link: str = "", **changes: Any) -> Any:
    listener = socket.create_server(("127.0.0.1", 0))
    plan = startup.make_plan(config(settings, **changes), lock=-1, listener=listener, link=link)
    os.close(plan.programs[0].keeps[0])
    return plan


def test_a_new_data_folder_is_for_its_user_only(tmp_path: Path) -> None:
    run = startup.make_folders(tmp_path / "new")
    assert run.is_dir()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_the_mode_of_a_folder_in_use_is_left_alone(data_dir: Path) -> None:
    (data_dir / "format.json").touch()
    data_dir.chmod(0o750)
    startup.make_folders(data_dir)
    assert data_dir.stat().st_mode & 0o777 == 0o750


def test_a_data_folder_that_cant_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="INFLUENCER_DATA_DIR"):
        startup.make_folders(tmp_path / "file" / "data")


def test_a_second_start_on_the_same_data_names_the_first(data_dir: Path) -> None:
    lock = startup.take_lock(data_dir / "run", "http://127.0.0.1:8000")
    with pytest.raises(Conflict) as raised:
        startup.take_lock(data_dir / "run", "http://127.0.0.1:9000", patience=0)
    assert f"process {os.getpid()}, http://127.0.0.1:8000" in raised.value.message
    os.close(lock)


def test_the_lock_of_a_dead_start_is_free(data_dir: Path) -> None:
    (data_dir / "run" / "up.lock").write_text(json.dumps({"pid": 1, "url": "x"}))
    lock = startup.take_lock(data_dir / "run", "http://127.0.0.1:8000")
    assert str(os.getpid()) in (data_dir / "run" / "up.lock").read_text()
    with (data_dir / "run" / "up.lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} is taken by another program"):
            listen("127.0.0.1", port)


def test_an_address_that_isnt_here_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="INFLUENCER_HOST is '192.0.2.1'"):
        listen("192.0.2.1", free_port())


def test_it_listens_on_both_kinds_of_address() -> None:
    for host in ("127.0.0.1", "::1"):
        with listen(host, free_port()) as listener:
            assert listener.getsockname()[0] == host


@pytest.mark.django_db
def test_the_password_from_the_environment_makes_the_owner_once(settings: Any) -> None:
    said: list[str] = []
    assert startup.owner(config(settings, admin_password="correct horse battery"), said.append) == ""
    assert User.objects.get().username == "owner"
    assert "correct" not in "".join(said)
    startup.owner(config(settings, admin_password="another horse battery"), said.append)
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.django_db
def test_a_weak_password_from_the_environment_is_a_configuration_error(settings: Any) -> None:
    with pytest.raises(ConfigError, match="INFLUENCER_ADMIN_PASSWORD can't be used"):
        startup.owner(config(settings, admin_password="short"), print)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_without_a_user_there_is_a_setup_link(settings: Any, client: Any) -> None:
    link = startup.owner(config(settings, port=8000), print)
    assert link.startswith("http://127.0.0.1:8000/setup/")
    assert len(link.rstrip("/").rpartition("/")[2]) >= 43


@pytest.mark.django_db
def test_with_a_user_there_is_none(settings: Any) -> None:
    User.objects.create_user("someone")
    assert startup.owner(config(settings), print) == ""


def test_every_process_is_planned(settings: Any) -> None:
    names = [program.name for program in plan_of(settings).programs]
    assert names == ["web", "default", "gpu", "clock", "sandbox"]


def test_with_the_sandbox_off_nothing_of_it_is_planned(settings: Any) -> None:
    plan = plan_of(settings, sandbox="off")
    assert "sandbox" not in [program.name for program in plan.programs]
    assert "Sandbox  off" in plan.screen


def test_the_settings_may_switch_the_sandbox_only_where_the_environment_does_not(settings: Any) -> None:
    free, fixed = plan_of(settings), plan_of(settings, fixed=frozenset({"sandbox"}))
    assert free.programs[-1].switch == str(settings.DATA_DIR / "settings.json")
    assert fixed.programs[-1].switch == ""


def test_the_owners_password_reaches_no_other_process(settings: Any) -> None:
    plan = plan_of(settings, admin_password="correct horse battery")
    assert all(program.environment["INFLUENCER_ADMIN_PASSWORD"] == "" for program in plan.programs)
    assert "correct horse" not in str(dataclasses.asdict(plan))


def test_the_screen_says_what_a_person_needs() -> None:
    text = compose(
        Facts(
            address="http://127.0.0.1:8000",
            data=Path("/srv/data"),
            sandboxed=["ComfyUI", "Instagram", "X"],
            setup_link="http://127.0.0.1:8000/setup/abc/",
        )
    )
    assert "Open     http://127.0.0.1:8000\n" in text
    assert "Set up   http://127.0.0.1:8000/setup/abc/" in text
    assert "stands in for ComfyUI, Instagram and X" in text
    assert "/srv/data" in text
    assert "Ctrl-C" in text


def test_a_database_is_copied_whole_and_three_copies_stay(tmp_path: Path) -> None:
    source = tmp_path / "db.sqlite3"
    writer = sqlite3.connect(source)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE kept (name)")
    writer.execute("INSERT INTO kept VALUES ('luna')")
    writer.commit()  # still in the WAL: a plain file copy would miss it
    for number in range(4):
        (tmp_path / "backups").mkdir(exist_ok=True)
        (tmp_path / "backups" / f"db-2020010{number}-000000.sqlite3").touch()

    copy = database.back_up(source, tmp_path / "backups")

    assert copy.stat().st_mode & 0o777 == 0o600
    left = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert left == ["db-20200102-000000.sqlite3", "db-20200103-000000.sqlite3", copy.name]
    assert sqlite3.connect(copy).execute("SELECT name FROM kept").fetchall() == [("luna",)]


@pytest.mark.django_db
def test_nothing_is_copied_when_nothing_is_pending(tmp_path: Path) -> None:
    assert database.bring_up_to_date(tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


@pytest.mark.django_db
def test_the_database_is_copied_before_a_pending_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(database.MigrationExecutor, "migration_plan", lambda *_: ["one"])
    monkeypatch.setattr(database, "back_up", lambda *_: steps.append("copied") or tmp_path / "copy")
    monkeypatch.setattr(database, "call_command", lambda *_, **__: steps.append("migrated"))
    assert database.bring_up_to_date(tmp_path) == tmp_path / "copy"
    assert steps == ["copied", "migrated"]
