"""`manage.py up` as a person meets it: one sentence when it can't, everything when it can."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from influencer.config import PROJECT
from tests.environment import FREE_OF_SETTINGS
from tests.running import alive, free_port, running_up, start_up, status, until

pytestmark = pytest.mark.drill


def up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `up` where it is expected to refuse."""
    settings = {
        **FREE_OF_SETTINGS,
        "INFLUENCER_DATA_DIR": str(folder / "live"),
        "INFLUENCER_PORT": str(free_port()),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int, part: str) -> None:
    assert done.returncode == code, done.stderr
    assert part in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFLUENCER_PORT", "eighty"),
        ("INFLUENCER_SANDBOX", "maybe"),
        ("COMFYUI_URL", "studio:8188"),
        ("COMFYUI_HEADERS", "Bearer x"),
        ("INFLUENCER_TIME_ZONE", "Mars/Olympus"),
        ("DATABASE_URL", "postgres://db/influencer"),
        ("MEDIA_S3_URL", "https://s3.example.org/images"),
        ("C2PA_CERT", "/nowhere/chain.pem"),
    ],
)
def test_a_setting_that_cant_be_used_is_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    assert_one_sentence(up(tmp_path, **{name: value}), 2, name)
    assert not (tmp_path / "live").exists()


def test_a_weak_owners_password_is_one_sentence(tmp_path: Path) -> None:
    done = up(tmp_path, INFLUENCER_ADMIN_PASSWORD="short")
    assert_one_sentence(done, 2, "INFLUENCER_ADMIN_PASSWORD")


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_sentence(up(tmp_path, INFLUENCER_PORT=port), 1, f"Port {port} is taken")


def test_data_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "format.json").write_text('{"version": 999}')
    assert_one_sentence(up(tmp_path), 1, "newer version")
    assert not (tmp_path / "live" / "db.sqlite3").exists()


def test_a_data_folder_that_cant_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file is in the way")
    assert_one_sentence(up(tmp_path), 1, "INFLUENCER_DATA_DIR")


def test_it_starts_refuses_a_second_and_stops_clean(tmp_path: Path) -> None:
    with running_up(tmp_path) as running:
        until(lambda: "Influencer runs." in running.said(), said=running.said)
        second = up(tmp_path, INFLUENCER_DATA_DIR=str(running.data))
        assert_one_sentence(second, 1, f"process {running.process.pid}, {running.url}")
        until(lambda: set(running.children()) == {"web", "default", "gpu", "clock", "sandbox"})
        pids = list(running.processes())
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=25) == 0
    assert not [pid for pid in pids if alive(pid)]
    assert not (running.data / "run" / "sandbox.json").exists()
    assert running.password not in running.said()


def test_a_start_without_owner_and_sandbox_shows_the_link_and_runs_no_stand_in(tmp_path: Path) -> None:
    with running_up(tmp_path, INFLUENCER_ADMIN_PASSWORD="", INFLUENCER_SANDBOX="off") as running:
        until(lambda: "Set up" in running.said(), said=running.said)
        link = next(word for word in running.said().split() if "/setup/" in word)
        assert status(link) == 200
        assert running.said().count("/setup/") == 1
        until(lambda: set(running.children()) == {"web", "default", "gpu", "clock"})
        assert "Sandbox  off" in running.said()
        assert not (running.data / "run" / "sandbox.json").exists()
    assert link not in (running.data / "run" / "up.lock").read_text()


def test_killed_it_leaves_no_process_and_the_next_start_goes_on(tmp_path: Path) -> None:
    port = str(free_port())
    first = start_up(tmp_path, INFLUENCER_PORT=port)
    until(first.answers, 60, first.said)
    until(lambda: len(first.processes()) >= 14, said=first.said)
    pids = list(first.processes())
    first.process.kill()
    first.process.wait()
    until(lambda: not [pid for pid in pids if alive(pid)], 20)
    with running_up(tmp_path, INFLUENCER_PORT=port) as second:
        assert second.answers()
