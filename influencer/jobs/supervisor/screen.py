"""The one screen `up` shows."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Facts:
    """What a person wants to know once everything runs."""

    address: str
    data: Path
    log: Path | None = None
    sandboxed: Sequence[str] = ()
    setup_link: str = field(default="", repr=False)
    elsewhere: Sequence[str] = ()


def compose(facts: Facts) -> str:
    rows = [("Open", facts.address)]
    rows += [("or", address) for address in facts.elsewhere]
    if facts.setup_link:
        rows.append(("Set up", f"{facts.setup_link}  (once, within 1 hour)"))
    rows.append(("Sandbox", _sandbox(facts.sandboxed)))
    rows.append(("Data", str(facts.data)))
    if facts.log:
        rows.append(("Log", str(facts.log)))
    rows.append(("Stop", "Ctrl-C"))
    lines = [f"  {label:<9}{value}" for label, value in rows]
    return "\n".join(["", "  Influencer runs.", "", *lines, "", ""])


def _sandbox(names: Sequence[str]) -> str:
    if not names:
        return "off"
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"stands in for {listed}; nothing reaches a real account without credentials"


def addresses(host: str, port: int) -> list[str]:
    """Where else this machine is reached when it listens everywhere."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104
        return []
    return [f"http://{address}:{port}" for address in [_lan_address()] if address]


def _lan_address() -> str:
    """The address other machines see, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # set aside for documentation (RFC 5737)
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address
