"""Training a LoRA in a real Chromium: dropped files, drafts, progress, proof; keyboard, small, no scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.training import drafts, following, services
from characters.training.models import Training, TrainingState
from influencer.clients.comfyui import training as client_side
from influencer.jobs.models import Job
from tests.characters.opening import SCREENS, OpenPage, look, tab_to
from tests.characters.stage import Stage, attempt, eventually, see_through
from tests.characters.training.lessons import BASE, begun, png, sources

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_side, "LISTEN_SECONDS", 0.05)
    monkeypatch.setattr(following, "LOST_AFTER", timedelta(0))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Six faces, the second with its caption, the last almost the first."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for place, number in enumerate((*range(5), 0)):
        (folder / f"face-{place}.png").write_bytes(png(number))
    (folder / "face-1.txt").write_text("by the sea")
    return sorted(folder.iterdir())


def detail(luna: Character) -> str:
    return reverse("characters:detail", args=[luna.pk])


def proven(luna: Character) -> Training:
    """A version as if it had been trained, older than whatever was."""
    pictures = [images.add(luna.pk, png(number)).pk for number in (8, 9)]
    return Training.objects.create(
        character_id=luna.pk,
        state=TrainingState.SUCCEEDED,
        created_at=timezone.now() - timedelta(days=1),
        finished_at=timezone.now(),
        lora="luna.safetensors",
        version=1,
        family="sdxl",
        steps=40,
        loss=[[10, 0.2], [40, 0.1]],
        image_with=pictures[0],
        image_without=pictures[1],
    )


def opened(page: Page) -> Locator:
    page.locator(".hero").get_by_role("link", name="Train LoRA", exact=True).click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Trigger word")).to_be_visible()
    return dialog


def drop(page: Page, files: list[Path], shown: int) -> None:
    page.locator("#train-files").set_input_files(files)
    expect(page.locator("li.picture")).to_have_count(shown)


def test_what_was_opened_stays_open_while_another_job_ends(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    proven(luna)
    page = open_product(detail(luna))
    training, fold = page.locator("#training"), page.locator("#training details").first
    fold.locator("summary").first.click()
    with page.expect_response("**/training/"):
        page.evaluate("document.body.dispatchEvent(new Event('job-finished'))")
    expect(training.locator("details").first).to_have_attribute("open", "")
    expect(training.locator("summary").first).to_be_focused()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_is_accessible(
    open_product: OpenPage, stage: Stage, luna: Character, files: list[Path], tmp_path: Path, screen: str
) -> None:
    (tmp_path / "notes.png").write_text("no image")
    page = open_product(detail(luna), screen=screen)
    dialog = opened(page)
    look(page)
    drop(page, [*files, tmp_path / "notes.png"], 6)
    expect(dialog.get_by_role("alert")).to_contain_text("notes.png: The file is not an image")
    expect(dialog.locator(".chip.warn").last).to_be_visible()
    look(page)
    dialog.get_by_role("link", name="Close").click()
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).loss)
    page.reload()
    expect(page.locator("#training .job progress")).to_be_visible()
    look(page)
    stage.restart()
    see_through(training.job_id)
    expect(page.locator("#training .job.bad")).to_contain_text("ComfyUI lost this training")
    proven(luna)
    page.reload()
    expect(page.locator("#training .proof img")).to_have_count(2)
    look(page)


def test_images_are_dropped_checked_captioned_and_the_training_begins(
    open_product: OpenPage, stage: Stage, luna: Character, files: list[Path]
) -> None:
    page = open_product(detail(luna))
    dialog = opened(page)
    drop(page, files, 6)
    expect(dialog.get_by_label("Caption of face-1.png")).to_have_value("by the sea")
    expect(dialog.locator("li.picture").last.locator(".chip.warn").first).to_have_text("like face-0.png")
    dialog.get_by_role("button", name="Remove face-5.png").click()
    expect(page.locator("li.picture")).to_have_count(5)
    dialog.get_by_label("Rank").fill("8")
    dialog.get_by_label("Base model").select_option(BASE)
    expect(dialog.get_by_label("Steps")).to_have_attribute("placeholder", "1000")
    expect(dialog.locator(".chip.warn")).to_have_count(0)
    dialog.get_by_label("Steps").fill("40")
    dialog.get_by_label("Caption of face-0.png").fill("in a hat")
    dialog.get_by_text("I have the right").click()
    dialog.get_by_role("button", name="Train LoRA").click()
    expect(page.locator(".toast", has_text="The training of Luna has begun.")).to_be_visible()
    expect(page.locator("#training .job")).to_contain_text("Queued")
    training = Training.objects.get()
    assert (training.steps, training.rank, training.base_model) == (40, 8, BASE)
    assert [row["caption"] for row in training.images] == ["in a hat", "by the sea", "", "", ""]


def test_a_draft_survives_a_reload_and_is_discarded_after_asking(
    open_product: OpenPage, stage: Stage, luna: Character, files: list[Path]
) -> None:
    page = open_product(detail(luna))
    dialog = opened(page)
    drop(page, files, 6)
    with page.expect_response(re.compile("/train/keep/")):
        dialog.get_by_label("Caption of face-2.png").fill("at night")
        dialog.get_by_label("Caption of face-2.png").blur()
    page.reload()
    page.wait_for_load_state()
    expect(page.locator("#training")).to_contain_text("A draft with 6 images waits.")
    page.locator("#training").get_by_role("link", name="Go on").click()
    expect(dialog.get_by_label("Caption of face-2.png")).to_have_value("at night")
    dialog.get_by_role("link", name="Discard draft").click()
    expect(dialog).to_contain_text("Its 6 images, captions and settings go.")
    dialog.get_by_role("button", name="Discard").click()
    expect(page.locator(".toast", has_text="Discarded the draft.")).to_be_visible()
    expect(page.locator("#training")).to_contain_text("No LoRA trained yet.")
    assert drafts.current(luna.pk) is None


def test_the_gallery_gives_images_to_the_training_set(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    for number in range(2):
        images.add(luna.pk, png(number))
    page = open_product(detail(luna))
    page.locator(".gallery a").first.click()
    page.locator("dialog[open]").get_by_role("button", name="Add to training set").click()
    expect(page.locator(".toast", has_text="The training set has 1 image; 4 more to begin.")).to_be_visible()
    page.keyboard.press("Escape")
    dialog = opened(page)
    expect(page.locator("li.picture")).to_have_count(1)
    dialog.locator("summary", has_text="From the gallery").click()
    expect(dialog.locator(".pick")).to_have_count(1)
    dialog.locator(".pick").click()
    dialog.get_by_role("button", name="Add chosen").click()
    expect(page.locator("li.picture")).to_have_count(2)


def test_a_training_is_followed_to_its_proof_and_attached_with_one_click(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    training = begun(luna, attach=False)
    page = open_product(detail(luna))
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).step)
    expect(page.locator("#training .job")).to_contain_text(re.compile(r"Step \d+ of 40|Test image"))
    page.locator("#training summary", has_text="Log").click()
    expect(page.locator("#training .log")).to_contain_text("Handed over to")
    see_through(training.job_id)
    expect(page.locator("#training .proof img")).to_have_count(2)
    page.locator("#training").get_by_role("button", name="Attach").click()
    expect(page.locator("#training .chip", has_text="in use")).to_be_visible()
    expect(page.locator(".hero .chip", has_text="LoRA v1")).to_be_visible()
    assert characters.get(luna.pk).lora == services.get(training.pk).lora


def test_a_running_one_is_cancelled_and_tried_again(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    training = begun(luna)
    page = open_product(detail(luna))
    page.locator("#training").get_by_role("button", name="Cancel").click()
    expect(page.locator("#training .job")).to_contain_text("Cancelled")
    expect(page.locator("#training figure")).to_have_count(0)
    page.locator("#training").get_by_role("button", name="Retry").click()
    expect(page.locator("#training .job")).to_contain_text("Queued")
    expect(page.locator("#training figure")).to_be_visible()
    assert see_through(training.job_id).state == "succeeded"


def test_a_failed_one_is_changed_and_trained_again(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "train_nan")
    see_through(begun(luna).job_id)
    page = open_product(detail(luna))
    expect(page.locator("#training .job.bad")).to_contain_text("Train again with a lower learning rate")
    page.locator("#training").get_by_role("button", name="Change and train again").click()
    dialog = page.locator("dialog[open]")
    expect(page.locator("li.picture")).to_have_count(5)
    expect(dialog.get_by_label("Learning rate")).to_have_value("0.0005")
    dialog.get_by_label("Learning rate").fill("0.0001")
    dialog.get_by_text("I have the right").click()
    dialog.get_by_role("button", name="Train LoRA").click()
    expect(page.locator("#training .job")).to_contain_text("Queued")
    assert Training.objects.get(state=TrainingState.QUEUED).learning_rate == 0.0001


def test_a_server_that_can_not_train_is_said_in_the_dialog(
    open_product: OpenPage, stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "no_training", times=0)
    dialog = opened(open_product(detail(luna)))
    expect(dialog.locator(".notice")).to_contain_text("can't train: it lacks LoadImageTextDataSetFromFolder")
    expect(dialog.locator(".notice")).to_contain_text("Update ComfyUI there to 0.3.76 or later")


def test_the_dialog_is_used_by_keyboard_alone(open_product: OpenPage, stage: Stage, luna: Character) -> None:
    drafts.collect(luna, sources(6))
    page = open_product(reverse("characters:list"))
    tab_to(page, "Train LoRA", most=60)
    page.keyboard.press("Enter")
    expect(page.locator("li.picture")).to_have_count(6)
    tab_to(page, "Remove 0.png")
    page.keyboard.press("Enter")
    expect(page.locator("li.picture")).to_have_count(5)
    expect(page.get_by_role("button", name="Remove 1.png")).to_be_focused()
    page.get_by_label("Steps").focus()
    page.keyboard.type("40")
    page.get_by_label("I have the right").focus()
    page.keyboard.press("Space")
    page.get_by_label("Steps").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    training = Training.objects.get()
    assert (training.state, training.steps, training.images_count) == (TrainingState.QUEUED, 40, 5)


def test_without_scripts_the_form_takes_files_begins_and_attaches(
    open_product: OpenPage, stage: Stage, luna: Character, files: list[Path]
) -> None:
    page = open_product(detail(luna), java_script_enabled=False)
    page.locator(".hero").get_by_role("link", name="Train LoRA").click()
    page.locator("#train-files").set_input_files(files[:2])
    page.get_by_role("button", name="Add images").click()
    expect(page.locator("li.picture")).to_have_count(2)
    page.locator("#train-files").set_input_files(files[2:])
    page.get_by_label("Base model").select_option(BASE)
    page.get_by_label("Steps").fill("40")
    page.get_by_label("I have the right").check()
    page.get_by_role("button", name="Train LoRA").click()
    expect(page.locator("#training .job")).to_be_visible()
    see_through(Job.objects.get().pk)
    page.reload()
    page.locator("#training").get_by_role("button", name="Attach").click()
    expect(page.locator("#training .chip", has_text="in use")).to_be_visible()
