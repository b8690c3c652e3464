"""A data folder with real processes on it, for the jobs' drills."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds until a drill gives up; it usually takes two
PACE = {
    "heartbeat": 0.2,
    "lease": 1.5,
    "look": 0.1,
    "dispatch": 0.1,
    "sweep": 0.2,
    "lost": 1.0,
    "canary": 0.3,
    "silence": 3.0,
}
ANSWER = """
import django, json, sys
django.setup()
from django.db import connection
from django_q.status import Stat
from influencer.jobs import health, services
for line in sys.stdin:
    print(json.dumps(eval(line), default=str), flush=True)
    connection.close()
"""


class Rig:
    """A data folder of its own, with the processes that work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trace, self.go = folder / "trace", folder / "go"
        self.trace.touch()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = environment_of(folder)
        self.product = subprocess.Popen(
            [sys.executable, "-c", ANSWER],
            env=self.environment,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def manage(*words: str) -> list[str]:
        return [sys.executable, "-m", "django", *words]

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.manage(*words),
            env={**self.environment, **environment},
            cwd=PROJECT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
        )
        self.processes.append(process)
        return process

    def cluster(self, name: str = "default") -> subprocess.Popen[bytes]:
        return self.start("qcluster", Q_CLUSTER_NAME=name)

    def ask(self, expression: str) -> Any:
        """What the product answers, in a process of its own."""
        assert self.product.stdin and self.product.stdout
        self.product.stdin.write(expression + "\n")
        self.product.stdin.flush()
        return json.loads(self.product.stdout.readline())

    def submit(self, kind: str) -> str:
        request = {"trace": str(self.trace), "go": str(self.go)}
        return str(self.ask(f"services.start({kind!r}, request={request!r}).id"))

    def job(self, job_id: str) -> sqlite3.Row:
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=20) as database:
            database.row_factory = sqlite3.Row
            row: sqlite3.Row = database.execute("SELECT * FROM jobs_job WHERE id = ?", [job_id]).fetchone()
            return row

    def pulled(self) -> int:
        """How many messages are in a cluster's hands."""
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=20) as database:
            query = "SELECT count(*) FROM django_q_ormq WHERE lock > datetime('now')"
            return int(database.execute(query).fetchone()[0])

    def traces(self) -> list[str]:
        return self.trace.read_text().split("\n")[:-1]

    def processes_of(self, cluster: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The cluster's own report of its processes."""
        return dict(
            self.until(
                lambda: self.ask(f"[vars(stat) for stat in Stat.get_all() if stat.pid == {cluster.pid}]"),
                "the cluster reports itself",
            )[0]
        )

    def until(self, ready: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := ready():
                return found
            time.sleep(0.05)
        log = (self.folder / "log").read_text() if (self.folder / "log").exists() else ""
        pytest.fail(f"Not within {PATIENCE} s: {what}\n{log[-3000:]}")

    def until_state(self, job_id: str, *states: str) -> sqlite3.Row:
        row: sqlite3.Row = self.until(
            lambda: self.job(job_id) if self.job(job_id)["state"] in states else None,
            f"{job_id} is {' or '.join(states)}, not {self.job(job_id)['state']}",
        )
        return row

    def until_working(self, job_id: str) -> int:
        """The pid of the worker that has written its memo."""
        memo = self.until(lambda: json.loads(self.job(job_id)["memo"]), f"{job_id} is at work")
        return int(memo["pid"])

    def freeze(self, pid: int) -> None:
        """Stop the process, but not while it holds the database."""

        def stopped_outside_a_write() -> bool:
            os.kill(pid, signal.SIGSTOP)
            try:
                with sqlite3.connect(self.folder / "db.sqlite3", timeout=0.3) as database:
                    database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                return False
            return True

        self.until(stopped_outside_a_write, "the worker is frozen")

    def stop_all(self) -> None:
        self.product.communicate()
        for process in self.processes:
            with suppress(ProcessLookupError):  # its children may outlive it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment_of(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.drills.job_settings",
        "INFLUENCER_DATA_DIR": str(folder),
        "INFLUENCER_JOBS": json.dumps(PACE),
    }
