"""Saving a section of the settings: on top of what is in the file by now, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from django.utils import timezone
from django.utils.crypto import salted_hmac

from influencer import effective
from influencer.clients import addresses
from influencer.config import SETTABLE, ConfigError
from influencer.errors import Conflict, Invalid, Problem
from influencer.jobs.models import iso
from influencer.jsondb.keys import Row
from monitoring.crew import Crew
from monitoring.preferences.sections import Section

LOOK_UP_SECONDS = 2.5
CHANGED = "changed_since"

log = logging.getLogger(__name__)


def marks(section: Section, stored: Row) -> str:
    """A mark of each value, which tells nothing of it: to notice that someone else has saved."""
    return ".".join(_mark(name, stored.get(effective.KEYS[name])) for name in section.all_fields)


def changed_fields(section: Section, stored: Row, seen: str) -> list[str]:
    """The fields whose stored values are no longer those of the marks."""
    then = dict(zip(section.all_fields, seen.split("."), strict=False))
    now = dict(zip(section.all_fields, marks(section, stored).split("."), strict=True))
    return [name for name in section.all_fields if then.get(name) != now[name]]


def save(section: Section, changes: Mapping[str, Any], *, seen: str, by: str) -> None:
    """Store what changed: field → value, None to unset it. Secrets are sealed on the way.

    Raises `Invalid` for an address nothing may be sent to, `Conflict` (`changed_since`) when the
    section is no longer as `seen` (its marks), and what writing a file raises.
    """
    _check_addresses(changes)

    def change(stored: Row) -> None:
        if changed_fields(section, stored, seen):
            raise Conflict(f"Someone saved {section.title} while you were editing.", code=CHANGED)
        for name, value in changes.items():
            _put(stored, name, value)

    effective.SETTINGS.change(change)
    if changes:
        log.info("settings changed by %s: %s", by, ", ".join(effective.KEYS[name] for name in changes))


def _put(stored: Row, name: str, value: Any) -> None:
    key = effective.KEYS[name]
    if value is None:
        stored.pop(key, None)
    else:
        stored[key] = value
    if SETTABLE[name].secret:
        _note_time(stored, key, None if value is None else iso(timezone.now()))


def _note_time(stored: Row, key: str, moment: str | None) -> None:
    times = stored.pop(effective.SET_AT, None)
    times = {**times, key: moment} if isinstance(times, dict) else {key: moment}
    if times := {name: at for name, at in times.items() if at is not None}:
        stored[effective.SET_AT] = times


def _check_addresses(changes: Mapping[str, Any]) -> None:
    """Names are looked up, for a moment only: what could not be is checked again at every use."""
    for name, value in changes.items():
        if value and SETTABLE[name].address:
            urls = value if isinstance(value, list) else [value]
            if fault := _first_fault(urls):
                raise Invalid(fault, fields={name: [fault]}, code="refused_address")


def _first_fault(urls: Iterable[str]) -> str:
    crew: Crew[str] = Crew("address")
    calls = {str(number): partial(addresses.fault, url) for number, url in enumerate(urls)}
    found = crew.run(calls, LOOK_UP_SECONDS)
    return next((fault for number in calls if (fault := found.get(number, ""))), "")


def _mark(name: str, value: Any) -> str:
    """The same before and after a plain secret is sealed."""
    with suppress(ConfigError, Problem):
        value = effective.text_of(name, value)
    content = orjson.dumps([name, value]).decode()
    return salted_hmac(__name__, content, algorithm="sha256").hexdigest()[:12]
