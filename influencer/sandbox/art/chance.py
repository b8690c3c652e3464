"""Chance that repeats itself."""

from __future__ import annotations

import random


def seeded(seed: int | str | bytes) -> random.Random:
    """A generator of its own; the same seed gives the same numbers."""
    return random.Random(seed)  # noqa: S311 - for pictures, not for secrets
