from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Picture

from characters import services as characters
from characters.images import generation, storage
from characters.images import services as gallery
from characters.images.models import Image, SandboxPixels
from characters.images.planning import Wish
from characters.models import Character
from influencer.clients.comfyui import ComfyUI
from influencer.jobs import HandOver, previews, services, worker
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState
from tests.characters.stage import Stage, attempt, eventually, see_through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def eager(settings: Any) -> None:
    """Every look is a fresh one and every progress is written."""
    settings.JOBS = {"look": 0, "progress": 0}


def start(character: Character, **wish: Any) -> Job:
    return generation.start(character, Wish(prompt="in a forest", **wish))


def images(job: Job) -> list[Image]:
    return list(Image.objects.filter(job_id=job.pk).order_by("created_at", "pk"))


# --- the plain success ----------------------------------------------------------------------


def test_a_generation_ends_with_an_image_its_thumbnail_and_its_recipe(stage: Stage, luna: Character) -> None:
    job = see_through(start(luna, seed=7).pk)
    assert (job.state, job.progress) == (JobState.SUCCEEDED, 1.0)
    [image] = images(job)
    assert job.result == {"imageIds": [image.pk], "sandbox": True}
    assert job.message == "Made an image"
    assert (image.width, image.height, image.seed) == (128, 128, 7)
    assert (image.character_id, image.source, image.sandbox) == (luna.pk, "generated", True)
    assert image.prompt == "portrait of luna_character, in a forest"
    assert image.model == "sd_xl_base_1.0.safetensors"
    with Picture.open(image.path) as picture, Picture.open(image.thumbnail_path) as thumbnail:
        assert (picture.format, picture.size) == ("PNG", (128, 128))
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (128, 128))
    assert image.recipe["steps"] == 4
    assert image.recipe["sampler"] == "dpmpp_2m"
    assert "prefix" not in image.recipe
    assert image.duration_ms is not None


def test_the_sidecar_holds_everything_the_row_does(stage: Stage, luna: Character) -> None:
    [image] = images(see_through(start(luna, seed=7).pk))
    sidecar = json.loads(image.sidecar_path.read_bytes())
    assert sidecar["id"] == image.pk
    assert sidecar["characterId"] == luna.pk
    assert sidecar["file"] == image.path.name
    assert sidecar["pixelHash"] == image.pixel_hash
    assert sidecar["recipe"] == image.recipe
    assert {node["class_type"] for node in sidecar["workflow"].values()} >= {"KSampler", "SaveImage"}


def test_the_same_seed_makes_the_same_picture_and_another_seed_another(stage: Stage, luna: Character) -> None:
    hashes = [images(see_through(start(luna, seed=seed).pk))[0].pixel_hash for seed in (7, 7, 8)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_without_a_seed_each_image_gets_its_own(stage: Stage, luna: Character) -> None:
    made = images(see_through(start(luna, count=3).pk))
    assert len({image.seed for image in made}) == 3
    assert all(0 <= image.seed < 2**53 for image in made)


def test_several_images_count_on_from_the_given_seed(stage: Stage, luna: Character) -> None:
    made = images(see_through(start(luna, count=3, seed=2**53 - 2).pk))
    assert [image.seed for image in made] == [2**53 - 2, 2**53 - 1, 0]
    assert stage.prompts_sent == 3


def test_a_flux_model_and_a_lora_work_too(stage: Stage, luna: Character) -> None:
    flux = images(see_through(start(luna, model="flux1-dev-fp8.safetensors").pk))
    lora = images(see_through(start(luna, lora="luna_v3.safetensors").pk))
    assert [len(flux), len(lora)] == [1, 1]
    assert lora[0].lora == "luna_v3.safetensors"


def test_progress_counts_the_images_and_their_steps(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[float, str]] = []
    monkeypatch.setattr(
        JobContext, "progress", lambda self, fraction, message="": told.append((fraction, message))
    )
    shown: list[bytes] = []
    monkeypatch.setattr(JobContext, "preview", lambda self, jpeg: shown.append(jpeg))
    stage.speed(20)
    see_through(start(luna, count=2).pk)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (1.0, "Image 2 of 2 · Step 4 of 4") in told
    assert any(message == "Image 1 of 2 · Step 4 of 4" for _, message in told)
    assert shown and all(jpeg.startswith(b"\xff\xd8") for jpeg in shown)


def test_a_single_image_is_not_counted(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(JobContext, "progress", lambda self, fraction, message="": told.append(message))
    stage.speed(20)
    see_through(start(luna).pk)
    assert "Step 4 of 4" in told


def test_behind_someone_elses_prompts_the_place_in_the_queue_is_told(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall", seconds=1)
    monkeypatch.setattr(ComfyUI, "follow", _let_go)
    attempt(start(luna).pk)
    monkeypatch.undo()
    told: list[str] = []
    monkeypatch.setattr(JobContext, "progress", lambda self, fraction, message="": told.append(message))
    attempt(start(luna).pk)
    assert "Queued at 1" in told


def _let_go(*_: Any, **__: Any) -> None:
    raise HandOver(timezone.now(), "following")


def test_the_server_forgets_a_finished_prompt(stage: Stage, luna: Character) -> None:
    see_through(start(luna).pk)
    assert stage.comfy("/history") == {}


@pytest.mark.django_db(transaction=True)
def test_the_preview_is_gone_once_the_image_is_there(stage: Stage, luna: Character) -> None:
    stage.speed(20)
    job = see_through(start(luna).pk)
    assert not previews.path_of(job.pk).exists()


def test_a_job_names_its_request_at_the_server(stage: Stage, luna: Character, monkeypatch: Any) -> None:
    monkeypatch.setattr(ComfyUI, "delete_history", lambda self, prompt_id: None)
    job = see_through(start(luna).pk)
    [entry] = stage.comfy("/history").values()
    assert job.pk in json.dumps(entry["prompt"])


# --- cancelling -----------------------------------------------------------------------------


def cancel_when(monkeypatch: pytest.MonkeyPatch, name: str, *, times: int = 1) -> list[str]:
    """Cancel the job when the client's method is called for the so-manieth time."""
    real, seen = getattr(ComfyUI, name), []

    def watched(self: ComfyUI, *args: Any, **more: Any) -> Any:
        seen.append(name)
        if len(seen) == times:
            services.cancel(Job.objects.get(state=JobState.RUNNING).pk)
        return real(self, *args, **more)

    monkeypatch.setattr(ComfyUI, name, watched)
    return seen


def test_a_queued_job_is_cancelled_without_asking_the_server(stage: Stage, luna: Character) -> None:
    job = start(luna)
    services.cancel(job.pk)
    assert worker.run(job.pk) is False
    assert stage.prompts_sent == 0


def test_a_running_generation_is_stopped_on_the_server_at_once(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall")
    cancel_when(monkeypatch, "listen")
    job = attempt(start(luna).pk)
    assert job.state == JobState.CANCELLED
    assert eventually(lambda: stage.is_idle)
    assert images(job) == []


def test_a_prompt_that_waits_behind_others_is_taken_out_of_the_queue(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall")
    monkeypatch.setattr(ComfyUI, "follow", _let_go)
    attempt(start(luna).pk)
    monkeypatch.undo()
    cancel_when(monkeypatch, "listen")
    job = start(luna)
    assert attempt(job.pk).state == JobState.CANCELLED
    queue = stage.comfy("/queue")
    assert (len(queue["queue_running"]), len(queue["queue_pending"])) == (1, 0)


def test_of_four_images_those_that_are_done_are_kept_when_it_is_cancelled(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_when(monkeypatch, "listen", times=3)
    job = see_through(start(luna, count=4).pk)
    assert job.state == JobState.CANCELLED
    assert len(images(job)) == 2
    assert all(image.path.exists() for image in images(job))
    assert stage.prompts_sent == 3
    assert stage.is_idle


def test_a_retry_after_a_cancel_makes_only_what_is_missing(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_when(monkeypatch, "listen", times=3)
    job = see_through(start(luna, count=4, seed=5).pk)
    before = [image.pk for image in images(job)]
    monkeypatch.undo()
    services.retry(job.pk)
    job = see_through(job.pk)
    assert job.state == JobState.SUCCEEDED
    assert [image.seed for image in images(job)] == [5, 6, 7, 8]
    assert [image.pk for image in images(job)][:2] == before
    assert stage.prompts_sent == 5


def test_a_cancel_just_before_the_prompt_is_sent_sends_nothing(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start(luna)
    real = ComfyUI.fitted

    def cancelled_meanwhile(self: ComfyUI, graph: Any) -> Any:
        services.cancel(job.pk)
        return real(self, graph)

    monkeypatch.setattr(ComfyUI, "fitted", cancelled_meanwhile)
    assert attempt(job.pk).state == JobState.CANCELLED
    assert stage.is_idle
    assert not Image.objects.exists()


def test_a_server_that_cannot_be_reached_does_not_keep_a_job_from_being_cancelled(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ComfyUI, "follow", _let_go)
    job = start(luna)
    attempt(job.pk)
    monkeypatch.undo()
    stage.order("comfyui", "down", times=0)
    services.cancel(job.pk)
    assert attempt(job.pk).state == JobState.CANCELLED


def test_someone_who_interrupts_the_prompt_at_the_server_makes_the_job_fail_not_cancelled(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall")
    real = ComfyUI.listen

    def interrupted(self: ComfyUI, client_id: str) -> Any:
        eventually(lambda: stage.comfy("/queue")["queue_running"])
        self.cancel(client_id)
        return real(self, client_id)

    monkeypatch.setattr(ComfyUI, "listen", interrupted)
    job = see_through(start(luna).pk)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "interrupted")
    monkeypatch.undo()
    services.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED


# --- the world goes on meanwhile ------------------------------------------------------------


def test_deleting_the_character_stops_its_generation(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "stall")
    real = ComfyUI.listen

    def deleted_meanwhile(self: ComfyUI, client_id: str) -> Any:
        characters.delete(luna.pk)
        return real(self, client_id)

    monkeypatch.setattr(ComfyUI, "listen", deleted_meanwhile)
    job = attempt(start(luna).pk)
    assert job.state == JobState.CANCELLED
    assert eventually(lambda: stage.is_idle)


def test_a_character_deleted_by_hand_leaves_its_images(stage: Stage, luna: Character, data_dir: Any) -> None:
    job = start(luna)
    (data_dir / "characters.json").write_text("[]")
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert len(images(job)) == 1


def test_a_worker_that_has_to_let_go_leaves_the_server_running(
    stage: Stage, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order("comfyui", "slow", factor=40)
    job = start(luna)
    monkeypatch.setattr(worker.queue, "is_stopping", lambda: False)
    context = JobContext(worker.claim(job.pk, "gpu"), stopping=lambda: True)
    worker.attempt(context, job.spec)
    waiting = services.get(job.pk)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "following")
    assert not stage.is_idle
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert stage.prompts_sent == 1


def test_pixels_of_the_sandbox_stay_known_after_the_image_is_deleted(stage: Stage, luna: Character) -> None:
    [image] = images(see_through(start(luna).pk))
    content, files = image.path.read_bytes(), (image.path, image.thumbnail_path, image.sidecar_path)
    storage.remove(image)
    assert not any(path.exists() for path in files)
    assert SandboxPixels.objects.count() == 1
    assert gallery.add(luna.pk, content).sandbox
