"""Noticing that `settings.json` was changed, by the page or by hand: which settings, never what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from influencer import effective, paths
from monitoring import events
from monitoring.models import Kind


class SettingsWatch:
    """Compares the file with what it held at the last look."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Any] | None = None

    def look(self) -> None:
        """Write an event when something has changed since the last look; the first one only learns."""
        found = _read()
        if found is None:  # damaged, or half written by hand: the database's check tells that
            return
        before, self._seen = self._seen, found
        changed = sorted(_changed(before, found)) if before is not None else []
        if changed:
            events.record(Kind.SETTINGS, f"Settings changed: {', '.join(changed)}")


def _read() -> Mapping[str, Any] | None:
    """The settings by name; None when the file can't be read."""
    try:
        content = orjson.loads((paths.data_dir() / effective.FILE).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    return {name: value for name, value in content.items() if name != effective.SET_AT}


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    missing = object()
    for name in {*before, *now}:
        if before.get(name, missing) != now.get(name, missing):
            yield name
