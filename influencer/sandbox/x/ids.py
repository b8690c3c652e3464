"""Ids of 19 digits that rise with time, as X makes them."""

from __future__ import annotations

import secrets

from influencer.sandbox.store import Store

EPOCH_MS = 1_288_834_974_657


def new_id(store: Store) -> str:
    return str((int(store.now() * 1000) - EPOCH_MS << 22) + secrets.randbelow(1 << 22))
