"""The sandbox of the test's data folder, and a character small enough to be drawn quickly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from characters.models import Character
from influencer.clients.comfyui import Pace
from influencer.clients.comfyui import follow as following
from tests.characters.opening import open_product
from tests.characters.people import someone
from tests.characters.stage import Stage, sandbox_at

__all__ = ["open_product"]


@pytest.fixture
def stage(data_dir: Path) -> Iterator[Stage]:
    with sandbox_at(data_dir) as stage:
        yield stage


@pytest.fixture
def luna() -> Character:
    return someone(width=128, height=128, steps=4, base_prompt="portrait of luna_character")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conclude in tenths of a second what otherwise takes tens of seconds."""
    pace = Pace(
        tick=0.02,
        look=0.05,
        look_while_live=0.1,
        look_again=0.05,
        lost_after=0.3,
        patience=0.4,
        reconnect=0.05,
    )
    monkeypatch.setattr(following, "Pace", lambda: pace)
