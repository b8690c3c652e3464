"""Cancelled prompts, lost prompts, and prompts taken up again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from influencer.clients.comfyui import ComfyUI, Ending, ImageRef, Pace, Progress, Queued
from influencer.clients.errors import ServiceError
from tests.influencer.clients.comfyui.play import Prompt
from tests.influencer.clients.comfyui.run import Run
from tests.influencer.clients.comfyui.stage import Stage


def test_a_restart_in_mid_run_loses_the_prompt(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.step(1, 3)
        stage.restart()
        await stage.close_sockets()

    outcome = run.submit().follow()

    assert outcome.ending is Ending.LOST
    assert outcome.error is not None and outcome.error.code == "lost"
    with pytest.raises(ServiceError, match="lost this job"):
        outcome.result()


def test_a_prompt_that_shows_up_again_in_time_is_not_lost(stage: Stage, run: Run) -> None:
    run.pace = replace(run.pace, lost_after=2)

    @stage.plays
    async def script(prompt: Prompt) -> None:
        stage.restart()
        await asyncio.sleep(0.15)
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded


def test_no_answer_for_long_is_to_be_tried_again_and_can_be(stage: Stage, run: Run) -> None:
    run.submit()
    stage.order("GET", "/history", status=503)
    stage.order("GET", "/queue", status=503)

    with pytest.raises(ServiceError) as caught:
        run.follow()

    assert caught.value.code == "unreachable"
    assert caught.value.retryable
    assert not caught.value.outcome_unknown

    stage.orders.clear()
    prompt = stage.prompts[0]
    asyncio.run_coroutine_threadsafe(prompt.succeed("late.png"), stage.loop).result(5)
    assert run.follow().images == (ImageRef("late.png", "t"),)


def test_a_server_away_for_a_moment_does_not_matter(stage: Stage, run: Run) -> None:
    stage.order("GET", "/history", drop="before", times=3)

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded


def test_a_prompt_of_a_process_now_dead_can_be_followed(stage: Stage, run: Run, pace: Pace) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await prompt.socket()
        await prompt.step(2, 3)
        await stage.until(lambda: run.of(Progress))
        await prompt.succeed("a.png")

    run.submit()
    with ComfyUI(stage.url) as another:
        outcome = another.follow(run.prompt_id, on_event=run.events.append, pace=pace)

    assert outcome.succeeded
    assert run.of(Progress) == [Progress(2, 3, "6")]


@pytest.mark.parametrize("has_jobs_api", [True, False])
def test_a_waiting_prompt_is_cancelled_at_once(stage: Stage, run: Run, has_jobs_api: bool) -> None:
    stage.has_jobs_api = has_jobs_api

    outcome = run.submit().follow(cancelled=lambda: bool(run.of(Queued)))

    assert outcome.ending is Ending.INTERRUPTED
    assert stage.pending == {}
    assert stage.count("POST", "/interrupt") == 0


@pytest.mark.parametrize("has_jobs_api", [True, False])
def test_a_running_prompt_is_cancelled_by_its_id(stage: Stage, run: Run, has_jobs_api: bool) -> None:
    stage.has_jobs_api = has_jobs_api

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.step(1, 3)
        await prompt.cancelled.wait()
        await prompt.interrupt()

    outcome = run.submit().follow(cancelled=lambda: bool(run.of(Progress)))

    assert outcome.ending is Ending.INTERRUPTED
    assert run.prompt_id in stage.history


def test_a_cancelled_prompt_that_won_t_stop_is_left_alone_after_a_while(stage: Stage, run: Run) -> None:
    run.pace = replace(run.pace, cancel_grace=0.2)

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()

    assert run.submit().follow(cancelled=lambda: True).ending is Ending.INTERRUPTED
    assert run.prompt_id in stage.running


def test_a_prompt_that_ended_before_the_cancel_keeps_its_images(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.succeed("a.png")

    run.submit()
    asyncio.run_coroutine_threadsafe(stage.until(lambda: run.prompt_id in stage.history), stage.loop).result(
        5
    )

    assert run.follow(cancelled=lambda: True).succeeded
