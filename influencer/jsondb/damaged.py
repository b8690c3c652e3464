"""A file that can't be used: what is wrong with it, and getting the last good copy back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .errors import StoreDamaged

LAST_GOOD = "last good copy"
BACKUP = ".bak"


@dataclass(frozen=True)
class Damage:
    """What keeps a file from being written; `reading_from` is empty when nothing can be read either."""

    file: str
    reason: str
    since: datetime
    reading_from: str
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        return f" at line {self.line}, column {self.column}" if self.line and self.column else ""

    def problem(self) -> StoreDamaged:
        return StoreDamaged(
            f"{self.file} can't be used{self.place}: {self.reason} "
            "Mend the file, or restore its last good copy.",
            retryable=False,
            details={"file": self.file, "line": self.line, "column": self.column, "reason": self.reason},
        )
