"""A whole sandbox over real HTTP, with a client of its ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.sandbox.bench import KEY, Comfy, serving


@pytest.fixture
def comfy(tmp_path: Path) -> Iterator[Comfy]:
    settings = SandboxSettings(tmp_path / "sandbox", key=KEY, speed=400)
    with serving(lambda: build_app(settings)) as base:
        client = Comfy(base, tmp_path / "sandbox" / "comfyui")
        yield client
        for listener in client.listeners:
            listener.socket.close()
