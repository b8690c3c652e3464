"""Real clusters, a real clock, and what kill -9 leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.job_rig import PATIENCE, PROJECT, Rig, environment_of

pytestmark = pytest.mark.drill


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
