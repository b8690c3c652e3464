"""Moments in words: relative for the eye, exact for the title."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

MINUTE, HOUR, DAY = 60, 3600, 86400


def exact(moment: datetime) -> str:
    """ "14 May 2026, 12:58:04 Europe/Madrid", in the current time zone."""
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y, %H:%M:%S} {timezone.get_current_timezone_name()}"


def relative(moment: datetime, now: datetime) -> str:
    """ "3 h ago", "yesterday", "in 5 min", "today 18:00": as short as stays clear."""
    seconds = (moment - now).total_seconds()
    return _past(moment, now, -seconds) if seconds <= 0 else _future(moment, now, seconds)


def _past(moment: datetime, now: datetime, seconds: float) -> str:
    days = _days_between(moment, now)
    if seconds < 5:
        return "just now"
    if seconds < HOUR:
        return f"{_short(seconds)} ago"
    if days == 0 or seconds < 6 * HOUR:
        return f"{int(seconds // HOUR)} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} d ago" if days < 14 else _date(moment, now)


def _future(moment: datetime, now: datetime, seconds: float) -> str:
    days, local = -_days_between(moment, now), timezone.localtime(moment)
    if seconds < HOUR:
        return f"in {_short(seconds)}"
    if days <= 1:
        return f"{'tomorrow' if days else 'today'} {local:%H:%M}"
    return f"{local:%a %H:%M}" if days < 7 else f"{_date(moment, now)}, {local:%H:%M}"


def _short(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < MINUTE else f"{int(seconds // MINUTE)} min"


def _date(moment: datetime, now: datetime) -> str:
    local = timezone.localtime(moment)
    year = "" if local.year == timezone.localtime(now).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


def _days_between(moment: datetime, now: datetime) -> int:
    return (timezone.localtime(now).date() - timezone.localtime(moment).date()).days
