"""The time zone of the dashboard: fixed by the environment, else chosen, else the host's."""

from __future__ import annotations

import zoneinfo
from functools import cache

from influencer import effective
from influencer.errors import Invalid


@cache
def names() -> list[str]:
    """Every zone a person may choose, by region."""
    legacy = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    known = zoneinfo.available_timezones()
    return sorted(name for name in known if "/" in name and not name.startswith(legacy)) + ["UTC"]


def current() -> zoneinfo.ZoneInfo:
    """The zone times are shown in. A settings file nobody can read leaves the host's."""
    return zoneinfo.ZoneInfo(effective.config().time_zone)


def choose(name: str) -> None:
    """Keep the chosen zone in `settings.json`. Raises `Invalid` for a name that is no zone."""
    if name not in zoneinfo.available_timezones():
        raise Invalid(
            f"'{name}' is no time zone; try Europe/Madrid.", fields={"time_zone": ["Choose a zone."]}
        )

    def keep(document: dict[str, object]) -> None:
        document[effective.KEYS["time_zone"]] = name

    effective.SETTINGS.change(keep)
