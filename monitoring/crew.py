"""Calls made side by side with one time limit for all: whoever hangs is left behind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from django.db import connections

log = logging.getLogger(__name__)

T = TypeVar("T")


class Crew(Generic[T]):
    """Runs named calls in threads of their own. One that still hangs from before is not started again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._at_work: dict[str, threading.Thread] = {}

    def run(self, calls: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T]:
        """What each call gave, by its name; one that hangs or raises is missing."""
        given: dict[str, T] = {}
        deadline = time.monotonic() + seconds
        for name, call in calls.items():
            if name not in self._at_work or not self._at_work[name].is_alive():
                self._at_work[name] = self._start(name, call, given)
        for name in calls:
            self._at_work[name].join(max(0.0, deadline - time.monotonic()))
        # A copy: who comes late still writes into the other.
        return dict(given)

    def _start(self, name: str, call: Callable[[], T], given: dict[str, T]) -> threading.Thread:
        def work() -> None:
            try:
                given[name] = call()
            except Exception:  # a check that breaks must not take the others with it
                log.exception("%s: %s failed", self._name, name)
            finally:
                connections.close_all()

        thread = threading.Thread(target=work, name=f"{self._name} {name}", daemon=True)
        thread.start()
        return thread
