"""What goes wrong while a LoRA is trained, and what is said; a dead worker and a restarted server too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import catalog
from characters import services as characters
from characters.images.models import Image
from characters.models import Character
from characters.training import following, placing, proving, running, sending, services
from characters.training.models import Training, TrainingState
from influencer.clients.comfyui import ComfyUI
from influencer.clients.comfyui import training as client
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.stage import (
    Died,
    Stage,
    attempt,
    doom,
    eventually,
    sandbox_at,
    see_through,
    take_over,
)
from tests.characters.training.lessons import BASE, STEPS, begun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", timedelta(0))
    monkeypatch.setattr(client, "LISTEN_SECONDS", 0.05)


@pytest.fixture
def stalled(stage: Stage, luna: Character) -> Training:
    """A training that stands still in the middle."""
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).step >= STEPS // 2 - 1)
    return services.get(training.pk)


def ended(training: Training) -> tuple[Training, Job]:
    job = see_through(training.job_id)
    return services.get(training.pk), job


def loras(stage: Stage) -> list[str]:
    return [name for name in stage.comfy("/models/loras") if "_steps_" in name]


# --- failures in words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("train_oom", "out_of_memory", "ran out of graphics memory while training"),
        ("train_nan", "loss_nan", "no number any more"),
    ],
)
def test_a_failed_training_says_why_and_what_to_do(
    stage: Stage, luna: Character, fault: str, code: str, said: str
) -> None:
    stage.order("comfyui", fault)
    training, job = ended(begun(luna))
    assert (job.state, training.state) == (JobState.FAILED, TrainingState.FAILED)
    assert training.error == job.error
    assert (job.error["code"], job.error["step"]) == (code, "train")
    assert said in job.error["message"]
    assert job.error["fix"]
    assert characters.get(luna.pk).lora == ""
    assert stage.is_idle


def test_a_failed_one_can_be_tried_again_under_new_names(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_oom")
    training, job = ended(begun(luna))
    jobs.retry(job.pk)
    training, job = ended(training)
    assert (job.state, training.state, training.error) == (JobState.SUCCEEDED, TrainingState.SUCCEEDED, None)
    assert len(list((stage.folder / "comfyui" / "input" / "trainsets").iterdir())) == 2
    assert stage.prompts_sent == 4


def test_a_server_without_the_nodes_is_said(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "no_training", times=0)
    training, job = ended(begun(luna))
    assert (job.error["code"], job.error["step"]) == ("training_unavailable", "prepare")
    assert "TrainLoraNode" in job.error["message"]
    assert "0.3.76" in job.error["fix"]


def test_a_model_that_is_gone_is_said(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    stage.order("comfyui", "missing_model", model=BASE, times=0)
    training, job = ended(training)
    assert (job.error["code"], job.error["step"]) == ("model_missing", "prepare")
    assert training.error["fix"]


def test_a_server_that_does_not_answer_is_said(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    stage.order("comfyui", "down", times=0)
    _, job = ended(training)
    assert (job.error["code"], job.error["retryable"]) == ("unreachable", True)


def test_a_training_image_that_is_gone_is_said(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    (training.folder / training.images[3]["file"]).unlink()
    _, job = ended(training)
    assert (job.error["step"], job.error["code"]) == ("upload", "not_found")
    assert "3.png" in job.error["message"]


def test_a_lora_without_effect_is_no_success(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = proving._wish
    monkeypatch.setattr(proving, "_wish", lambda one, who, lora, seed: real(one, who, "", seed))
    training, job = ended(begun(luna))
    assert (job.error["code"], job.error["step"]) == ("lora_without_effect", "verify")
    assert training.state == TrainingState.FAILED
    assert characters.get(luna.pk).lora == ""


def test_broken_numbers_that_no_console_told_show_in_the_test_picture(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_nan")
    stage.order("comfyui", "error500", times=0, path="/internal/logs")
    training, job = ended(begun(luna))
    assert job.error["code"] == "lora_broken"
    assert training.loss == []


def test_when_only_the_proof_fails_a_retry_does_not_train_again(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).image_with is not None)
    eventually(lambda: attempt(training.job_id).memo.get("children"))
    stage.order("comfyui", "oom", times=2)
    training, job = ended(training)
    assert (job.error["code"], job.error["step"]) == ("out_of_memory", "verify")
    before = loras(stage)
    jobs.retry(job.pk)
    training, job = ended(training)
    assert training.state == TrainingState.SUCCEEDED
    assert loras(stage) == before


# --- silence and restarts --------------------------------------------------------------------


def test_a_silent_server_is_waited_for_and_found_again(stage: Stage, stalled: Training) -> None:
    stage.order("comfyui", "down", times=0)
    job = attempt(stalled.job_id)
    assert (job.state, job.reason) == (JobState.WAITING, "server down")
    stage.clear_faults()
    job = attempt(stalled.job_id)
    assert (job.reason, job.memo["down_since"]) == ("following", "")
    sent = stage.prompts_sent
    assert sent == 1


def test_one_silent_for_too_long_fails_but_is_not_forgotten(
    stage: Stage, stalled: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PATIENCE", timedelta(0))
    stage.order("comfyui", "down", times=0)
    attempt(stalled.job_id)
    job = attempt(stalled.job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "unreachable")
    assert services.get(stalled.pk).state == TrainingState.FAILED
    stage.clear_faults()
    jobs.retry(job.pk)
    attempt(job.pk)
    assert services.get(stalled.pk).prompt_id == stalled.prompt_id
    assert stage.prompts_sent == 1
    jobs.cancel(job.pk)
    attempt(job.pk)


def test_a_restarted_server_has_lost_the_training(stage: Stage, stalled: Training) -> None:
    stage.restart()
    attempt(stalled.job_id)
    job = attempt(stalled.job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "lost")
    assert "restarted" in job.error["message"]
    assert stage.prompts_sent == 1


def test_a_server_restarted_after_the_end_still_has_the_lora(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    attempt(training.job_id)
    eventually(lambda: loras(stage))
    stage.restart()
    training, job = ended(training)
    assert job.state == JobState.SUCCEEDED, job.error
    assert training.lora == loras(stage)[0]


def test_a_lost_answer_does_not_train_twice(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "lost_answer")
    training, job = ended(begun(luna))
    assert job.state == JobState.SUCCEEDED, job.error
    assert len(loras(stage)) == 1


def test_a_websocket_that_breaks_changes_nothing(stage: Stage, luna: Character) -> None:
    for fault in ("drop_websocket", "silent_websocket"):
        stage.order("comfyui", fault)
    stage.order("comfyui", "error500", times=0, path="/internal/logs")
    _, job = ended(begun(luna))
    assert job.state == JobState.SUCCEEDED, job.error


def test_a_sandbox_that_moved_to_another_port_is_followed_there(luna: Character, data_dir: Any) -> None:
    with sandbox_at(data_dir) as first:
        training = begun(luna)
        attempt(training.job_id)
        eventually(lambda: loras(first))
    with sandbox_at(data_dir) as second:
        training, job = ended(training)
        assert job.state == JobState.SUCCEEDED, job.error
        assert training.lora == loras(second)[0]
        assert second.log("comfyui", "POST", "/prompt") == 2, "only the test pictures"


def test_what_the_end_of_the_sandbox_has_cost_is_begun_again(
    stage: Stage, stalled: Training, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.restart()
    monkeypatch.setattr(running, "_sandbox_pid", lambda: 1)
    training, job = ended(stalled)
    assert job.state == JobState.SUCCEEDED, job.error
    assert training.prompt_id != stalled.prompt_id
    assert any("begins again" in line for _, line in training.log)
    assert len(loras(stage)) == 1


POINTS: dict[str, tuple[Any, str, str]] = {
    "before a server is chosen": (placing, "choose", "before"),
    "with a server chosen but not remembered": (placing, "choose", "after"),
    "in mid-upload": (client, "send", "after"),
    "with everything sent": (sending, "send", "after"),
    "before the graph is sent": (ComfyUI, "submit", "before"),
    "with the graph sent but not known as accepted": (ComfyUI, "submit", "after"),
    "before the first look": (client, "look", "before"),
    "after a look": (client, "look", "after"),
    "with the file found but not remembered": (client, "find_lora", "after"),
    "before the proof": (proving, "prove", "before"),
    "with the proof made": (proving, "_compare", "after"),
    "with the lora in use": (services, "put_on", "after"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_costs_neither_a_second_training_nor_the_lora(
    stage: Stage, luna: Character, point: str
) -> None:
    owner, name, when = POINTS[point]
    training = begun(luna)
    with doom(owner, name, when), died_in(training):
        see_through(training.job_id)
    take_over(training.job_id)
    training, job = ended(training)
    assert job.state == JobState.SUCCEEDED, job.error
    assert len(loras(stage)) == 1
    assert stage.prompts_sent == 3
    assert Image.objects.count() == 2
    assert characters.get(luna.pk).lora == training.lora


@contextmanager
def died_in(training: Training) -> Iterator[None]:
    with pytest.raises(Died):
        yield
    assert jobs.get(training.job_id).state == JobState.RUNNING


# --- cancelling ------------------------------------------------------------------------------


def test_a_cancel_in_mid_training_stops_the_server_and_leaves_no_lora(
    stage: Stage, stalled: Training
) -> None:
    services.cancel(stalled.pk)
    job = attempt(stalled.job_id)
    assert job.state == JobState.CANCELLED
    assert services.get(stalled.pk).state == TrainingState.CANCELLED
    eventually(lambda: stage.is_idle)
    assert loras(stage) == []


def test_a_cancel_before_it_began_is_at_once(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    assert services.cancel(training.pk).state == TrainingState.CANCELLED
    assert stage.prompts_sent == 0


def test_a_cancel_while_it_waits_in_the_servers_queue_takes_it_out(
    stage: Stage, stalled: Training, luna: Character
) -> None:
    second = begun(luna)
    job = attempt(second.job_id)
    assert job.message == "Queued at 1 on the server"
    services.cancel(second.pk)
    assert attempt(second.job_id).state == JobState.CANCELLED
    assert len(stage.comfy("/queue")["queue_pending"]) == 0
    assert len(stage.comfy("/queue")["queue_running"]) == 1


def test_a_cancel_during_the_proof_cancels_the_test_pictures(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    eventually(lambda: attempt(training.job_id).memo.get("children"))
    services.cancel(training.pk)
    attempt(training.job_id)
    children = Job.objects.filter(kind="generate_image")
    assert [child.state for child in children] == [JobState.CANCELLED] * 2
    assert services.get(training.pk).state == TrainingState.CANCELLED
    assert characters.get(luna.pk).lora == ""


def test_one_stopped_on_the_server_counts_as_cancelled_not_failed(stage: Stage, stalled: Training) -> None:
    with ComfyUI(f"{stage.url}/comfyui") as server:
        server.cancel(stalled.prompt_id)
    eventually(lambda: stage.is_idle)
    training, job = ended(stalled)
    assert (job.state, training.state) == (JobState.CANCELLED, TrainingState.CANCELLED)
    assert training.error["code"] == "interrupted"
    jobs.retry(job.pk)
    training, job = ended(training)
    assert (training.state, training.error) == (TrainingState.SUCCEEDED, None)


def test_a_cancel_when_the_server_is_gone_is_a_cancel_all_the_same(stage: Stage, stalled: Training) -> None:
    stage.order("comfyui", "down", times=0)
    services.cancel(stalled.pk)
    assert attempt(stalled.job_id).state == JobState.CANCELLED


def test_a_training_that_does_not_move_says_so(stage: Stage, stalled: Training) -> None:
    job = Job.objects.get(pk=stalled.job_id)
    job.memo |= {"moved_at": (timezone.now() - timedelta(minutes=20)).isoformat()}
    job.save(update_fields=["memo"])
    assert "nothing new for 20" in attempt(job.pk).message
    services.cancel(stalled.pk)
    attempt(job.pk)


# --- several servers -------------------------------------------------------------------------


def test_of_several_servers_one_that_can_train_is_taken(
    data_dir: Any, settings: Any, luna: Character
) -> None:
    with sandbox_at(data_dir, name="old") as old, sandbox_at(data_dir, name="new") as new:
        urls = tuple(f"{stage.url}/comfyui" for stage in (old, new))
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=urls)
        old.order("comfyui", "no_training", times=0)
        training, job = ended(begun(luna))
        assert job.state == JobState.SUCCEEDED, job.error
        assert (training.server, training.sandbox) == (catalog.shown(urls[1]), False)
        assert Image.objects.get(pk=training.image_with).lora == training.lora
