"""The life of a token: 60 days from its first use, renewable from its second day on.

A Page token (`EAA-PAGE…`) does not end by time, and neither does one of the sandbox's own
(`…SANDBOX-<handle>`): practising goes on for longer than 60 days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from influencer.sandbox.instagram.access import (
    INSTAGRAM_SCOPES,
    OWN_ID,
    SERVICE,
    Params,
    check_magic,
    is_magic,
)
from influencer.sandbox.instagram.answers import (
    APP_SECRET,
    BAD_TOKEN,
    INVALID,
    NO_APP_TOKEN,
    TOO_YOUNG,
    Refused,
    expired,
)
from influencer.sandbox.store import DAY, HANDLE, Store, digest

LIFE_SECONDS = 5_183_944
PAGE_TOKEN = "EAA-PAGE"  # noqa: S105 - how such a token begins
FACEBOOK_SCOPES = ("instagram_basic", "instagram_content_publish", "pages_read_engagement", "pages_show_list")
GENERATION = re.compile(r"\.r(\d+)")
SCHEMA = "CREATE TABLE IF NOT EXISTS token_lives (token TEXT PRIMARY KEY, born REAL NOT NULL, ends REAL)"


@dataclass(frozen=True)
class Life:
    """When a token was first used, and when it ends; None: never by time."""

    born: float
    ends: float | None


class Tokens:
    """What is known of the tokens this stand-in was sent; of each only its hash is kept."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.db.execute(SCHEMA)

    def life(self, token: str) -> Life:
        """The token's life, which begins at its first use."""
        now, known = self.store.now(), digest(token)
        endless = token.startswith(PAGE_TOKEN) or HANDLE.search(token)
        ends = None if endless else now + LIFE_SECONDS
        self.store.db.execute(
            "INSERT OR IGNORE INTO token_lives VALUES (?, ?, ?)", (digest(token), now, ends)
        )
        row = self.store.db.execute("SELECT born, ends FROM token_lives WHERE token = ?", (known,)).fetchone()
        return Life(row["born"], row["ends"])

    def check(self, token: str) -> Life:
        """Raises `Refused` (190/463) when its time is over."""
        life = self.life(token)
        if life.ends is not None and life.ends <= self.store.now():
            raise expired(self.store.now())
        return life

    def refresh(self, token: str) -> dict[str, Any]:
        """`ig_refresh_token`. Raises `Refused` for one that is younger than a day."""
        if self.store.now() - self.check(token).born < DAY:
            raise Refused(TOO_YOUNG)
        return self._renewed(token) | {"permissions": INSTAGRAM_SCOPES}

    def exchange(self, params: Params) -> dict[str, Any]:
        """`fb_exchange_token`, as the app that was named. Raises `Refused`."""
        for name in ("client_id", "client_secret", "fb_exchange_token"):
            if not params.get(name):
                raise Refused(INVALID, text=f"The parameter {name} is required")
        if str(params["client_secret"]).startswith("WRONG"):
            raise Refused(APP_SECRET)
        token = str(params["fb_exchange_token"])
        if not token.startswith("EAA"):
            raise Refused(BAD_TOKEN)
        check_magic(token, writes=False, store=self.store)
        self.check(token)
        return self._renewed(token)

    def _renewed(self, token: str) -> dict[str, Any]:
        """Another token for the same accounts; the old one lives until its own end."""
        fresh = _next_generation(token)
        now = self.store.now()
        self.store.db.execute(
            "INSERT OR REPLACE INTO token_lives VALUES (?, ?, ?)", (digest(fresh), now, now + LIFE_SECONDS)
        )
        for account in reversed(self.store.claimed(SERVICE, token)):
            self.store.claim(SERVICE, fresh, account)
        return {"access_token": fresh, "token_type": "bearer", "expires_in": LIFE_SECONDS}

    def described(self, params: Params) -> dict[str, Any]:
        """`debug_token`: asked with `<app id>|<app secret>` about `input_token`. Raises `Refused`."""
        app_id, _, secret = str(params.get("access_token", "")).partition("|")
        if not app_id or not secret or secret.startswith("WRONG"):
            raise Refused(NO_APP_TOKEN)
        token = str(params.get("input_token", ""))
        if not token.startswith("EAA"):
            raise Refused(INVALID, text="The parameter input_token is required")
        return {"data": {"app_id": app_id, "application": "Sandbox", **self._facts(token)}}

    def _facts(self, token: str) -> dict[str, Any]:
        life = self.life(token)
        over = life.ends is not None and life.ends <= self.store.now()
        own = OWN_ID.match(token)
        return {
            "type": "PAGE" if token.startswith(PAGE_TOKEN) else "USER",
            "is_valid": not (over or is_magic(token, "EXPIRED") or is_magic(token, "REVOKED")),
            "issued_at": int(life.born),
            "expires_at": int(life.ends or 0),
            "data_access_expires_at": int(life.born) + 90 * DAY,
            "scopes": list(FACEBOOK_SCOPES),
            "user_id": own[1] if own else "10000000000000000",
        }


def _next_generation(token: str) -> str:
    """The same words with another number in front of the handle, so that one sees it is another token."""
    known = GENERATION.search(token)
    if known:
        return GENERATION.sub(f".r{int(known[1]) + 1}", token, count=1)
    return re.sub(r"^(IGAA|IGQV|EAA)", r"\1.r1", token)
