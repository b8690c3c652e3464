"""Real clusters, a real clock, and what kill -9 leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.drill

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
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment_of(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.drills.job_settings",
        "INFLUENCER_DATA_DIR": str(folder),
        "INFLUENCER_JOBS": json.dumps(PACE),
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    words = Rig.manage("migrate", "-v0")
    subprocess.run(words, env=environment_of(folder), cwd=PROJECT, check=True)
    with sqlite3.connect(folder / "db.sqlite3") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "db.sqlite3"


@pytest.fixture
def rig(tmp_path: Path, migrated: Path) -> Iterator[Rig]:
    folder = tmp_path / "rig"
    (folder / "run").mkdir(parents=True)
    shutil.copy(migrated, folder)
    rig = Rig(folder)
    yield rig
    rig.stop_all()


def test_a_job_goes_from_the_web_through_the_queue_to_its_result(rig: Rig) -> None:
    rig.cluster()
    job = rig.submit("quick")
    done = rig.until_state(job, "succeeded")
    assert rig.traces() == ["quick"]
    assert json.loads(done["result"])["pid"] != os.getpid()


def test_a_killed_workers_job_goes_on_with_what_it_remembered(rig: Rig) -> None:
    rig.start("clock")
    rig.cluster()
    job = rig.submit("slow")
    os.kill(rig.until_working(job), signal.SIGKILL)
    rig.until(lambda: "attempt 2" in rig.traces(), "a second attempt")
    rig.go.touch()
    done = rig.until_state(job, "succeeded")
    assert rig.traces() == ["attempt 1", "attempt 2", "done by prompt-1"]
    assert (done["crashes"], done["attempts"]) == (1, 2)


def test_a_job_that_kills_every_worker_fails_and_the_cluster_lives(rig: Rig) -> None:
    rig.start("clock")
    rig.cluster()
    failed = rig.until_state(rig.submit("deadly"), "failed")
    assert json.loads(failed["error"])["code"] == "worker_died"
    assert rig.traces() == ["dying"] * 5
    rig.until_state(rig.submit("quick"), "succeeded")


def test_a_frozen_worker_writes_nothing_once_another_has_its_job(rig: Rig) -> None:
    rig.start("clock")
    rig.cluster()
    job = rig.submit("slow")
    frozen = rig.until_working(job)
    rig.freeze(frozen)
    rig.until(lambda: "attempt 2" in rig.traces(), "a second attempt")
    os.kill(frozen, signal.SIGCONT)
    rig.until(lambda: "was taken over" in (rig.folder / "log").read_text(), "the first worker notices")
    rig.go.touch()
    done = rig.until_state(job, "succeeded")
    assert json.loads(done["result"])["pid"] != frozen
    assert rig.traces().count("done by prompt-1") == 1


def test_a_cancelled_job_stops_within_a_second_or_so(rig: Rig) -> None:
    rig.cluster("gpu")
    job = rig.submit("slow_gpu")
    rig.until_working(job)
    rig.ask(f"services.cancel({job!r}).state")
    rig.until_state(job, "cancelled")
    assert rig.traces() == ["attempt 1"]


def test_a_cluster_that_is_stopped_hands_its_job_to_the_next(rig: Rig) -> None:
    rig.start("clock")
    first = rig.cluster("gpu")
    job = rig.submit("slow_gpu")
    rig.until_working(job)
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 0
    rig.cluster("gpu")
    rig.until(lambda: "attempt 2" in rig.traces(), "the next cluster goes on")
    rig.go.touch()
    done = rig.until_state(job, "succeeded")
    assert (done["crashes"], rig.traces()[-1]) == (0, "done by prompt-1")


def test_a_cluster_without_its_monitor_is_named_and_a_new_one_answers(rig: Rig) -> None:
    rig.start("clock")
    cluster = rig.cluster()
    rig.cluster("gpu")
    rig.until(
        lambda: rig.ask("[health.cluster_alive(n) for n in ('default', 'gpu')]") == [True, True], "both live"
    )
    rig.until(lambda: _named_after_its_monitor_was_killed(rig, cluster), "the cluster is named")
    os.killpg(cluster.pid, signal.SIGKILL)
    rig.cluster()
    rig.until(lambda: rig.ask("health.stale_clusters()") == [], "the new cluster answers")
    rig.until_state(rig.submit("quick"), "succeeded")


def test_what_a_dead_cluster_had_pulled_ahead_is_done_by_the_next(rig: Rig) -> None:
    first = rig.cluster("gpu")
    jobs = [rig.submit("slow_gpu") for _ in range(3)]
    rig.until(lambda: rig.pulled() == 3, "all are in the cluster's hands")
    os.killpg(first.pid, signal.SIGKILL)
    rig.go.touch()
    rig.start("clock")
    rig.cluster("gpu")
    for job in jobs:
        rig.until_state(job, "succeeded")


def test_workers_end_with_the_guard_that_was_killed(rig: Rig) -> None:
    cluster = rig.cluster()
    stat = rig.processes_of(cluster)
    os.kill(stat["sentinel"], signal.SIGKILL)
    rig.until(lambda: not any(_lives(pid) for pid in stat["workers"]), "the workers are gone")


def test_the_clock_ends_quickly_and_a_second_one_takes_its_place(rig: Rig) -> None:
    first = rig.start("clock")
    rig.until(lambda: rig.ask("str(health.clock_beat() or '')"), "the first clock beats")
    second = rig.start("clock")
    first.send_signal(signal.SIGKILL)
    first.wait()
    seen = rig.ask("health.clock_beat()")
    rig.until(lambda: rig.ask("health.clock_beat()") > seen, "the second clock beats")
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE) == 0


def _named_after_its_monitor_was_killed(rig: Rig, cluster: subprocess.Popen[bytes]) -> bool:
    """A monitor killed between two tasks, not while it waits for one, is replaced: then once more."""
    os.kill(rig.processes_of(cluster)["monitor"], signal.SIGKILL)
    seen = rig.ask("health.last_sign('default')")
    while rig.ask("health.last_sign('default')") == seen:
        if rig.ask("health.stale_clusters()") == ["default"]:
            return True
        time.sleep(0.1)
    return False


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
