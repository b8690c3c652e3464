from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ

from influencer import paths
from influencer.jobs import clock, health, services
from influencer.jobs.models import Beat, JobState
from tests.influencer.jobs.factories import a_job, a_kind, abandoned

NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_ticks", [])


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.django_db
def test_one_tick_dispatches_sweeps_beats_and_asks() -> None:
    due = services.start(a_kind(), not_before=timezone.now() + timedelta(seconds=1))
    dead = abandoned(a_job())
    now = timezone.now() + timedelta(seconds=2)
    clock.tick(now)
    assert {services.get(job.id).state for job in (due, dead)} == {JobState.QUEUED}
    assert health.clock_beat() == now
    assert set(Beat.objects.filter(asked_at=now).values_list("name", flat=True)) == {"default", "gpu"}


def test_each_turn_is_taken_at_its_own_pace() -> None:
    calls: list[tuple[str, float]] = []
    watch = clock.Clock()
    watch.turns = [
        clock.Turn(name, lambda now, name=name: calls.append((name, (now - NOW).total_seconds())), every)
        for name, every in (("often", 0.5), ("seldom", 5.0))
    ]
    for seconds in (0, 0.2, 0.5, 1, 4.9, 5):
        watch.look(after(seconds))
    assert [at for name, at in calls if name == "often"] == [0, 0.5, 1, 4.9]
    assert [at for name, at in calls if name == "seldom"] == [0, 5]


def test_a_wall_clock_set_back_delays_nothing() -> None:
    turn = clock.Turn("turn", lambda now: None, 5)
    turn.take(after(3600))
    assert turn.is_due(after(0))


def test_what_goes_wrong_in_one_turn_does_not_keep_the_others_from_theirs(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime] = []

    def broken(now: datetime) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(clock, "own_turns", lambda: [clock.Turn("broken", broken, 1)])
    clock.register_tick(done.append, every=1)
    clock.tick(NOW)
    assert done == [NOW]
    assert "broken failed" in caplog.text


def test_a_tick_is_registered_once() -> None:
    def schedule(now: datetime) -> None: ...

    clock.register_tick(schedule)
    clock.register_tick(schedule)
    assert len(clock.Clock().turns) == len(clock.own_turns()) + 1


def test_only_one_clock_leads_and_another_stands_by(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = paths.run() / "clock.lock"
    stop = threading.Event()
    looked: list[datetime] = []
    monkeypatch.setattr(clock.Clock, "look", lambda self, now: looked.append(now))
    with clock._Lead(lock) as leader:
        assert leader.take()
        with clock._Lead(lock) as second:
            assert not second.take()
        standby = threading.Timer(0.05, stop.set)
        standby.start()
        clock.run(stop)
    assert not looked


@pytest.mark.django_db(transaction=True)
def test_the_clock_runs_until_it_is_told_to_stop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOBS = {"dispatch": 0.01}
    stop = threading.Event()
    health.ask("gpu", timezone.now() - timedelta(hours=1))
    looks: list[datetime] = []

    def look(self: clock.Clock, now: datetime) -> None:
        looks.append(now)
        if len(looks) == 3:
            stop.set()

    monkeypatch.setattr(clock.Clock, "look", look)
    clock.run(stop)
    assert len(looks) == 3
    assert health.stale_clusters() == [], "it starts with a fresh question"


@pytest.mark.django_db
def test_canaries_never_pile_up() -> None:
    for seconds in range(0, 600, 15):
        clock._ask_all(after(seconds))
    assert OrmQ.objects.count() == 2
