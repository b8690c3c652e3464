"""`POST /api/generate-image` as `docs/api.md` describes it."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image as Picture

from characters.images import api, services
from characters.images.models import Image
from characters.models import Character
from influencer.errors import TookTooLong
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web import tokens
from influencer.web.endpoint import ApiRequest, waiting_slot
from tests.characters.people import someone
from tests.characters.stage import Stage, see_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def working() -> Any:
    """Whoever waits for a job runs it."""
    with jobs.working_here():
        yield


@pytest.fixture
def token() -> str:
    User.objects.create_superuser("owner", password="x" * 12)
    return tokens.make("test", username="owner")


@pytest.fixture
def post(token: str) -> Any:
    def post(body: Any, **headers: str) -> Any:
        sent = {
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): v for name, v in headers.items()},
        }
        return Client().post(
            "/api/generate-image", json.dumps(body), content_type="application/json", headers=sent
        )

    return post


def test_the_answer_holds_the_images_and_what_they_were_made_of(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    answer = post({"characterId": luna.pk, "prompt": "in a forest", "seed": 7, "count": 2})
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["success"] is True
    assert body["prompt"] == "portrait of luna_character, in a forest"
    assert (body["model"], body["seed"], body["sandbox"]) == ("sd_xl_base_1.0.safetensors", 7, True)
    assert body["negativePrompt"] == ""
    assert body["durationMs"] >= 0
    assert body["jobId"] == Job.objects.get().pk
    first, second = body["images"]
    assert body["image"] == first["base64"]
    assert (first["seed"], second["seed"]) == (7, 8)
    assert (first["width"], first["height"], first["mimeType"]) == (128, 128, "image/png")
    with Picture.open(io.BytesIO(base64.b64decode(second["base64"]))) as picture:
        assert picture.size == (128, 128)
    assert first["url"] == services.get(first["id"]).url


def test_who_did_not_wait_finds_the_answer_in_the_job(
    stage: Stage, luna: Character, token: str, post: Any
) -> None:
    with jobs.working_here():
        wish = {"characterId": luna.pk, "prompt": "in a forest", "seed": 7, "count": 2}
        answer = post(wish).json()
    shown = Client().get(f"/api/jobs/{answer['jobId']}", headers={"Authorization": f"Bearer {token}"})
    result = shown.json()["job"]["result"]
    for image in answer["images"]:
        del image["base64"]
    expected = {key: value for key, value in answer.items() if key not in ("success", "image")}
    assert {key: result[key] for key in expected} == expected


def test_the_job_of_images_that_are_deleted_keeps_its_bare_result(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    answer = post({"characterId": luna.pk, "prompt": "in a forest"}).json()
    services.delete(services.get(answer["images"][0]["id"]))
    result = Job.objects.get().as_json()["result"]
    assert result == {"imageIds": [answer["images"][0]["id"]], "sandbox": True}


def test_the_address_of_an_image_takes_the_token_too(
    stage: Stage, luna: Character, token: str, working: None, post: Any
) -> None:
    image = post({"characterId": luna.pk, "prompt": "in a forest"}).json()["images"][0]
    by_token = Client().get(image["url"], headers={"Authorization": f"Bearer {token}"})
    assert (by_token.status_code, by_token["Content-Type"]) == (200, "image/png")
    wrong = Client().get(image["url"], headers={"Authorization": "Bearer inf_wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthorized")
    page = Client().get(f"/characters/{luna.pk}/", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 302


def test_a_final_prompt_is_used_as_it_is_and_a_prompt_is_joined(
    stage: Stage, luna: Character, post: Any, working: None
) -> None:
    for wish, prompt in (
        ({"finalPrompt": "just a tree"}, "just a tree"),
        ({"prompt": "smiling"}, "portrait of luna_character, smiling"),
        ({}, "portrait of luna_character"),
    ):
        assert post({"characterId": luna.pk, "wait": False, **wish}).status_code == 202
        assert Job.objects.latest("created_at").request["prompt"] == prompt


def test_every_setting_reaches_the_recipe(stage: Stage, working: None, post: Any) -> None:
    wish = {
        "negativePrompt": "blur",
        "model": "sdxl_dreamshaper.safetensors",
        "lora": "luna_v3.safetensors",
        "loraStrength": 0.5,
        "width": 128,
        "height": 192,
        "steps": 3,
        "cfg": 4.5,
        "sampler": "euler",
        "scheduler": "normal",
        "seed": 0,
    }
    body = post({"characterId": someone().pk, **wish}).json()
    recipe = Image.objects.get(pk=body["images"][0]["id"]).recipe
    names = {"negativePrompt": "negative", "loraStrength": "lora_strength"}
    assert {key: recipe[names.get(key, key)] for key in wish} == wish
    assert body["seed"] == 0


def test_with_wait_false_the_job_is_given_at_once(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    answer = post({"characterId": luna.pk, "wait": False})
    assert answer.status_code == 202
    assert answer.json() == {"success": True, "jobId": Job.objects.get().pk}


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"characterId": None}, "characterId"),
        ({"characterId": ""}, "characterId"),
        ({"characterId": 5}, "characterId"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"steps": "20"}, "steps"),
        ({"steps": True}, "steps"),
        ({"steps": 0}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"seed": 10**18}, "seed"),
        ({"count": 0}, "count"),
        ({"count": 9}, "count"),
        ({"cfg": {}}, "cfg"),
        ({"width": 5000}, "width"),
        ({"loraStrength": 3}, "loraStrength"),
        ({"wait": "no"}, "wait"),
        ({"wait": 0}, "wait"),
        ({"finalPrompt": "x" * 20_001}, "finalPrompt"),
    ],
)
def test_a_wrong_value_is_400_with_the_key_it_was_sent_under(
    luna: Character, working: None, post: Any, wrong: dict[str, Any], key: str
) -> None:
    answer = post({"characterId": luna.pk, **wrong})
    assert answer.status_code == 400, answer.json()
    assert key in answer.json()["fields"]
    assert not Job.objects.exists()


def test_unknown_keys_do_no_harm(stage: Stage, luna: Character, working: None, post: Any) -> None:
    assert post({"characterId": luna.pk, "wait": False, "mood": "blue"}).status_code == 202


def test_an_unknown_character_is_404(working: None, post: Any) -> None:
    answer = post({"characterId": "char_gone"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_without_a_worker_it_is_503_and_nothing_is_queued(luna: Character, post: Any) -> None:
    answer = post({"characterId": luna.pk})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")
    assert not Job.objects.exists()


def test_without_a_sandbox_it_is_503_and_says_what_to_start(
    luna: Character, working: None, post: Any
) -> None:
    answer = post({"characterId": luna.pk})
    assert (answer.status_code, answer.json()["code"]) == (503, "sandbox_down")
    assert "manage.py up" in answer.json()["error"]


def test_a_failure_of_the_server_is_502_with_its_code_and_what_to_do(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    stage.order("comfyui", "oom")
    answer = post({"characterId": luna.pk})
    body = answer.json()
    assert (answer.status_code, body["code"], body["success"]) == (502, "out_of_memory", False)
    assert body["error"].startswith("The server ran out of graphics memory. Choose a smaller size")
    assert body["jobId"] == Job.objects.get().pk


def test_a_missing_model_is_502_and_names_it(stage: Stage, luna: Character, working: None, post: Any) -> None:
    answer = post({"characterId": luna.pk, "model": "gone.safetensors"})
    assert answer.status_code == 502
    assert answer.json()["error"] == (
        "The model 'gone.safetensors' is not on any server that answers. Refresh models or choose another."
    )


def test_a_wait_that_takes_too_long_is_504_and_the_job_goes_on(
    luna: Character, post: Any, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(job_id: str, *, seconds: float) -> None:
        assert seconds == 300
        raise TookTooLong("It takes longer; the job goes on.", retryable=True, details={"jobId": job_id})

    monkeypatch.setattr(api.jobs, "wait_for", too_long)
    answer = post({"characterId": luna.pk})
    job = Job.objects.get()
    assert (answer.status_code, answer.json()["jobId"], job.state) == (504, job.pk, "queued")


def test_a_cancelled_job_is_409(luna: Character, post: Any, working: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(api.jobs, "wait_for", lambda job_id, *, seconds: jobs.cancel(job_id))
    answer = post({"characterId": luna.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "cancelled")


def test_a_fifth_request_that_would_wait_gets_its_job_at_once(
    luna: Character, post: Any, working: None
) -> None:
    with waiting_slot(), waiting_slot(), waiting_slot(), waiting_slot():
        assert post({"characterId": luna.pk}).status_code == 202


# --- the same request again ------------------------------------------------------------------


def test_the_same_key_gives_the_same_answer_and_makes_nothing_again(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    wish = {"characterId": luna.pk, "seed": 7}
    first, second = post(wish, Idempotency_Key="k1"), post(wish, Idempotency_Key="k1")
    assert first.json() == second.json()
    assert first.json()["image"]
    assert (stage.prompts_sent, Job.objects.count()) == (1, 1)


def test_the_same_key_with_another_body_is_409(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    post({"characterId": luna.pk, "wait": False}, Idempotency_Key="k1")
    answer = post({"characterId": luna.pk, "wait": False, "seed": 1}, Idempotency_Key="k1")
    assert (answer.status_code, Job.objects.count()) == (409, 1)


def test_after_a_retryable_failure_the_same_key_makes_a_new_job(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    stage.order("comfyui", "corrupt_image")
    wish = {"characterId": luna.pk}
    assert post(wish, Idempotency_Key="k1").status_code == 502
    assert post(wish, Idempotency_Key="k1").status_code == 200
    assert Job.objects.count() == 2


def test_a_replay_after_the_image_was_deleted_is_404(
    stage: Stage, luna: Character, working: None, post: Any
) -> None:
    wish = {"characterId": luna.pk}
    post(wish, Idempotency_Key="k1")
    image = Image.objects.get()
    image.path.unlink()
    answer = post(wish, Idempotency_Key="k1")
    assert (answer.status_code, image.pk in answer.json()["error"]) == (404, True)
    services.delete(image)
    assert post(wish, Idempotency_Key="k1").json()["code"] == "images_deleted"


def test_a_job_and_its_key_are_one_transaction(
    luna: Character, post: Any, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: ApiRequest, subject: str) -> None:
        raise RuntimeError("the process ended here")

    monkeypatch.setattr(ApiRequest, "bind", die)
    assert post({"characterId": luna.pk}, Idempotency_Key="k1").status_code == 500
    assert not Job.objects.exists()


def test_the_job_tells_the_same_without_the_pictures(
    stage: Stage, luna: Character, working: None, post: Any, token: str
) -> None:
    job_id = post({"characterId": luna.pk, "wait": False}).json()["jobId"]
    see_through(job_id)
    answer = Client().get(f"/api/jobs/{job_id}", headers={"Authorization": f"Bearer {token}"}).json()
    assert answer["job"]["state"] == "succeeded"
    assert answer["job"]["result"]["imageIds"] == [Image.objects.get().pk]
