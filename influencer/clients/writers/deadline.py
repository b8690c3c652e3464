"""A limit on the whole of a call: name look-up, sending, and an answer that only trickles in.

The SDKs' own limits count anew with each piece that arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class TimeIsUp(Exception):
    """The call did not end in time; its thread is left behind and ends with its connection."""


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises, at the latest after `seconds`. Raises `TimeIsUp`."""
    done = threading.Event()
    results: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            failures.append(error)
        done.set()

    threading.Thread(target=run, daemon=True, name="writer").start()
    if not done.wait(seconds):
        raise TimeIsUp
    if failures:
        raise failures[0]
    return results[0]
