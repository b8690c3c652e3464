"""Between the clock on the wall and the moments of the world, through both summer-time changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

# From a time on the wall, the later ones in order: both without a zone.
Walls = Callable[[datetime], Iterable[datetime]]

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HORIZON = timedelta(days=40)
END = datetime(9000, 1, 1, tzinfo=UTC)
# A moment outside of these can't be shown by every clock.
YEARS = range(1970, 3000)


def shown_at(moment: datetime, zone: tzinfo) -> datetime:
    """What the clock on the wall shows, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def moment_of(wall: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) at which a clock on the wall shows this.

    Of two in autumn the first; a time spring leaves out is the first moment after the gap.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown_at(moment, zone) == wall:
        return moment
    earlier = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change(earlier, moment, zone)


def once_each(walls: Walls, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The moments of fixed times: each once, however often the clock shows it or not at all."""
    last = after
    for wall in walls(shown_at(after, zone)):
        moment = moment_of(wall, zone)
        if moment > last:
            last = moment
            yield moment


def as_shown(walls: Walls, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The moments at which the clock really shows such a time: for what follows the passing hours.

    Twice where autumn repeats an hour, not at all where spring leaves it out.
    """
    start, begin = after, shown_at(after, zone)
    while start < END:
        end = _next_change(start, zone)
        offset = _offset(start, zone)
        for wall in walls(begin):
            moment = (wall - offset).replace(tzinfo=UTC)
            if moment >= end:
                break
            yield moment
        start, begin = end, shown_at(end, zone) - SECOND


def _next_change(start: datetime, zone: tzinfo) -> datetime:
    """When the offset changes next, or the horizon when it does not until there."""
    offset, day = _offset(start, zone), start
    while day < start + HORIZON:
        if _offset(day + DAY, zone) != offset:
            return _change(day, day + DAY, zone)
        day += DAY
    return day


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second with another offset than `before` has; there is one by `after`."""
    before, offset = before.replace(microsecond=0), _offset(before, zone)
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
