"""What one sandbox process is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SandboxSettings:
    """Settings of one sandbox process.

    `data` is the sandbox's own folder, `app_url` the dashboard it stands beside,
    `key` the secret of the control endpoint. At `speed` 1.0 an image of 20 steps
    takes about 4 s; 20.0 is twenty times as fast.
    """

    data: Path
    app_url: str = "http://127.0.0.1:8000"
    key: str = field(default="", repr=False)
    speed: float = 1.0
    port: int = 0
