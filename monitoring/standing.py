"""How each service stands, as the log of events knows it: it went down, it came back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Max

from influencer.jobs.pace import pace
from monitoring import events
from monitoring.models import Event, Kind, Level
from monitoring.report import Check, Report, Result, State

log = logging.getLogger(__name__)

_awake_since = time.monotonic()

LEVELS = {State.DOWN: Level.BAD, State.DEGRADED: Level.WARN}


def settled() -> bool:
    """Whether everything that starts with this process has had the time to: before, nothing is news."""
    return time.monotonic() - _awake_since >= pace().silence


def note(report: Report, checks: Sequence[Check]) -> None:
    """Write down which of the checks stand differently now; where nothing has changed, only read."""
    try:
        if any(_changes(report, checks)):
            with transaction.atomic():
                for check, result, before in list(_changes(report, checks)):
                    _record(check, result, before)
    except DatabaseError as error:  # it may be the database itself that is down
        log.warning("how the services stand could not be noted: %s", error)


Change = tuple[Check, Result, Event | None]


def _changes(report: Report, checks: Sequence[Check]) -> Iterator[Change]:
    known = _last([check.name for check in checks])
    for check in checks:
        result, before = report.results[check.name], known.get(check.name)
        if _level(result) != (before.level if before else Level.OK):
            yield check, result, before


def _last(names: Sequence[str]) -> dict[str, Event]:
    """What the log said last of each of them."""
    said = Event.objects.filter(kind=Kind.SERVICE, subject__in=names).order_by()
    newest = said.values("subject").annotate(newest=Max("pk")).values("newest")
    return {event.subject: event for event in Event.objects.filter(pk__in=newest)}


def _level(result: Result) -> Level:
    return LEVELS.get(result.state, Level.OK)


def _record(check: Check, result: Result, before: Event | None) -> None:
    level = _level(result)
    lasted = (result.checked_at - _began(check, before)).total_seconds() if before else None
    text = f"{check.label}: all well again." if level is Level.OK else f"{check.label}: {result.message}"
    events.record(
        Kind.SERVICE, text, level, service=check.label, subject=check.name, seconds=_after(level, lasted)
    )


def _began(check: Check, before: Event) -> datetime:
    """When the trouble began: the first line since all was well."""
    said = Event.objects.filter(kind=Kind.SERVICE, subject=check.name)
    well = said.filter(level=Level.OK).order_by("-pk").values_list("pk", flat=True).first() or 0
    first = said.filter(pk__gt=well).order_by("pk").values_list("at", flat=True).first()
    return first or before.at


def _after(level: Level, lasted: float | None) -> float | None:
    """How long the trouble lasted, told once it is over."""
    return max(0.0, lasted) if level is Level.OK and lasted is not None else None
