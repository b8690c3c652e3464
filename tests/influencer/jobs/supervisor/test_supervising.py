"""The supervisor with small programs for children: restarts, clean stop, no orphans."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from influencer.config import PROJECT
from influencer.jobs.supervisor import cluster_watch
from influencer.jobs.supervisor.plan import Plan, Program

# Writes its number into a file, has a child of its own in the same group, and waits.
STEADY = """
import os, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()} {inner.pid}\\n")
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + STEADY
TIDY = """
import signal, sys
def stop(*_):
    open(sys.argv[1] + ".tidy", "w").close()
    inner.terminate()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
"""
TIDY += STEADY


class Started:
    """A running supervisor over one program, seen from outside."""

    def __init__(self, folder: Path, script: str, **kind: object) -> None:
        self.folder = folder
        self.marks = folder / "marks"
        code = textwrap.dedent(script)
        program = Program("default", (sys.executable, "-c", code, str(self.marks)), **kind)  # type: ignore[arg-type]
        plan = Plan(programs=(program,), host="127.0.0.1", port=9, run=folder, clock="clock")
        descriptor = plan.hand_over()
        os.set_inheritable(descriptor, True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "influencer.jobs.supervisor", str(descriptor)],
            cwd=PROJECT,
            pass_fds=(descriptor,),
            stdout=(folder / "said").open("w"),
            start_new_session=True,
        )
        os.close(descriptor)

    def born(self, count: int) -> list[list[int]]:
        """The process numbers of the first `count` starts: the program's and its child's."""
        until(lambda: len(self._lines()) >= count)
        return [[int(number) for number in line.split()] for line in self._lines()]

    def _lines(self) -> list[str]:
        return self.marks.read_text().splitlines() if self.marks.exists() else []

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0
        return self.said()


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def all_gone(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    running: list[Started] = []

    def begin(script: str, **kind: object) -> Started:
        running.append(Started(tmp_path, script, **kind))
        return running[-1]

    yield begin
    for started in running:
        if started.process.poll() is None:
            started.stop()


def test_a_child_that_dies_is_started_again(begin: Callable[..., Started]) -> None:
    started = begin(STEADY)
    first = started.born(1)[0]
    os.kill(first[0], signal.SIGKILL)
    second = started.born(2)[1]
    assert second[0] != first[0]
    assert "default was killed; it starts again in 0.5 s." in started.stop()


def test_what_a_dead_child_left_behind_is_cleared_first(begin: Callable[..., Started]) -> None:
    started = begin(STEADY)
    main, inner = started.born(1)[0]
    os.kill(main, signal.SIGKILL)
    started.born(2)
    assert all_gone([main, inner])


def test_a_child_that_is_switched_off_ends_and_comes_back(
    begin: Callable[..., Started], tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    started = begin(STEADY, switch=str(file))
    pids = started.born(1)[0]
    file.write_text('{"sandbox": "off"}')
    until(lambda: all_gone(pids))
    file.write_text('{"sandbox": "auto"}')
    assert started.born(2)[1] != pids
    assert "default is switched off." in started.stop()


def test_a_stop_asks_the_main_process_and_leaves_nothing(begin: Callable[..., Started]) -> None:
    started = begin(TIDY)
    pids = started.born(1)[0]
    assert started.stop().endswith("up: Stopped.\n")
    assert (started.folder / "marks.tidy").exists()
    assert all_gone(pids)


def test_ctrl_c_stops_it_too(begin: Callable[..., Started]) -> None:
    started = begin(TIDY)
    pids = started.born(1)[0]
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(timeout=30) == 0
    assert all_gone(pids)


def test_a_child_that_does_not_listen_is_killed_when_asked_twice(begin: Callable[..., Started]) -> None:
    started = begin(STUBBORN)
    pids = started.born(1)[0]
    started.process.send_signal(signal.SIGTERM)
    until(lambda: "Stopping" in started.said())
    started.stop()
    assert all_gone(pids)


@pytest.mark.parametrize("bounded", [True, False])
def test_a_killed_supervisor_leaves_no_child(begin: Callable[..., Started], bounded: bool) -> None:
    started = begin(TIDY, bounded=bounded)
    main, inner = started.born(1)[0]
    started.process.kill()
    until(lambda: all_gone([main]))
    assert (started.folder / "marks.tidy").exists() is bounded
    if not bounded:
        os.kill(inner, signal.SIGKILL)  # only the direct child is tied to the supervisor


def test_a_cluster_the_clock_calls_stuck_is_started_again(tmp_path: Path) -> None:
    from influencer.jobs.supervisor.announcing import Announcer
    from influencer.jobs.supervisor.loop import NEW, Supervisor

    program = Program("gpu", (sys.executable, "-c", "import time; time.sleep(600)"))
    plan = Plan(programs=(program,), host="127.0.0.1", port=9, run=tmp_path, clock="clock")
    supervisor = Supervisor(plan, Announcer(plan))
    child = supervisor.children[0]
    child.start()
    assert child.process
    first = child.process
    cluster_watch.write(tmp_path, ["gpu"])

    supervisor.asked_at -= 10
    supervisor.look()
    assert first.poll() is None, "a fresh cluster is left in peace"

    child.started_at -= NEW
    supervisor.asked_at -= 10
    supervisor.look()
    assert first.wait() == -signal.SIGKILL
    supervisor.look()
    assert child.process is None, "it waits for its turn to start again"


def test_a_database_nobody_can_write_in_is_freed_by_starting_all_who_might_hold_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from influencer.jobs.supervisor import write_lock
    from influencer.jobs.supervisor.announcing import Announcer
    from influencer.jobs.supervisor.loop import Supervisor

    database = tmp_path / "db.sqlite3"
    sqlite3.connect(database).execute("PRAGMA journal_mode = WAL").close()
    holding = """
    import os, signal, sqlite3, sys
    held = sqlite3.connect(sys.argv[1])
    held.execute("BEGIN IMMEDIATE")
    os.kill(os.getpid(), signal.SIGSTOP)
    """
    words = (sys.executable, "-c", textwrap.dedent(holding), str(database))
    sleeping = (sys.executable, "-c", "import time; time.sleep(600)")
    plan = Plan(
        programs=(Program("gpu", words, writes=True), Program("sandbox", sleeping)),
        host="127.0.0.1",
        port=9,
        run=tmp_path,
        database=database,
    )
    monkeypatch.setattr(write_lock, "STUCK_AFTER", 0.0)
    supervisor = Supervisor(plan, Announcer(plan))
    worker, sandbox = supervisor.children
    try:
        for child in supervisor.children:
            child.start()
        assert worker.process and sandbox.process
        stat = Path(f"/proc/{worker.process.pid}/stat")
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
        supervisor.asked_at -= 10
        supervisor.look()
        assert worker.process.wait() == -signal.SIGKILL
        assert sandbox.process.poll() is None
        sqlite3.connect(database, timeout=0).execute("BEGIN IMMEDIATE")
    finally:
        for child in supervisor.children:
            child.kill()


def test_the_wait_before_a_restart_grows_and_falls_back(tmp_path: Path) -> None:
    from influencer.jobs.supervisor.children import LONGEST_WAIT, SETTLED, Child

    now = 1000.0
    child = Child(Program("web", ("true",)), clock=lambda: now)
    child.started_at = now
    waits = [child.plan_restart() for _ in range(9)]
    assert waits[:4] == [0.5, 1, 2, 4]
    assert waits[-1] == LONGEST_WAIT
    now += SETTLED + 1
    assert child.plan_restart() == 0.5
    assert not child.is_due()
    now += 0.5
    assert child.is_due()


def test_a_plan_survives_the_hand_over() -> None:
    from influencer.jobs.supervisor.plan import take_over

    programs = (Program("web", ("python", "-V"), {"A": "b"}, keeps=(4,), bounded=True, writes=True),)
    plan = Plan(
        programs=programs,
        host="::1",
        port=8001,
        run=Path("/x/run"),
        screen="link",
        log=Path("/x/l"),
        database=Path("/x/db"),
    )
    descriptor = plan.hand_over()
    assert os.get_inheritable(descriptor)
    assert take_over(descriptor) == plan


def test_the_supervisor_loads_neither_django_nor_anything_installed() -> None:
    asked = (
        "import json, sys, influencer.jobs.supervisor.__main__; "
        "print(json.dumps([n for n in sys.modules if n.split('.')[0] in "
        "('django', 'requests', 'dotenv', 'ssl', 'asyncio', 'http')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
