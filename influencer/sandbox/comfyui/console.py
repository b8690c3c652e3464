"""The lines a ComfyUI server would have printed, and who reads along."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from influencer.sandbox.comfyui.sockets import Hub

KEPT = 300


class Console:
    """The last 300 lines, oldest first. Subscribers get each entry as a `logs` frame."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.entries: deque[dict[str, str]] = deque(maxlen=KEPT)
        self.readers: set[str] = set()

    def say(self, line: str) -> None:
        self._write(f"{line}\n")

    def redraw(self, line: str) -> None:
        """Draw a progress bar over the one before; only the newest is kept, as in ComfyUI."""
        if self.entries and not self.entries[-1]["m"].endswith("\n"):
            self.entries.pop()
        self._write(f"\r{line}")

    def end_bar(self) -> None:
        self._write("\n")

    def subscribe(self, client_id: str, *, enabled: bool) -> None:
        """Begin or end sending entries to a client; one whose socket is gone is forgotten."""
        (self.readers.add if enabled else self.readers.discard)(client_id)

    def text(self) -> str:
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)

    def _write(self, message: str) -> None:
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        entry = {"t": now, "m": message}
        self.entries.append(entry)
        self.readers &= self.hub.connections.keys()
        for client_id in self.readers:
            self.hub.send("logs", {"entries": [entry], "size": None}, client_id)
