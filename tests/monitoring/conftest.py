"""What the tests of the status share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.checks import accounts


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    accounts._known.clear()
    yield
    accounts._known.clear()
