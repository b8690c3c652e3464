"""The clock: what is to happen at its time, looked at twice a second by one process."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection
from django.utils import timezone

from influencer import paths
from influencer.jobs import health, retention, sweep
from influencer.jobs.pace import clusters, pace

log = logging.getLogger(__name__)

Tick = Callable[[datetime], object]

_ticks: list[Turn] = []


@dataclass
class Turn:
    """Something done every so many seconds."""

    name: str
    do: Tick
    every: float
    last: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        # A wall clock set back must not make anything wait for it to catch up.
        return self.last is None or not 0 <= (now - self.last).total_seconds() < self.every

    def take(self, now: datetime) -> None:
        """Do it; what goes wrong is logged and the rest goes on."""
        self.last = now
        try:
            self.do(now)
        except Exception:  # the clock never stops for one of its turns
            log.exception("clock: %s failed", self.name)
            connection.close()


def register_tick(do: Tick, *, every: float = 1.0) -> None:
    """Have the clock call `do(now)` every so many seconds; calls may overlap those of another process."""
    if all(turn.do is not do for turn in _ticks):
        _ticks.append(Turn(getattr(do, "__qualname__", repr(do)), do, every))


def tick(now: datetime) -> None:
    """Everything the clock does, once, as of `now`."""
    for turn in [*own_turns(), *_ticks]:
        turn.take(now)


def own_turns() -> list[Turn]:
    """What the clock does by itself, in this order."""
    every = pace()
    return [
        Turn("dispatch", sweep.dispatch_due, every.dispatch),
        Turn("sweep", _sweep, every.sweep),
        Turn("canaries", _ask_all, every.canary),
        Turn("prune", sweep.prune, 3600),
        Turn("forget", retention.forget, 3600),
    ]


class Clock:
    """Takes each turn when it is due; `look(now)` is all there is to it."""

    def __init__(self) -> None:
        self.turns = [*own_turns(), *_ticks]

    def look(self, now: datetime) -> None:
        for turn in self.turns:
            if turn.is_due(now):
                turn.take(now)


def run(stop: threading.Event) -> None:
    """Be the clock until `stop` is set; while another process is, stand by."""
    with _Lead(paths.run() / "clock.lock") as lead:
        while not lead.take():
            if stop.wait(1):
                return
        log.info("clock: started")
        Turn("start", health.forget_questions, 0).take(timezone.now())
        clock = Clock()
        while not stop.is_set():
            clock.look(timezone.now())
            stop.wait(pace().dispatch)
    log.info("clock: stopped")


def _sweep(now: datetime) -> None:
    health.beat(health.CLOCK, now)
    sweep.sweep(now)


def _ask_all(now: datetime) -> None:
    for cluster in clusters():
        health.ask(cluster, now)


class _Lead:
    """The lock only one clock holds; the system frees it when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> _Lead:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
