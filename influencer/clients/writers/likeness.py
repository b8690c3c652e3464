"""Which texts say the same: by the words they share, in whatever order and case."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Two texts with this share of common words say the same.
ALIKE = 0.8

_WORD = re.compile(r"\w+")


def alike(one: str, other: str) -> bool:
    """Whether two texts are too close to stand beside each other."""
    return _close(_words(one), _words(other))


class Seen:
    """Texts that must not come again."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._seen = [_words(text) for text in texts]

    def add(self, text: str) -> bool:
        """Remember a text; False when one like it is there already."""
        words = _words(text)
        if any(_close(words, other) for other in self._seen):
            return False
        self._seen.append(words)
        return True


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _close(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * len(one | other)
