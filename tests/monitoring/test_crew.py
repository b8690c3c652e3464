"""Calls side by side: whoever hangs or breaks is left behind."""

from __future__ import annotations

import threading

import pytest

from monitoring.crew import Crew


def test_what_each_gave_comes_back_by_name() -> None:
    assert Crew[int]("test").run({"one": lambda: 1, "two": lambda: 2}, 5) == {"one": 1, "two": 2}


def test_they_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=5)
    calls = {"one": lambda: meeting.wait() >= 0, "two": lambda: meeting.wait() >= 0}
    assert Crew[bool]("test").run(calls, 5) == {"one": True, "two": True}


def test_one_that_breaks_is_missing_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> int:
        raise RuntimeError("the cause")

    assert Crew[int]("test").run({"broken": broken, "fine": lambda: 1}, 5) == {"fine": 1}
    assert "test: broken failed" in caplog.text
    assert "the cause" in caplog.text


def test_one_that_hangs_is_not_waited_for_and_not_started_twice() -> None:
    crew, go_on, started = Crew[int]("test"), threading.Event(), []

    def hanging() -> int:
        started.append(1)
        go_on.wait(20)
        return 7

    assert crew.run({"hanging": hanging, "fine": lambda: 1}, 0.05) == {"fine": 1}
    assert crew.run({"hanging": hanging}, 0.05) == {}
    assert len(started) == 1
    go_on.set()
    crew._at_work["hanging"].join(5)
    assert crew.run({"hanging": hanging}, 5) == {"hanging": 7}
    assert len(started) == 2
