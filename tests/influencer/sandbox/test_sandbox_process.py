"""The process: started, found, stopped, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from influencer import sandbox
from influencer.sandbox import Sandbox, SandboxFailed, address, started
from tests.influencer.sandbox.bench import PATIENCE, eventually

APP = "http://127.0.0.1:8000"


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_a_sandbox_started_for_a_block_serves_all_services_and_ends_with_it(data_dir: Path) -> None:
    with started(data_dir, APP) as running:
        assert address(data_dir / "run") == running
        control = requests.get(
            f"{running.control}/", headers={"X-Sandbox-Key": running.key}, timeout=PATIENCE
        )
        assert {"comfyui", "instagram", "x"} <= set(control.json()["services"])
        assert requests.get(f"{running.comfyui}/queue", timeout=PATIENCE).status_code == 200
    assert gone(running.pid)
    assert address(data_dir / "run") is None
    assert not (data_dir / "run" / "sandbox.json").exists()


def test_a_running_sandbox_is_used_and_left_running(data_dir: Path) -> None:
    with started(data_dir, APP) as first:
        with started(data_dir, APP) as second:
            assert second == first
        assert address(data_dir / "run") == first


def test_only_its_owner_may_read_the_run_file(data_dir: Path) -> None:
    with started(data_dir, APP) as running:
        path = data_dir / "run" / "sandbox.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text()) == {"url": running.url, "key": running.key, "pid": running.pid}
        assert len(running.key) >= 32


def test_the_key_is_not_shown_when_a_sandbox_is_printed() -> None:
    assert "geheim" not in repr(Sandbox("http://127.0.0.1:1", "geheim", 1))


def test_a_second_process_on_the_same_data_refuses_to_start(data_dir: Path) -> None:
    with started(data_dir, APP):
        command = [sys.executable, "-m", "influencer.sandbox", "--data", str(data_dir / "sandbox")]
        result = subprocess.run(
            [*command, "--run-file", str(data_dir / "run" / "other.json")],
            cwd=sandbox.PROJECT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert result.returncode == 1
    assert "another sandbox uses" in result.stderr


def test_a_process_whose_parent_was_killed_ends_by_itself(data_dir: Path) -> None:
    code = (
        "import time; from pathlib import Path; from influencer.sandbox import started\n"
        f"with started(Path({str(data_dir)!r}), {APP!r}): time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=sandbox.PROJECT)
    running = eventually(lambda: address(data_dir / "run"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: gone(running.pid))


def test_a_run_file_whose_process_is_gone_counts_as_none(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    facts = {"url": "http://127.0.0.1:1", "key": "k", "pid": process.pid}
    (tmp_path / "sandbox.json").write_text(json.dumps(facts))
    assert address(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "u"}', '{"url": 1, "key": 2, "pid": "x"}'])
def test_a_run_file_that_makes_no_sense_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "sandbox.json").write_text(content)
    assert address(tmp_path) is None


def test_a_process_that_only_has_the_old_number_is_not_taken_for_the_sandbox(data_dir: Path) -> None:
    facts = {"url": "http://127.0.0.1:1", "key": "k", "pid": os.getpid()}
    (data_dir / "run" / "sandbox.json").write_text(json.dumps(facts))
    with started(data_dir, APP) as running:
        assert running.pid != os.getpid()


def test_a_start_that_fails_says_why(data_dir: Path) -> None:
    (data_dir / "sandbox").write_text("a file where a folder should be")
    with pytest.raises(SandboxFailed, match="did not start"), started(data_dir, APP):
        pass
