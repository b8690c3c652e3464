"""Whether the settings have switched the sandbox off, while `up` runs. Standard library only, as its loop."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Switch:
    """What `settings.json` says, read again when it has changed; one nobody can read changes nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._off = False

    def is_off(self) -> bool:
        try:
            found = os.stat(self._file)
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._seen:
                self._off = json.loads(self._file.read_bytes())["sandbox"] == "off"
                self._seen = stamp
        except (KeyError, FileNotFoundError):
            self._off = False
        except (OSError, ValueError, TypeError):
            pass
        return self._off
