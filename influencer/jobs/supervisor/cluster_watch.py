"""How the clock, which can ask the database, tells the supervisor which clusters are stuck."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FILE = "clusters.json"
SILENT_AFTER = 60.0


@dataclass(frozen=True)
class Found:
    """The clusters that have gone silent, and how many seconds ago the clock looked."""

    stale: frozenset[str]
    age: float


def write(run: Path, stale: Collection[str]) -> None:
    """Leave word for the supervisor; the file's time says that the clock is awake."""
    draft = run / f"{FILE}.tmp"
    draft.write_text(json.dumps(sorted(stale)))
    os.replace(draft, run / FILE)


def read(run: Path) -> Found:
    """The last word; one that is missing or can't be read counts as a clock that sleeps."""
    path = run / FILE
    try:
        names = json.loads(path.read_bytes())
        age = time.time() - path.stat().st_mtime
    except (OSError, ValueError):
        return Found(frozenset(), float("inf"))
    # A word of a clock that stopped long ago says nothing about the clusters of now.
    return Found(frozenset(names) if age < SILENT_AFTER else frozenset(), age)
