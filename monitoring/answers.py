"""What services outside have said, and how soon they are asked again: not on every look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

# How long an answer is good, in seconds: a good one, a bad one, and either when the person asks anew.
GOOD_FOR, BAD_FOR, FRESH_FOR = 600.0, 60.0, 15.0


@dataclass(frozen=True)
class Answer:
    """What was said, or in words what is wrong; and when."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    at: float = field(default_factory=time.monotonic)
    moment: datetime = field(default_factory=timezone.now)

    def is_due(self, fresh: bool) -> bool:
        """Whether to ask again; with `fresh` sooner."""
        age = time.monotonic() - self.at
        return age > (FRESH_FOR if fresh else BAD_FOR if self.error else GOOD_FOR)
