"""One command from the shell: its data made ready, its failures one sentence."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from influencer import commandline
from influencer.config import PROJECT, ConfigError
from influencer.errors import NotFound
from influencer.jobs.supervisor import startup
from tests.environment import FREE_OF_SETTINGS


def test_a_command_before_the_first_up_finds_its_tables(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "api_token", "robot"],
        cwd=PROJECT,
        env={**os.environ, **FREE_OF_SETTINGS, "INFLUENCER_DATA_DIR": str(tmp_path / "live")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == ["CommandError: There is no owner yet. Set one up first."]
    assert (tmp_path / "live" / "format.json").exists()


def test_while_up_runs_a_command_leaves_the_data_alone(data_dir: Path, settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, data_dir=data_dir)
    lock = startup.take_lock(data_dir / "run", "http://127.0.0.1:8000")
    startup.prepare_for_command(settings.INFLUENCER, pytest.fail)
    assert not (data_dir / "format.json").exists()
    os.close(lock)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("INFLUENCER_PORT is 'x'."), 2, "INFLUENCER_PORT is 'x'.\n"),
        (NotFound("There is no such character."), 1, "There is no such character.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(argv: list[str]) -> None:
        raise error

    monkeypatch.setattr(commandline, "execute_from_command_line", fail)
    assert commandline.run(["manage.py", "check"]) == code
    assert capsys.readouterr().err == said


def test_djangos_own_commands_need_no_data(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    monkeypatch.setattr(commandline, "execute_from_command_line", lambda argv: None)
    assert commandline.run(["manage.py", "check"]) == 0
    assert commandline.run(["manage.py"]) == 0
    assert not (data_dir / "format.json").exists()
