"""`/api/lora/v2/train` as `docs/api.md` describes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from characters.images import services as images
from characters.models import Character
from characters.training import services
from characters.training.models import Training
from influencer import paths
from influencer.jobs import health
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web import tokens
from tests.characters.people import someone
from tests.characters.stage import Stage, attempt, see_through
from tests.characters.training.lessons import BASE, STEPS, blurred, encoded, png, portrait

pytestmark = pytest.mark.django_db

URL = "/api/lora/v2/train"
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes what is started."""
    monkeypatch.setattr(health, "cluster_alive", lambda name: True)


@pytest.fixture
def ask() -> Ask:
    User.objects.create_superuser("owner", password="x" * 12)
    token = tokens.make("test", username="owner")

    def ask(method: str, url: str = URL, body: Any = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        client = Client()
        if method == "form":
            return client.post(url, body, headers=headers)
        return client.generic(
            method, url, json.dumps(body) if body is not None else "", "application/json", headers=headers
        )

    return ask


def items(count: int = 5) -> list[dict[str, Any]]:
    return [
        {"data": base64.b64encode(png(number)).decode(), "caption": f"smiling {number}"}
        for number in range(count)
    ]


def wanted(character: Character, **more: Any) -> dict[str, Any]:
    return {
        "characterId": character.pk,
        "trainingImages": items(),
        "baseModel": BASE,
        "steps": STEPS,
        "seed": 3,
        **more,
    }


def uploads(count: int = 5) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{number}.png", png(number), "image/png") for number in range(count)]


def test_a_training_is_accepted_followed_and_ends_with_a_lora(
    stage: Stage, luna: Character, ask: Ask
) -> None:
    answer = ask("POST", body=wanted(luna))
    accepted = answer.json()
    assert answer.status_code == 202, accepted
    assert set(accepted) == {"success", "trainingId", "jobId", "status", "warnings"}
    assert (accepted["status"], accepted["warnings"]) == ("queued", [])
    attempt(accepted["jobId"])
    path = f"{URL}/{accepted['trainingId']}"
    assert ask("GET", path).json()["status"] in ("preparing", "running")
    see_through(accepted["jobId"])
    done = ask("GET", f"{path}/").json()
    assert (done["success"], done["status"], done["step"], done["steps"]) == (True, "succeeded", STEPS, STEPS)
    assert done["lora"] in stage.comfy("/models/loras")
    assert (done["version"], done["attached"], done["sandbox"], done["error"]) == (1, True, True, None)
    assert done["startedAt"] < done["finishedAt"]
    assert all(len(point) == 2 for point in done["loss"])
    assert images.get(done["testImages"]["with"]).seed == images.get(done["testImages"]["without"]).seed
    assert (done["family"], done["baseModel"], done["triggerWord"]) == ("SD 1.5", BASE, "luna_character")


def test_a_form_with_files_does_the_same(stage: Stage, luna: Character, ask: Ask) -> None:
    captions = json.dumps(["one", "two", "", "four", "five"])
    form = {
        "characterId": luna.pk,
        "baseModel": BASE,
        "steps": str(STEPS),
        "learningRate": "0.0002",
        "attach": "false",
        "images": uploads(),
        "captions": captions,
    }
    answer = ask("form", body=form)
    assert answer.status_code == 202, answer.json()
    training = services.get(answer.json()["trainingId"])
    assert (training.steps, training.learning_rate) == (STEPS, 0.0002)
    assert [row["caption"] for row in training.images] == ["one", "two", "", "four", "five"]
    assert jobs.get(training.job_id).request["attach"] is False


def test_text_files_in_a_form_are_captions(stage: Stage, luna: Character, ask: Ask) -> None:
    texts = [SimpleUploadedFile(f"{number}.txt", f"text {number}".encode()) for number in range(5)]
    form = {"characterId": luna.pk, "baseModel": BASE, "images": [*texts, *uploads()]}
    training = services.get(ask("form", body=form).json()["trainingId"])
    assert [row["caption"] for row in training.images] == [f"text {number}" for number in range(5)]


def test_images_of_the_gallery_are_named_by_their_id(stage: Stage, luna: Character, ask: Ask) -> None:
    mine = images.add(luna.pk, png(9))
    chosen = [{"imageId": mine.pk, "caption": "by the sea"}, *items(4)]
    training = services.get(ask("POST", body=wanted(luna, trainingImages=chosen)).json()["trainingId"])
    assert training.images[0]["caption"] == "by the sea"
    other = images.add(someone("Kai").pk, png(8))
    refused = ask("POST", body=wanted(luna, trainingImages=[{"imageId": other.pk}, *items(4)]))
    assert refused.status_code == 404


def test_what_speaks_against_an_image_is_warned_about(stage: Stage, luna: Character, ask: Ask) -> None:
    copy = base64.b64encode(encoded(portrait(0), "JPEG", quality=80)).decode()
    soft = "data:image/png;base64," + base64.b64encode(blurred(8)).decode()
    offered = [*items(4), {"data": copy, "name": "copy.jpg"}, {"data": soft}]
    accepted = ask("POST", body=wanted(luna, trainingImages=offered)).json()
    assert [(one["image"], one["code"]) for one in accepted["warnings"]] == [
        (4, "near_duplicate"),
        (5, "blurred"),
    ]
    assert accepted["warnings"][0]["message"] == "copy.jpg is almost the same as image 1."
    shown = ask("GET", f"{URL}/{accepted['trainingId']}").json()
    assert shown["warnings"] == accepted["warnings"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"characterId": None}, "invalid", "characterId"),
        ({"trainingImages": items(2)}, "too_few_images", "trainingImages"),
        ({"trainingImages": items(1) * 41}, "too_many_images", "trainingImages"),
        ({"trainingImages": "none"}, "invalid", "trainingImages"),
        ({"trainingImages": None}, "invalid", "trainingImages"),
        ({"trainingImages": [*items(4), {"data": "bm90IGFuIGltYWdl"}]}, "image_refused", "trainingImages.4"),
        ({"trainingImages": [*items(4), {"data": "%%%"}]}, "image_refused", "trainingImages.4"),
        ({"trainingImages": [*items(4), {"caption": "x"}]}, "invalid", "trainingImages.4"),
        ({"trainingImages": [*items(4), {**items(1)[0], "caption": 7}]}, "invalid", "trainingImages.4"),
        ({"steps": 5}, "invalid", "steps"),
        ({"steps": "many"}, "invalid", "steps"),
        ({"rank": 500}, "invalid", "rank"),
        ({"learningRate": 3}, "invalid", "learningRate"),
        ({"learningRate": "NaN"}, "invalid", "learningRate"),
        ({"resolution": 500}, "invalid", "resolution"),
        ({"triggerWord": "a, b"}, "invalid", "triggerWord"),
        ({"steps": [1]}, "invalid", "steps"),
        ({"steps": True}, "invalid", "steps"),
        ({"baseModel": "qwen_image_2512_fp8_e4m3fn.safetensors"}, "family_unsupported", "baseModel"),
        ({"name": "bell\x07"}, "invalid", "name"),
    ],
)
def test_what_can_not_be_trained_is_refused_with_its_field_and_nothing_kept(
    stage: Stage, luna: Character, ask: Ask, change: dict[str, Any], code: str, field: str
) -> None:
    answer = ask("POST", body=wanted(luna, **change))
    refused = answer.json()
    assert answer.status_code == 400, refused
    assert (refused["code"], list(refused["fields"])) == (code, [field])
    assert not Training.objects.exists()
    assert not Job.objects.exists()
    assert not list((paths.media()).rglob("*.png"))


def test_a_text_file_named_png_is_named_in_the_refusal(stage: Stage, luna: Character, ask: Ask) -> None:
    files = [*uploads(4), SimpleUploadedFile("notes.png", b"just a text", "image/png")]
    refused = ask("form", body={"characterId": luna.pk, "images": files}).json()
    assert refused["code"] == "image_refused"
    assert refused["fields"]["images.4"][0].startswith("notes.png: The file is not an image")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attach", "false"),
        ("rightsConfirmed", 1),
        ("name", 5),
        ("baseModel", True),
        ("steps", "30"),
        ("seed", []),
    ],
)
def test_values_of_another_type_are_refused(luna: Character, ask: Ask, key: str, value: Any) -> None:
    answer = ask("POST", body=wanted(luna, **{key: value}))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [key])
    assert not Training.objects.exists()


def test_a_form_says_true_or_false_in_words(luna: Character, ask: Ask) -> None:
    answer = ask("form", body={"characterId": luna.pk, "images": uploads(), "attach": "perhaps"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["attach"])


@pytest.mark.parametrize(
    "captions", ['["1", "2", "3", "4", "5", "6"]', "not json", "{}", "[1]", '["bell\\u0007"]']
)
def test_captions_that_are_no_list_of_texts_are_refused(
    stage: Stage, luna: Character, ask: Ask, captions: str
) -> None:
    form = {"characterId": luna.pk, "images": uploads(), "captions": captions}
    answer = ask("form", body=form)
    assert answer.status_code == 400
    assert "captions" in answer.json()["fields"]


def test_unknown_characters_and_trainings_are_not_found(luna: Character, ask: Ask) -> None:
    assert ask("POST", body={"characterId": "char_0", "trainingImages": []}).status_code == 404
    assert ask("GET", f"{URL}/train_0").status_code == 404
    assert ask("DELETE", f"{URL}/train_0").status_code == 404


def test_other_methods_and_bodies_are_refused(luna: Character, ask: Ask) -> None:
    assert ask("PUT").status_code == 405
    assert ask("POST", f"{URL}/train_0").status_code == 405
    assert Client().get(URL).status_code == 401


def test_without_a_worker_nothing_begins(
    stage: Stage, luna: Character, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    answer = ask("POST", body=wanted(luna))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")
    assert not Training.objects.exists()


def test_the_same_key_begins_one_training(stage: Stage, luna: Character, ask: Ask) -> None:
    first, second = (
        ask("POST", body=wanted(luna), headers={"Idempotency-Key": "k1"}).json() for _ in range(2)
    )
    assert first == second
    assert Training.objects.count() == Job.objects.count() == 1


def test_delete_cancels_and_says_how_it_stands(stage: Stage, luna: Character, ask: Ask) -> None:
    path = f"{URL}/{ask('POST', body=wanted(luna)).json()['trainingId']}"
    answer = ask("DELETE", path)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    again = ask("DELETE", path)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")


def test_a_finished_one_can_not_be_cancelled(luna: Character, ask: Ask) -> None:
    job = Job.objects.create(kind="train_lora", cluster="default", state="succeeded")
    Training.objects.create(id="train_1", character_id=luna.pk, state="succeeded", job_id=job.pk)
    answer = ask("DELETE", f"{URL}/train_1")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_finished")


def test_a_failure_carries_its_error(stage: Stage, luna: Character, ask: Ask) -> None:
    stage.order("comfyui", "train_oom")
    accepted = ask("POST", body=wanted(luna)).json()
    see_through(accepted["jobId"])
    failed = ask("GET", f"{URL}/{accepted['trainingId']}").json()
    assert failed["status"] == "failed"
    assert (failed["error"]["code"], failed["error"]["step"]) == ("out_of_memory", "train")
    assert "fix" in failed["error"] and "status" not in failed["error"]


def test_the_list_has_the_newest_first_without_drafts(luna: Character, ask: Ask) -> None:
    kai = someone("Kai")
    for number, (who, state) in enumerate(
        [(luna, "succeeded"), (kai, "failed"), (luna, "failed"), (luna, "draft")]
    ):
        Training.objects.create(id=f"train_{number}", character_id=who.pk, state=state)
    everything = ask("GET").json()
    assert everything["total"] == 3
    assert [one["trainingId"] for one in everything["trainings"]] == ["train_2", "train_1", "train_0"]
    lunas = ask("GET", f"{URL}?characterId={luna.pk}&status=failed").json()
    assert [one["trainingId"] for one in lunas["trainings"]] == ["train_2"]
    assert ask("GET", f"{URL}?status=nonsense").status_code == 400
    assert ask("GET", f"{URL}?page=nonsense").status_code == 400
    assert ask("GET", f"{URL}?page=2").json()["trainings"] == []


def test_an_address_with_a_password_shows_without_it(luna: Character, ask: Ask, settings: Any) -> None:
    training = Training.objects.create(
        id="train_1", character_id=luna.pk, state="failed", server="http://gpu:8188"
    )
    assert ask("GET", f"{URL}/{training.pk}").json()["server"] == "http://gpu:8188"
