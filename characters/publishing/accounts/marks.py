"""Tells secrets apart and gives none away."""

from __future__ import annotations

import hashlib

from django.conf import settings

from influencer import vault


def mark(secret: str) -> str:
    """A keyed hash of it, so that nobody can try guesses against what is kept."""
    key = vault.derive(settings.INFLUENCER.master_key, "marks of tokens")
    return hashlib.blake2b(secret.encode(), key=key, digest_size=16).hexdigest()
