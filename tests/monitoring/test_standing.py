"""Services that go down and come back are written down once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from monitoring import standing
from monitoring.models import Event, Kind
from monitoring.report import Check, Finding, Report, Result, State

pytestmark = pytest.mark.django_db

COMFYUI = Check("comfyui", "ComfyUI", lambda fresh: Finding(State.OK, ""))
X = Check("x", "X", lambda fresh: Finding(State.OK, ""))


def note(at: datetime | None = None, **states: State) -> None:
    at = at or timezone.now()
    results = {name: Result(Finding(state, f"It is {state}."), at, None) for name, state in states.items()}
    standing.note(Report(results, at), [check for check in (COMFYUI, X) if check.name in states])


def lines() -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in Event.objects.order_by("pk")]


def test_all_well_from_the_start_is_not_worth_a_line() -> None:
    note(comfyui=State.OK, x=State.SANDBOX)
    note(comfyui=State.UNCONFIGURED)
    assert lines() == []


def test_down_and_back_are_two_lines_with_how_long_it_lasted() -> None:
    began = timezone.now() - timedelta(minutes=5)
    note(comfyui=State.DOWN, x=State.OK)
    Event.objects.update(at=began)
    note(comfyui=State.DOWN, x=State.OK)
    note(comfyui=State.OK, x=State.OK)
    note(comfyui=State.OK, x=State.OK)
    assert lines() == [("bad", "ComfyUI: It is down."), ("ok", "ComfyUI: all well again.")]
    assert (Event.objects.latest("pk").seconds or 0) >= 299


def test_worse_and_better_on_the_way_are_lines_and_it_lasted_all_the_time() -> None:
    note(x=State.DEGRADED)
    Event.objects.update(at=timezone.now() - timedelta(minutes=9))
    note(x=State.DOWN)
    note(x=State.OK)
    assert [level for level, _ in lines()] == ["warn", "bad", "ok"]
    assert (Event.objects.latest("pk").seconds or 0) >= 539
    assert set(Event.objects.values_list("kind", "subject")) == {(Kind.SERVICE, "x")}


def test_it_can_go_down_again() -> None:
    for state in (State.DOWN, State.OK, State.DOWN):
        note(x=state)
    assert [level for level, _ in lines()] == ["bad", "ok", "bad"]


def test_a_database_that_is_down_itself_stops_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr("monitoring.events.record", broken)
    note(x=State.DOWN)
