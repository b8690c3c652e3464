"""Trainings on the character's page: at work, failed, proven, attached; on cards and in the gallery."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.training import drafts, following, overview, services
from characters.training.models import Training
from influencer.clients.comfyui import training as client_side
from influencer.jobs import health
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from tests.characters.factories import signed_in
from tests.characters.people import someone
from tests.characters.stage import Stage, attempt, eventually, see_through
from tests.characters.training.lessons import BASE, STEPS, begun, png, sources

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "cluster_alive", lambda name: True)
    monkeypatch.setattr(following, "LOST_AFTER", timedelta(0))
    monkeypatch.setattr(client_side, "LISTEN_SECONDS", 0.05)


@pytest.fixture
def client() -> Client:
    return signed_in()


@pytest.fixture
def proven(stage: Stage, luna: Character) -> Training:
    """A training that has ended well, whose LoRA is not in use yet."""
    training = begun(luna, attach=False)
    assert see_through(training.job_id).state == "succeeded"
    # A quick one may be over before it was looked at twice.
    Training.objects.filter(pk=training.pk).update(loss=[[10, 0.2], [40, 0.1]])
    return services.get(training.pk)


def section(client: Client, character: Character) -> str:
    return client.get(reverse("training:section", args=[character.pk])).content.decode()


def words(text: str) -> str:
    plain = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain.replace("&#x27;", "'"))


def past(character: Character, state: str, number: int, **fields: Any) -> Training:
    """A training that ended long ago; nothing was run for it."""
    training = Training.objects.create(
        id=f"train_{number}", character_id=character.pk, state=state, family="sdxl", **fields
    )
    made = training.created_at - timedelta(days=10 - number)
    Training.objects.filter(pk=training.pk).update(created_at=made, finished_at=made)
    return services.get(training.pk)


# --- the section -----------------------------------------------------------------------------


def test_a_character_without_a_lora_is_told_the_next_step(client: Client, luna: Character) -> None:
    page = client.get(reverse("characters:detail", args=[luna.pk])).content.decode()
    assert 'id="training"' in page
    assert "No LoRA trained yet." in page
    assert page.count("Train LoRA") == 2
    assert "every 2s" not in section(client, luna)


def test_a_draft_is_offered_to_go_on_with(client: Client, luna: Character) -> None:
    drafts.collect(luna, sources(3))
    page = words(section(client, luna))
    assert "A draft with 3 images waits. Go on or discard it" in page
    assert "No LoRA trained yet" not in page


def test_a_running_one_shows_step_curve_table_and_log_and_can_be_cancelled(
    client: Client, stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).loss)
    page = section(client, luna)
    assert re.search(rf"Step \d+ of {STEPS}", page)
    assert "5 images · 40 steps · rank 16 · learning rate 0.0005 · SD 1.5" in words(page)
    assert '<path class="line"' in page and "The server has begun" in page
    assert reverse("jobs:cancel", args=[training.job_id]) in page
    curve = client.get(reverse("training:curve", args=[training.pk])).content.decode()
    assert 'hx-trigger="every 2s"' in curve
    assert f'<table id="rows-{training.pk}" hx-swap-oob="innerHTML">' in curve
    assert "The server has begun" in curve
    jobs.cancel(training.job_id)
    attempt(training.job_id)
    page = section(client, luna)
    assert "Cancelled" in page and "every 2s" not in page
    assert "Change and train again" in page and "Retry" in page
    assert "hx-trigger" not in client.get(reverse("training:curve", args=[training.pk])).content.decode()


@pytest.mark.parametrize(
    ("fault", "said", "fix"),
    [
        ("train_oom", "ran out of graphics memory", "Choose a smaller resolution or rank"),
        ("train_nan", "The loss was no number any more", "a lower learning rate"),
        ("no_training", "it lacks LoadImageTextDataSetFromFolder", "Update ComfyUI there to 0.3.76"),
    ],
)
def test_a_failure_stands_there_in_words_with_its_fix_and_retry(
    client: Client, stage: Stage, luna: Character, fault: str, said: str, fix: str
) -> None:
    stage.order("comfyui", fault, times=0 if fault == "no_training" else 1)
    training = begun(luna)
    see_through(training.job_id)
    page = section(client, luna)
    assert said in words(page) and fix in words(page)
    assert reverse("jobs:retry", args=[training.job_id]) in page
    assert reverse("training:again", args=[training.pk]) in page


def test_a_lost_one_is_said(client: Client, stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).step)
    stage.restart()
    see_through(training.job_id)
    assert "ComfyUI lost this training" in words(section(client, luna))


def test_a_retried_one_is_at_work_from_the_click_on(client: Client, stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_oom")
    training = begun(luna)
    see_through(training.job_id)
    jobs.retry(training.job_id)
    page = section(client, luna)
    assert 'hx-trigger="every 2s"' in page
    assert "Change and train again" not in page


def test_a_proven_one_shows_both_images_and_is_attached_with_one_click(
    client: Client, proven: Training, luna: Character
) -> None:
    page = section(client, luna)
    assert "Version 1" in page and "The loss falls from" in words(page)
    for pk, alt in ((proven.image_with, "With the LoRA"), (proven.image_without, "Without the LoRA")):
        assert re.search(rf'src="{images.get(pk).thumbnail_url}" alt="{alt}', page)
    answer = client.post(reverse("training:attach", args=[proven.pk]), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert characters.get(luna.pk).lora == proven.lora
    page = client.get(reverse("characters:detail", args=[luna.pk])).content.decode()
    assert "Luna uses version 1 now." in page
    assert "LoRA v1" in page and "in use" in page
    answer = client.post(reverse("training:attach", args=[proven.pk]))
    assert (answer.status_code, answer["Location"].rpartition("#")[2]) == (303, "training")


def test_earlier_versions_are_kept_and_can_be_switched_to(client: Client, luna: Character) -> None:
    past(luna, "succeeded", 1, version=1, lora="one.safetensors", trigger_word="first_word", steps=900)
    past(luna, "succeeded", 2, version=2, lora="two.safetensors", trigger_word="luna_character")
    past(luna, "failed", 3, error={"message": "It broke.", "fix": "Mend it."})
    past(luna, "cancelled", 4)
    characters.get(luna.pk)
    Character.objects.change(luna.pk, lambda record: setattr(record, "lora", "two.safetensors"))
    page = words(section(client, luna))
    assert "Version 2 luna_character" in page and "in use" in page
    assert "Version 1 first_word" in page and "900 steps" in page
    assert "1 earlier run without a LoRA" in page and "It broke." in page
    client.post(reverse("training:attach", args=["train_1"]))
    assert characters.get(luna.pk).trigger_word == "first_word"
    found = overview.section_context(characters.get(luna.pk))
    assert [run.attached for run in found["versions"]] == [False, True]


def test_only_a_proven_lora_of_a_known_training_is_attached(client: Client, luna: Character) -> None:
    past(luna, "failed", 1)
    headers = {"HX-Request": "true"}
    answer = client.post(reverse("training:attach", args=["train_1"]), headers=headers)
    assert answer.status_code == 409
    assert "no proven LoRA" in answer["HX-Trigger"]
    assert client.post(reverse("training:attach", args=["nobody"]), headers=headers).status_code == 404


def test_the_section_takes_a_fixed_number_of_queries(
    client: Client, luna: Character, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        past(luna, "succeeded", number, version=number + 1, lora=f"{number}.safetensors")
    with django_assert_max_num_queries(4):
        overview.section_context(luna)


# --- elsewhere -------------------------------------------------------------------------------


def test_a_card_tells_the_version_and_a_training_at_work(
    client: Client, luna: Character, stage: Stage
) -> None:
    past(luna, "succeeded", 1, version=3, lora="three.safetensors")
    Character.objects.change(luna.pk, lambda record: setattr(record, "lora", "three.safetensors"))
    by_hand = someone("Kai", lora="loras/by_hand.safetensors")
    begun(by_hand)
    page = words(client.get(reverse("characters:list")).content.decode())
    assert "first on the server · LoRA v3 Last post" in page
    assert "first on the server · by_hand Training has begun Last post" in page
    Training.objects.filter(character_id=by_hand.pk).update(step=1200, steps=1500)
    assert "step 1\u202f200 of 1\u202f500" in client.get(reverse("characters:list")).content.decode()


def test_an_image_of_the_gallery_is_added_to_the_training_set(client: Client, luna: Character) -> None:
    image = images.add(luna.pk, png(1))
    address = reverse("training:add_image", args=[image.pk])
    assert "Add to training set" in client.get(reverse("images:show", args=[image.pk])).content.decode()
    answer = client.post(address, headers={"HX-Request": "true"})
    assert "The training set has 1 image; 4 more to begin." in answer["HX-Trigger"]
    assert reverse("training:train", args=[luna.pk]) in answer["HX-Trigger"]
    answer = client.post(address, headers={"HX-Request": "true"})
    assert "in the training set already" in answer["HX-Trigger"]
    assert client.post(address).status_code == 303
    draft = drafts.current(luna.pk)
    assert draft is not None and len(draft.images) == 1


def test_an_image_whose_file_is_gone_is_not_added(client: Client, luna: Character) -> None:
    image = images.add(luna.pk, png(1))
    image.path.unlink()
    answer = client.post(reverse("training:add_image", args=[image.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "gone from data/media" in answer["HX-Trigger"]


def test_a_thumbnail_is_only_that_of_a_picture_of_the_training(client: Client, luna: Character) -> None:
    draft = drafts.collect(luna, sources(1)).training
    assert client.get(f"/training/{draft.pk}/images/..").status_code == 404
    assert client.get(f"/training/{draft.pk}/images/0000").status_code == 404
    stem = draft.images[0]["file"].partition(".")[0]
    (draft.folder / f"{stem}.thumb.webp").unlink()
    assert client.get(f"/training/{draft.pk}/images/{stem}").status_code == 404


def test_strangers_are_sent_to_sign_in(luna: Character) -> None:
    draft = drafts.collect(luna, sources(1)).training
    for address in (
        reverse("training:train", args=[luna.pk]),
        reverse("training:thumbnail", args=[draft.pk, draft.images[0]["file"].partition(".")[0]]),
    ):
        assert Client().get(address)["Location"].startswith("/login/")


def test_models_say_whose_lora_was_trained_here(
    client: Client, stage: Stage, luna: Character, proven: Training
) -> None:
    listed = client.get("/api/models?show=all").json()["loras"]
    owners = {lora["name"]: lora.get("characterId") for lora in listed}
    assert owners.pop(proven.lora) == luna.pk
    assert owners and set(owners.values()) == {None}


def test_an_attached_lora_makes_the_next_image(client: Client, stage: Stage, luna: Character) -> None:
    training = begun(luna)
    see_through(training.job_id)
    answer = client.post(reverse("images:generate", args=[luna.pk]), {"final_prompt": "luna_character"})
    assert answer.status_code == 303
    job = see_through(Job.objects.filter(kind="generate_image").latest("created_at").pk)
    made = images.get(jobs.result_of(job)["imageIds"][0])
    assert made.lora == services.get(training.pk).lora
    assert made.model == BASE
