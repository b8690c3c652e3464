"""How everything stands, in a sentence and in cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring import cards, checks
from monitoring.cards import Card
from monitoring.report import Report, State

TROUBLE = {State.DOWN: "is down", State.DEGRADED: "needs a look"}
MOST_NAMED = 2


@dataclass(frozen=True)
class Overview:
    """The whole status. `is_old`: somebody should look anew."""

    sentence: str
    tone: str
    cards: Sequence[Card]
    checked_at: datetime | None = None
    is_old: bool = True


def known() -> Overview:
    """What is known by now, at once, however old."""
    report = checks.everything.known()
    return of(report) if report else Overview("Checking", "", cards.waiting())


def look(*, fresh: bool) -> Overview:
    """A look that waits for the checks, 2.5 s at most."""
    return of(checks.everything.report(fresh=fresh))


def of(report: Report) -> Overview:
    found = cards.cards(report.results)
    troubles = list(_troubles(found))
    bad = any(card.state is State.DOWN or card.chip[1] == "bad" for card in found)
    return Overview(
        _sentence(troubles),
        "" if not troubles else "bad" if bad else "warn",
        found,
        report.checked_at,
        timezone.now() - report.checked_at > timedelta(seconds=checks.everything.keep),
    )


def _troubles(found: Sequence[Card]) -> Iterator[str]:
    """What is wrong, accounts counted together."""
    broken = sum(card.broken for card in found)
    if broken:
        yield f"{broken} account{' is' if broken == 1 else 's are'} broken"
    for card in found:
        if card.state in TROUBLE and not card.broken:
            yield f"{card.title} {TROUBLE[card.state]}"


def _sentence(troubles: Sequence[str]) -> str:
    if not troubles:
        return "Everything works"
    more = len(troubles) - MOST_NAMED
    named = ", ".join(troubles[:MOST_NAMED])
    return f"{named}, and {more} more" if more > 0 else named
