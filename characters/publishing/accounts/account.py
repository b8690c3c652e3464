"""What an account is: one character on one platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from characters.publishing.standing_models import URGENT_DAYS, AccountStanding
from influencer.clients.platform import Platform

NAMES = {Platform.INSTAGRAM: "Instagram", Platform.X: "X"}
SANDBOX = "sandbox:"
Kind = Literal["real", "sandbox", "none"]
CHIPS: dict[Kind, tuple[str, str]] = {
    "real": ("set", "ok"),
    "sandbox": ("sandbox", "sandbox"),
    "none": ("no account", "warn"),
}


@dataclass(frozen=True)
class Account:
    """One character on one platform. `key` tells accounts apart in the ledger, `note` says why."""

    platform: Platform
    kind: Kind
    handle: str
    key: str = ""
    note: str = ""
    standing: AccountStanding | None = None

    @property
    def name(self) -> str:
        return NAMES[self.platform]

    @property
    def sandbox(self) -> bool:
        return self.kind == "sandbox"

    @property
    def bare_handle(self) -> str:
        return self.handle.lstrip("@")

    @property
    def icon(self) -> str:
        return "x-platform" if self.platform is Platform.X else "instagram"

    @property
    def chip(self) -> tuple[str, str]:
        """Word and kind of the chip on a card."""
        trouble = self._trouble(self.standing) if self.standing else None
        return trouble or CHIPS[self.kind]

    def _trouble(self, standing: AccountStanding) -> tuple[str, str] | None:
        """The chip of an account that is not simply there; practice knows no tokens."""
        if standing.is_paused:
            return "paused", "bad"
        if self.kind == "real" and standing.is_broken:
            return "broken", "bad"
        if standing.held():
            return "waits", "warn"
        if self.kind != "real":
            return None
        if standing.expires_soon:
            days = standing.days_left or 0
            word = f"expires in {days} d{standing.guess}" if days > 0 else "may have expired"
            return word, "bad" if days == URGENT_DAYS else "warn"
        return ("ok", "ok") if standing.last_ok_at else None
