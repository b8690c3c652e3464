"""What goes wrong at the server, on the way and on the disk: said clearly, and put right by a retry."""

from __future__ import annotations

import dataclasses
import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from characters import catalog
from characters.images import generation, tracking
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from influencer.clients.comfyui import ComfyUI, Timeouts
from influencer.clients.comfyui import client as comfy_client
from influencer.jobs import services
from influencer.jobs.models import Job, JobState
from tests.characters.stage import Stage, attempt, eventually, sandbox_at, see_through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hasty(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Timeouts(connect=0.5, read=1, submit=1, transfer=1, settle=0.2)
    monkeypatch.setattr(comfy_client, "Timeouts", lambda: short)


def start(character: Character, **wish: Any) -> Job:
    return generation.start(character, Wish(prompt="in a forest", **wish))


def failed(job: Job) -> dict[str, Any]:
    job = see_through(job.pk)
    assert job.state == JobState.FAILED
    assert not Image.objects.exists()
    return dict(job.error)


def retried(job: Job) -> Job:
    services.retry(job.pk)
    ended = see_through(job.pk)
    assert ended.state == JobState.SUCCEEDED, ended.error
    assert Image.objects.filter(job_id=job.pk).count() == ended.request["count"]
    return ended


# --- the answer to a submit ------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_and_the_prompt_is_not_sent_again(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "lost_answer")
    assert see_through(start(luna).pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1


def test_a_lost_answer_of_a_server_that_then_is_silent_is_asked_for_later(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "lost_answer")
    monkeypatch.setattr(ComfyUI, "submitted", lambda self, prompt_id: None)
    job = attempt(start(luna).pk)
    assert (job.state, job.reason) == (JobState.WAITING, "server down")
    assert job.message.endswith("does not answer.")
    monkeypatch.undo()
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1


def test_a_submit_that_surely_did_not_arrive_is_made_again(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "down", times=1, path="/prompt")
    job = start(luna)
    see_through(job.pk)
    assert services.get(job.pk).state == JobState.SUCCEEDED
    assert stage.comfy("/queue")["queue_pending"] == []
    assert Image.objects.count() == 1


def test_a_graph_the_server_refuses_fails_with_its_reason_and_a_retry_sends_another(
    stage: Stage, luna: Character
) -> None:
    catalog.refresh()
    stage.order("comfyui", "missing_model")
    job = start(luna, model="sdxl_dreamshaper.safetensors")
    error = failed(job)
    assert error["step"] == "generate"
    assert error["message"] == "The model 'sdxl_dreamshaper.safetensors' is not on this server."
    assert error["fix"] == "Refresh models or choose another."
    retried(job)


# --- the server goes away --------------------------------------------------------------------


def test_a_server_that_is_down_is_said_at_once(luna: Character, settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=("http://127.0.0.1:9",))
    error = failed(start(luna))
    assert (error["step"], error["service"], error["code"]) == ("prepare", "ComfyUI", "unreachable")
    assert error["fix"] == "Start ComfyUI, then retry."
    assert error["retryable"]


def test_a_sandbox_that_does_not_run_is_said_at_once(luna: Character) -> None:
    error = failed(start(luna))
    assert error["code"] == "sandbox_down"
    assert "manage.py up" in error["message"]


def test_a_server_that_restarts_in_mid_run_loses_the_prompt_and_a_retry_makes_it(
    stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "restart")
    job = start(luna)
    error = failed(job)
    assert error["code"] == "lost"
    assert error["message"].startswith("ComfyUI lost this job: it was restarted")
    assert error["retryable"]
    retried(job)
    assert stage.prompts_sent == 2


def test_a_silent_server_is_waited_for_and_the_prompt_followed_to_its_end(
    stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "stall", seconds=1.5)
    job = start(luna)
    stage.order("comfyui", "down", times=0, path="/history")
    waiting = attempt(job.pk)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "server down")
    assert waiting.message.endswith("does not answer.")
    assert timezone.now() < waiting.until < timezone.now() + timedelta(seconds=10)
    stage.clear_faults()
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1
    assert services.get(job.pk).memo["down_since"] == ""


def test_after_ten_minutes_of_silence_the_job_fails_and_says_so(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall", seconds=1)
    stage.order("comfyui", "down", times=0, path="/history")
    job = start(luna)
    attempt(job.pk)
    memo = services.get(job.pk).memo
    past = (timezone.now() - tracking.PATIENCE - timedelta(seconds=1)).isoformat()
    Job.objects.filter(pk=job.pk).update(memo=memo | {"down_since": past})
    error = failed(job)
    assert (error["code"], error["step"]) == ("unreachable", "generate")
    stage.clear_faults()
    retried(job)


def test_a_wait_for_the_server_can_be_cancelled_and_the_prompt_is_taken_off_it(
    stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "stall")
    stage.order("comfyui", "down", times=0, path="/history")
    job = start(luna)
    attempt(job.pk)
    stage.clear_faults()
    services.cancel(job.pk)
    assert attempt(job.pk).state == JobState.CANCELLED
    assert eventually(lambda: stage.is_idle)


def test_a_server_that_went_away_since_the_last_refresh_is_replaced_by_another(
    data_dir: Path, settings: Any, luna: Character
) -> None:
    with sandbox_at(data_dir, name="two") as two:
        with sandbox_at(data_dir, name="one") as one:
            urls = (f"{one.url}/comfyui", f"{two.url}/comfyui")
            settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=urls)
            catalog.refresh()
        job = see_through(start(luna).pk)
        assert job.state == JobState.SUCCEEDED, job.error
        assert two.prompts_sent == 1


# --- the server fails ------------------------------------------------------------------------


def test_out_of_memory_is_said_with_what_helps(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "oom")
    job = start(luna)
    error = failed(job)
    assert (error["code"], error["step"]) == ("out_of_memory", "generate")
    assert error["message"] == "The server ran out of graphics memory."
    assert "smaller size" in error["fix"]
    retried(job)


def test_a_server_that_answers_html_is_called_by_its_name(stage: Stage, luna: Character) -> None:
    catalog.refresh()
    stage.order("comfyui", "html", times=0)
    job = start(luna)
    error = failed(job)
    assert error["code"] == "not_comfyui"
    assert "is not ComfyUI's API" in error["message"]
    assert "COMFYUI_URL" in error["fix"]
    stage.clear_faults()
    retried(job)


def test_a_damaged_image_is_not_kept_and_a_retry_makes_a_whole_one(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "corrupt_image")
    job = start(luna, seed=7)
    error = failed(job)
    assert (error["service"], error["code"], error["step"]) == ("ComfyUI", "not_an_image", "save")
    assert error["retryable"]
    retried(job)
    assert Image.objects.get().seed == 7


def test_an_image_the_server_no_longer_has_is_made_again_by_a_retry(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ComfyUI.fetch

    def swept_away(self: ComfyUI, image: Any) -> bytes:
        for path in (stage.folder / "comfyui" / "output").rglob("*.png"):
            path.unlink()
        return real(self, image)

    monkeypatch.setattr(ComfyUI, "fetch", swept_away)
    job = start(luna)
    assert failed(job)["code"] == "image_missing"
    monkeypatch.undo()
    retried(job)


def test_a_run_without_any_image_is_said(stage: Stage, luna: Character, monkeypatch: Any) -> None:
    real = ComfyUI.follow
    monkeypatch.setattr(
        ComfyUI, "follow", lambda self, *a, **m: dataclasses.replace(real(self, *a, **m), images=())
    )
    job = start(luna)
    error = failed(job)
    assert (error["code"], error["message"]) == ("no_image", "ComfyUI finished without an image.")
    monkeypatch.undo()
    retried(job)


def test_a_dropped_websocket_costs_nothing(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "drop_websocket")
    assert see_through(start(luna).pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1


def test_a_silent_websocket_costs_nothing(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "silent_websocket")
    assert see_through(start(luna).pk).state == JobState.SUCCEEDED


def test_of_two_images_the_first_is_kept_when_the_second_fails(stage: Stage, luna: Character) -> None:
    job = start(luna, count=2, seed=1)
    real = generation.tracking.prompt_for

    def then_trouble(context: Any, image_id: str) -> str:
        if Image.objects.exists():
            stage.order("comfyui", "oom")
        return real(context, image_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation.tracking, "prompt_for", then_trouble)
        assert see_through(job.pk).state == JobState.FAILED
    assert [image.seed for image in Image.objects.all()] == [1]
    assert retried(job).result["imageIds"][0] == Image.objects.get(seed=1).pk
    assert stage.prompts_sent == 3


# --- the disk --------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_a_retry_saves_the_image_that_was_made(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdatasync", full)
    job = start(luna)
    error = failed(job)
    assert (error["code"], error["step"], error["retryable"]) == ("media_unwritable", "save", True)
    assert "No space left on device" in error["message"]
    assert [path for path in (data_dir / "media").rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    retried(job)
    assert stage.prompts_sent == 1


def test_a_row_that_cannot_be_written_leaves_the_prompt_to_be_fetched_again(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(image: Image) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(generation.storage, "record", broken)
    job = start(luna)
    assert failed(job)["code"] == "internal"
    monkeypatch.undo()
    retried(job)
    assert stage.prompts_sent == 1
