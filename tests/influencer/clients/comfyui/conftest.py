"""A scripted server and a client that is quick to lose patience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from influencer.clients.comfyui import ComfyUI, Pace, Timeouts
from tests.influencer.clients.comfyui.run import Run
from tests.influencer.clients.comfyui.stage import Stage

QUICK = Timeouts(connect=5, read=5, submit=5, transfer=5, settle=0.2)
# Gives up on an order with `delay=0.5`, which is all it is good for.
HASTY = Timeouts(connect=5, read=0.2, submit=0.2, transfer=0.2, settle=5)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage().started()
    yield stage
    stage.stopped()


@pytest.fixture
def comfy(stage: Stage) -> Iterator[ComfyUI]:
    with ComfyUI(stage.url, timeouts=QUICK) as client:
        yield client


@pytest.fixture
def hasty(stage: Stage) -> Iterator[ComfyUI]:
    with ComfyUI(stage.url, timeouts=HASTY) as client:
        yield client


@pytest.fixture
def pace() -> Pace:
    return Pace(
        tick=0.02,
        cancel=0.02,
        look=0.05,
        look_while_live=1,
        look_again=0.02,
        lost_after=0.2,
        patience=1,
        reconnect=0.02,
        silence=5,
        cancel_grace=3,
    )


@pytest.fixture
def run(comfy: ComfyUI, pace: Pace) -> Run:
    return Run(comfy, pace)
