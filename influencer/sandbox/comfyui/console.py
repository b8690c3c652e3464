"""The lines a ComfyUI server would have printed."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

KEPT = 300


class Console:
    """The last 300 lines, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[dict[str, str]] = deque(maxlen=KEPT)

    def say(self, line: str) -> None:
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        self.entries.append({"t": now, "m": f"{line}\n"})

    def text(self) -> str:
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)
