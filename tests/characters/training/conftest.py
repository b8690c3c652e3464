"""The sandbox of the test's data folder, and a character to be learnt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from characters.models import Character
from tests.characters.opening import open_product
from tests.characters.people import someone
from tests.characters.stage import Stage, sandbox_at

__all__ = ["luna", "open_product", "stage"]


@pytest.fixture
def stage(data_dir: Path) -> Iterator[Stage]:
    with sandbox_at(data_dir) as stage:
        yield stage


@pytest.fixture
def luna() -> Character:
    return someone(base_prompt="portrait of luna_character")
