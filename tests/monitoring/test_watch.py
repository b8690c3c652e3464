"""Checks run together, in time, and not more often than needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from influencer.errors import Unavailable
from monitoring import watch
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch


def a_check(name: str, run: Callable[[bool], Finding] | State = State.OK) -> Check:
    if isinstance(run, State):
        state = run
        return Check(name, name.title(), lambda fresh: Finding(state, f"{name} is {state}."))
    return Check(name, name.title(), run)


class Counting:
    """A check that counts how often it ran and how."""

    def __init__(self) -> None:
        self.ran: list[bool] = []
        self.state = State.OK

    def __call__(self, fresh: bool) -> Finding:
        self.ran.append(fresh)
        return Finding(self.state, "counted")


def test_every_check_has_state_message_times_and_details() -> None:
    counted = Check("disk", "Disk", lambda fresh: Finding(State.OK, "Fine.", {"free": 1}))
    shown = Watch([counted], keep=10).report().as_json()
    assert shown["overall"] == "ok"
    disk = shown["status"]["disk"]
    assert disk["checkedAt"] == disk["lastOkAt"] == shown["checkedAt"]
    assert disk["checkedAt"].endswith("Z")
    assert (disk["state"], disk["message"], disk["details"]) == ("ok", "Fine.", {"free": 1})


@pytest.mark.parametrize(
    ("states", "overall"),
    [
        ([State.OK, State.SANDBOX, State.UNCONFIGURED], State.OK),
        ([State.OK, State.DEGRADED], State.DEGRADED),
        ([State.DEGRADED, State.DOWN, State.OK], State.DOWN),
    ],
)
def test_overall_is_the_worst_of_them(states: list[State], overall: State) -> None:
    checks = [a_check(f"c{place}", state) for place, state in enumerate(states)]
    assert Watch(checks, keep=10).report().overall is overall


def test_a_report_is_good_for_a_while_and_anew_on_request() -> None:
    counting = Counting()
    kept = Watch([a_check("c", counting)], keep=60)
    assert kept.report() is kept.report()
    assert counting.ran == [False]
    kept.report(fresh=True)
    assert counting.ran == [False, True]
    short = Watch([a_check("c", counting)], keep=0)
    short.report()
    short.report()
    assert counting.ran == [False, True, False, False]


def test_another_data_folder_has_its_own_report(settings: Any, tmp_path: Path) -> None:
    counting = Counting()
    kept = Watch([a_check("c", counting)], keep=60)
    kept.report()
    (tmp_path / "other" / "run").mkdir(parents=True)
    settings.DATA_DIR = tmp_path / "other"
    kept.report()
    assert len(counting.ran) == 2


def test_though_every_service_hangs_there_is_a_report() -> None:
    go_on = threading.Event()

    def hanging(fresh: bool) -> Finding:
        go_on.wait(20)
        return Finding(State.OK, "too late")

    checks = [a_check("one", hanging), a_check("two", hanging), a_check("three")]
    report = Watch(checks, keep=10, seconds=0.1).report(fresh=True)
    go_on.set()
    assert [result.state for result in report.results.values()] == [State.DOWN, State.DOWN, State.OK]
    assert "One could not be checked within 0.1 s" in report.results["one"].message


def test_asked_by_many_at_once_they_run_once() -> None:
    entered, go_on, counting = threading.Event(), threading.Event(), Counting()

    def slow(fresh: bool) -> Finding:
        entered.set()
        go_on.wait(20)
        return counting(fresh)

    kept, reports = Watch([a_check("c", slow)], keep=60, seconds=20), []
    asking = [
        threading.Thread(target=lambda: reports.append(kept.report(fresh=True)), daemon=True)
        for _ in range(5)
    ]
    asking[0].start()
    assert entered.wait(5)
    for thread in asking[1:]:
        thread.start()
    while kept._turn.acquire(blocking=False):
        kept._turn.release()
    go_on.set()
    for thread in asking:
        thread.join(10)
    assert len(reports) == 5
    assert len(counting.ran) <= 2, "those who came while it ran share what it found"


def test_a_refusal_of_our_own_is_a_finding() -> None:
    def refused(code: str) -> Callable[[bool], Finding]:
        def run(fresh: bool) -> Finding:
            raise Unavailable("Set it.", code=code)

        return run

    checks = [a_check("a", refused("not_configured")), a_check("b", refused("sandbox_down"))]
    results = Watch(checks, keep=10).report().results
    assert (results["a"].state, results["a"].message) == (State.UNCONFIGURED, "Set it.")
    assert results["b"].state is State.DOWN


def test_a_check_that_breaks_is_down_and_hides_nothing() -> None:
    def broken(fresh: bool) -> Finding:
        raise RuntimeError

    results = Watch([a_check("broken", broken), a_check("fine")], keep=10).report().results
    assert [result.state for result in results.values()] == [State.DOWN, State.OK]


def test_when_it_was_last_good_outlives_the_process() -> None:
    counting = Counting()
    check = a_check("c", counting)
    before = Watch([check], keep=0).report().results["c"].last_ok_at
    counting.state = State.DOWN
    after = Watch([check], keep=0).report().results["c"]
    assert after.last_ok_at is not None
    assert before is not None
    assert abs((after.last_ok_at - before).total_seconds()) < 0.001
    assert after.checked_at > before


def test_what_was_never_good_says_so(data_dir: Path) -> None:
    assert Watch([a_check("c", State.DOWN)], keep=0).report().results["c"].last_ok_at is None
    (data_dir / "run" / watch.FILE).write_text("damaged")
    assert Watch([a_check("c", State.DOWN)], keep=0).report().results["c"].last_ok_at is None


def test_without_a_folder_to_remember_in_there_is_a_report_all_the_same(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    assert Watch([a_check("c")], keep=0).report().overall is State.OK
    assert "could not be kept" in caplog.text
