"""X's rate limits: counted down per account and call, windows of 15 minutes."""

from __future__ import annotations

from dataclasses import dataclass

from influencer.sandbox.store import DAY, Store
from influencer.sandbox.x import problems
from influencer.sandbox.x.access import SERVICE, Caller, day_headers, rate_headers

WINDOW_SECONDS = 900
PER_WINDOW = {
    "upload": 500,
    "alt_text": 500,
    "me": 75,
    "timeline": 900,
    "lookup": 900,
    "delete": 50,
}


@dataclass(frozen=True)
class Rate:
    """What is left in the window; `reset` in real seconds since 1970."""

    limit: int
    remaining: int
    reset: float
    exceeded: bool

    def headers(self) -> dict[str, str]:
        return rate_headers(limit=self.limit, remaining=self.remaining, reset=self.reset)


def spend(store: Store, caller: Caller, call: str) -> Rate:
    """Use up one call of the window."""
    limit = int(store.limit("x_posts_per_window")) if call == "tweet" else PER_WINDOW[call]
    now = store.now()
    row = store.db.execute(
        "SELECT started, used FROM windows WHERE account = ? AND call = ?", (caller.name, call)
    ).fetchone()
    fresh = row is None or now >= row["started"] + WINDOW_SECONDS
    started, used = (now, 1) if fresh else (row["started"], row["used"] + 1)
    store.db.execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)", (caller.name, call, started, used))
    reset = started + WINDOW_SECONDS - store.clock_ahead()
    return Rate(limit, max(0, limit - used), reset, exceeded=used > limit)


def posting_day(store: Store, caller: Caller, *, spent: bool = False) -> dict[str, str]:
    """The 24-hour headers; raises `Refused` (429) when nothing is left. `spent`: just look."""
    posted = store.posted_since(SERVICE, caller.account_id, store.now() - DAY)
    limit = int(store.limit("x_posts_per_day"))
    oldest = posted[0] if posted else store.now()
    headers = day_headers(
        limit=limit, remaining=max(0, limit - len(posted)), reset=oldest + DAY - store.clock_ahead()
    )
    if len(posted) >= limit and not spent:
        raise problems.too_many(headers)
    return headers
