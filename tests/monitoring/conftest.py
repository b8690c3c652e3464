"""What the tests of the status share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.checks import accounts, gemini


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    for known in (accounts._known, gemini._known):
        known.clear()
    yield
    for known in (accounts._known, gemini._known):
        known.clear()
