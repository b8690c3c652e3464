"""The Train LoRA dialog, with htmx and as a page without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from characters import catalog
from characters.catalog import Catalog, Listed, Server
from characters.images import services as images
from characters.models import Character
from characters.training import drafts
from characters.training.models import Training, TrainingState
from influencer.clients.comfyui import training
from influencer.jobs import health
from influencer.jobs.models import Job
from tests.characters.factories import signed_in
from tests.characters.people import someone
from tests.characters.stage import Stage, see_through
from tests.characters.training.lessons import BASE, begun, blurred, png, sources

pytestmark = pytest.mark.django_db

SETTINGS = {"trigger_word": "luna_character", "base_model": BASE}
RIGHTS = {"rights_confirmed": "on"}


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "cluster_alive", lambda name: True)
    monkeypatch.setattr(training, "LISTEN_SECONDS", 0.05)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models to train on and one that is not for that, as a server would list them."""
    named = [(BASE, "SD 1.5"), ("sd_xl_base_1.0.safetensors", "SDXL"), ("qwen_image_fp8.safetensors", "")]
    listed = [Listed(name, family, "checkpoint", ["http://gpu"]) for name, family in named]
    found = Catalog(listed, servers=[Server("http://gpu", True)])
    monkeypatch.setattr(catalog, "ask", lambda **_: (found, "live"))


@pytest.fixture
def client() -> Client:
    return signed_in()


def address(luna: Character, name: str = "train", *more: Any) -> str:
    return reverse(f"training:{name}", args=[luna.pk, *more])


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def faces(count: int = 5) -> list[SimpleUploadedFile]:
    return [file(f"{number}.png", png(number)) for number in range(count)]


def said(answer: Any) -> str:
    text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def draft_of(luna: Character) -> Training:
    found = drafts.current(luna.pk)
    assert found is not None
    return found


def htmx(client: Client, url: str, data: Any = None) -> Any:
    return client.post(url, data or {}, headers={"HX-Request": "true"})


# --- gathering -------------------------------------------------------------------------------


def test_the_dialog_suggests_word_model_and_the_familys_usual_values(
    client: Client, models: None, luna: Character
) -> None:
    page = client.get(address(luna)).content.decode()
    assert 'value="luna_character"' in page
    assert re.search(r'<option value="sd_xl_base_1.0.safetensors"\s+selected', page)
    assert "v1-5-pruned-emaonly-fp16 · SD 1.5" in page
    assert 'placeholder="1500"' in page and 'placeholder="0.0003"' in page
    assert "5 to 40 of one person" in page


def test_dropped_images_are_shown_with_size_caption_and_thumbnail(
    client: Client, models: None, luna: Character
) -> None:
    files = [*faces(2), file("1.txt", b"by the sea"), file("1.png", png(8, width=1024, height=1280))]
    answer = htmx(client, address(luna, "add"), {"images": files, **SETTINGS})
    draft = draft_of(luna)
    assert [row["caption"] for row in draft.images] == ["", "by the sea", "by the sea"]
    assert "<dialog" not in answer.content.decode()
    assert "3 of 40, 2 more to begin" in said(answer)
    assert "1.png 1024 × 1280" in said(answer)
    assert f"training-{luna.pk}" in answer["HX-Trigger"]
    for row in draft.images:
        picture = client.get(reverse("training:thumbnail", args=[draft.pk, row["file"].partition(".")[0]]))
        assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")


def test_a_text_may_come_after_its_image(client: Client, models: None, luna: Character) -> None:
    htmx(client, address(luna, "add"), {"images": faces(2)})
    answer = htmx(
        client, address(luna, "add"), {"images": [file("0.txt", b"at night"), file("nobody.txt", b"?")]}
    )
    assert [row["caption"] for row in draft_of(luna).images] == ["at night", ""]
    assert "nobody.txt: there is no image of this name." in said(answer)


def test_what_can_not_be_used_is_named_and_the_rest_is_added(
    client: Client, models: None, luna: Character
) -> None:
    odd = [file("notes.png", b"just a text"), file("0.txt", b"\xff\xfe\xff")]
    answer = htmx(client, address(luna, "add"), {"images": [*faces(2), *odd]})
    assert len(draft_of(luna).images) == 2
    assert "These 2 were not added." in said(answer)
    assert "notes.png: The file is not an image" in said(answer)
    assert "0.txt is not a text in UTF-8." in said(answer)


def test_too_many_are_refused_and_nothing_is_lost(client: Client, models: None, luna: Character) -> None:
    htmx(client, address(luna, "add"), {"images": faces(3)})
    answer = htmx(client, address(luna, "add"), {"images": [file(f"{n}.png", b"x") for n in range(38)]})
    assert "Training takes at most 40 images; these are 41." in said(answer)
    assert len(draft_of(luna).images) == 3


def test_an_upload_of_more_than_500_mb_is_refused(client: Client, luna: Character) -> None:
    answer = client.post(
        address(luna, "add"),
        {"images": faces(1)},
        headers={"HX-Request": "true"},
        CONTENT_LENGTH=str(500 * 1024 * 1024 + 1),
    )
    assert answer.status_code == 413
    assert "500 MB" in answer["HX-Trigger"]
    assert drafts.current(luna.pk) is None


def test_warnings_stand_beside_their_image_and_follow_the_models_size(
    client: Client, models: None, luna: Character
) -> None:
    odd = [*faces(1), file("again.png", png(0)), file("soft.png", blurred(4))]
    answer = htmx(client, address(luna, "add"), {"images": odd})
    assert "3 to look at" in said(answer)
    assert "like 0.png" in said(answer) and "small" in said(answer) and "blurred" in said(answer)
    answer = htmx(client, address(luna, "keep") + "?part", SETTINGS)
    assert "2 to look at" in said(answer)
    assert "small" not in said(answer)
    assert 'placeholder="1000"' in answer.content.decode()
    assert 'id="train-parts"' in answer.content.decode() and "<dialog" not in answer.content.decode()


def test_images_of_the_gallery_are_picked_once(client: Client, models: None, luna: Character) -> None:
    image = images.add(luna.pk, png(5))
    answer = htmx(client, address(luna, "add"), {"gallery": [image.pk]})
    assert draft_of(luna).images[0]["name"] == image.path.name
    assert f'value="{image.pk}"' not in answer.content.decode()
    other = images.add(someone("Kai").pk, png(6))
    assert htmx(client, address(luna, "add"), {"gallery": [other.pk]}).status_code == 404


def test_an_image_is_removed_and_the_draft_discarded(client: Client, models: None, luna: Character) -> None:
    htmx(client, address(luna, "add"), {"images": faces(2)})
    answer = htmx(client, address(luna, "remove", 0), {"caption-1": "in the rain"})
    assert "0.png" not in said(answer)
    htmx(client, address(luna, "remove", 1), {**SETTINGS, "caption-1": "x"})
    assert draft_of(luna).images == []
    htmx(client, address(luna, "add"), {"images": faces(2)})
    question = client.get(address(luna, "discard"))
    assert "Its 2 images, captions and settings go." in said(question)
    answer = htmx(client, address(luna, "discard"))
    assert "Discarded the draft." in answer["HX-Trigger"]
    assert not Training.objects.exists()


# --- keeping ---------------------------------------------------------------------------------


def test_captions_and_settings_survive_a_reload(client: Client, models: None, luna: Character) -> None:
    htmx(client, address(luna, "add"), {"images": faces(2)})
    kept = {**SETTINGS, "steps": "300", "rank": "no number", "caption-1": "by a red wall", "caption-99": "x"}
    assert htmx(client, address(luna, "keep"), kept).status_code == 204
    page = client.get(address(luna)).content.decode()
    assert ">by a red wall</textarea>" in page
    assert re.search(rf'<option value="{BASE}"\s+selected', page)
    assert 'value="300"' in page and 'placeholder="16"' in page


def test_a_setting_that_is_emptied_is_the_usual_again(client: Client, models: None, luna: Character) -> None:
    htmx(client, address(luna, "add"), {"images": faces(2)})
    htmx(client, address(luna, "keep"), {**SETTINGS, "steps": "300"})
    htmx(client, address(luna, "keep"), {**SETTINGS, "steps": ""})
    assert draft_of(luna).steps == 0
    assert 'value="300"' not in client.get(address(luna)).content.decode()


def test_a_caption_that_comes_after_the_beginning_is_no_failure(
    client: Client, models: None, luna: Character
) -> None:
    begun(luna)
    assert htmx(client, address(luna, "keep"), {**SETTINGS, "caption-0": "late"}).status_code == 204


def test_a_draft_lives_as_long_as_it_is_touched(luna: Character) -> None:
    old = drafts.collect(luna, sources(1)).training
    Training.objects.update(created_at=old.created_at - drafts.KEPT)
    assert len(drafts.gather(luna, sources(1, first=5)).training.images) == 2
    drafts.collect(someone("Kai"), sources(1))
    assert drafts.current(luna.pk) is not None


# --- beginning -------------------------------------------------------------------------------


def test_train_lora_begins_with_what_stands_in_the_dialog(
    client: Client, models: None, luna: Character
) -> None:
    htmx(client, address(luna, "add"), {"images": faces()})
    sent = {**SETTINGS, **RIGHTS, "steps": "40", "rank": "4", "caption-0": "by the sea"}
    answer = htmx(client, address(luna), sent)
    assert answer.status_code == 204
    assert "has begun" in answer["HX-Trigger"] and "dialog-close" in answer["HX-Trigger"]
    made = Training.objects.get()
    assert (made.state, made.steps, made.rank) == (TrainingState.QUEUED, 40, 4)
    assert (made.base_model, made.learning_rate) == (BASE, 0.0005)
    assert made.rights_confirmed
    assert made.images[0]["caption"] == "by the sea"
    assert Job.objects.get().request["attach"] is False
    assert drafts.current(luna.pk) is None


@pytest.mark.parametrize(
    ("count", "sent", "why"),
    [
        (4, RIGHTS, "Training takes at least 5 images; there are 4."),
        (0, RIGHTS, "Training takes at least 5 images; there is none."),
        (5, {}, "Training needs this confirmation."),
        (5, {**RIGHTS, "steps": "3"}, "greater than or equal to 10"),
        (5, {**RIGHTS, "resolution": "500"}, "multiple of 64"),
        (5, {**RIGHTS, "trigger_word": "luna, moon"}, "A trigger word has no comma"),
        (5, {**RIGHTS, "base_model": "qwen_image_fp8.safetensors"}, "A LoRA can't be trained for this model"),
    ],
)
def test_a_refusal_is_said_in_the_dialog_and_keeps_what_was_typed(
    client: Client, models: None, luna: Character, count: int, sent: dict[str, str], why: str
) -> None:
    if count:
        htmx(client, address(luna, "add"), {"images": faces(count)})
    answer = htmx(client, address(luna), {**SETTINGS, "caption-0": "a hat", "rank": "7", **sent})
    assert answer.status_code == 422
    text = answer.content.decode().replace("&#x27;", "'")
    assert why in text
    assert 'value="7"' in text
    assert (">a hat</textarea>" in text) == bool(count)
    assert not Job.objects.exists()


def test_without_a_worker_nothing_begins(
    client: Client, models: None, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "cluster_alive", lambda name: False)
    htmx(client, address(luna, "add"), {"images": faces()})
    answer = htmx(client, address(luna), {**SETTINGS, **RIGHTS})
    assert answer.status_code == 422
    assert "worker" in said(answer)
    assert draft_of(luna).images


def test_without_scripts_one_post_takes_files_captions_and_begins(
    client: Client, models: None, luna: Character
) -> None:
    sent = {**SETTINGS, **RIGHTS, "images": [*faces(), file("3.txt", b"in blue")]}
    answer = client.post(address(luna), sent)
    assert (answer.status_code, answer["Location"]) == (
        303,
        reverse("characters:detail", args=[luna.pk]) + "#training",
    )
    assert Training.objects.get().images[3]["caption"] == "in blue"


def test_without_scripts_a_refused_file_stops_the_beginning(
    client: Client, models: None, luna: Character
) -> None:
    answer = client.post(address(luna), {**SETTINGS, **RIGHTS, "images": [*faces(), file("no.png", b"no")]})
    assert answer.status_code == 422
    assert "no.png: The file is not an image" in said(answer)
    assert len(draft_of(luna).images) == 5


def test_without_scripts_adding_removing_and_discarding_lead_back(
    client: Client, models: None, luna: Character
) -> None:
    answer = client.post(address(luna, "add"), {"images": faces(2), **SETTINGS})
    assert (answer.status_code, answer["Location"]) == (303, address(luna))
    answer = client.post(address(luna, "remove", 0), {**SETTINGS, "caption-1": "kept"})
    assert answer["Location"] == address(luna)
    assert ">kept</textarea>" in client.get(address(luna)).content.decode()
    assert client.post(address(luna, "discard"))["Location"].endswith("#training")
    assert drafts.current(luna.pk) is None
    answer = client.post(address(luna, "add"), {"images": [file("no.png", b"no")]})
    assert answer.status_code == 422


# --- again, and when nothing can be trained --------------------------------------------------


def test_change_and_train_again_begins_with_the_same_images_and_settings(
    client: Client, stage: Stage, luna: Character
) -> None:
    stage.order("comfyui", "train_oom")
    failed = begun(luna, rank=32)
    see_through(failed.job_id)
    answer = htmx(client, reverse("training:again", args=[failed.pk]))
    assert "<dialog" in answer.content.decode() and 'value="32"' in answer.content.decode()
    draft = draft_of(luna)
    assert [row["caption"] for row in draft.images] == [f"smiling {n}" for n in range(5)]
    assert (draft.folder / draft.images[0]["file"]).read_bytes() == png(0)
    refused = htmx(client, reverse("training:again", args=[failed.pk]))
    assert refused.status_code == 409
    assert "There is a draft already" in refused["HX-Trigger"]
    drafts.discard(draft.pk)
    page = client.post(reverse("training:again", args=[failed.pk]))
    assert page["Location"] == address(luna)


def test_servers_that_can_not_train_are_said_before_anything_begins(
    client: Client, stage: Stage, luna: Character
) -> None:
    ready = address(luna, "ready") + f"?base_model={BASE}"
    assert client.get(ready).status_code == 204
    stage.order("comfyui", "no_training", times=0)
    assert "TrainLoraNode" in said(client.get(ready))
    assert "0.3.76" in said(client.get(ready))


def test_a_silent_server_is_said_in_the_dialog(client: Client, stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "down", times=0)
    catalog.refresh()
    page = said(client.get(address(luna)))
    assert "No model to train on: " in page
    assert client.get(address(luna, "ready")).status_code == 200


def test_without_any_server_the_dialog_says_so(client: Client, luna: Character, settings: Any) -> None:
    page = client.get(address(luna))
    assert page.status_code == 200
    assert 'class="notice bad"' in page.content.decode()


def test_a_model_that_is_gone_stays_chosen_and_is_marked(
    client: Client, models: None, luna: Character
) -> None:
    htmx(client, address(luna, "add"), {"images": faces(1)})
    htmx(client, address(luna, "keep"), {**SETTINGS, "base_model": "old_sdxl.safetensors"})
    assert "old_sdxl.safetensors · on no server now" in said(client.get(address(luna)))
