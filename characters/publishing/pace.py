"""How long publishing waits for what (`settings.PUBLISHING` may shorten it for drills)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Pace:
    # Before another try of what is safe to repeat.
    backoff: tuple[float, ...] = (5.0, 20.0, 60.0)
    # After an answer was lost: when the platform is asked whether the post exists. Timelines lag a little.
    looks: tuple[float, ...] = (5.0, 20.0, 60.0)
    # Between two posts of one account: X allows 100 in 15 minutes.
    gap: float = 10.0
    # While one post tries whether a held account works again, the others wait that long.
    probe: float = 120.0
    # For posts whose job has ended without them.
    sweep: float = 30.0


def pace() -> Pace:
    return Pace(**getattr(settings, "PUBLISHING", {}))
