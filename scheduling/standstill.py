"""When the tasks were not looked after: the product was off, or its computer asleep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from influencer.jobs import health
from influencer.jobs.models import Beat
from scheduling.firing import GRACE

# Signs of life, by name: of the last look, and both ends of the last time there was none for long.
LOOKED, STOPPED, WENT_ON = "tasks looked after", "tasks left alone", "tasks looked after again"
NOTED_EVERY = timedelta(seconds=20)


@dataclass(frozen=True)
class Standstill:
    """From the last look before it to the first one after."""

    since: datetime
    until: datetime


def note(now: datetime) -> None:
    """A turn of the clock: note that it looks, and when it did not for long."""
    last = _seen(LOOKED)
    if last is not None and now - last > GRACE + NOTED_EVERY:
        health.beat(STOPPED, last)
        health.beat(WENT_ON, now)
    health.beat(LOOKED, now)


def of(dues: Iterable[datetime]) -> Standstill | None:
    """The last one, if one of these runs fell into it."""
    since, until = _seen(STOPPED), _seen(WENT_ON)
    if since is None or until is None or not any(since <= due <= until for due in dues):
        return None
    return Standstill(since, until)


def _seen(name: str) -> datetime | None:
    return Beat.objects.filter(name=name).values_list("seen_at", flat=True).first()
