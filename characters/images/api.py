"""`/api/generate-image`, as `docs/api.md` describes it."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.db import transaction

from characters import payload
from characters import services as characters
from characters.images import generation, storage
from characters.images.forms import WishForm
from characters.images.models import Image
from influencer.errors import Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web.endpoint import Answer, ApiRequest, endpoint, waiting_slot

WAIT_SECONDS = 300
KEYS = {payload.camel(name): name for name in WishForm.base_fields}


@endpoint(methods=("POST",), idempotent=True, replay=lambda request, job_id: _answer(request, job_id))
def generate_image(request: ApiRequest) -> Answer:
    body = request.json
    _check_types(body)
    if not body.get("characterId"):
        raise Invalid("Say which character: characterId is missing.", fields={"characterId": ["Required."]})
    character = characters.get(body["characterId"])
    form = WishForm({name: body[key] for key, name in KEYS.items() if body.get(key) is not None})
    if not form.is_valid():
        raise form_problem(form)
    jobs.require_worker("gpu")
    with transaction.atomic():
        job = generation.start(character, form.wish(), user_id=request.user.pk)
        request.bind(job.pk)
    return _answer(request, job.pk)


def _check_types(body: dict[str, Any]) -> None:
    """Refuse values of the wrong JSON type; keys nobody knows do no harm. Raises `Invalid`."""
    wrong = {
        key: [fault] for key, value in body.items() if value is not None and (fault := _fault(key, value))
    }
    if wrong:
        raise payload.refused(wrong)


def _fault(key: str, value: Any) -> str:
    if key == "wait":
        return "" if isinstance(value, bool) else "This must be true or false."
    field = WishForm.base_fields.get(KEYS.get(key, ""))
    if isinstance(field, forms.IntegerField):  # which a FloatField is too
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        return "" if numeric else "This must be a number."
    if field is None and key != "characterId":
        return ""
    return "" if isinstance(value, str) else "This must be text."


def form_problem(form: WishForm) -> Invalid:
    """A refused form under the keys of the request."""
    fields = {
        payload.camel(name): [str(message) for message in messages] for name, messages in form.errors.items()
    }
    return payload.refused(fields)


def _answer(request: ApiRequest, job_id: str) -> Answer:
    """The finished job's images, or 202 when the caller or the server does not wait."""
    if request.json.get("wait", True) is False:
        return 202, {"jobId": job_id}
    with waiting_slot() as granted:
        if not granted:
            return 202, {"jobId": job_id}
        job = jobs.wait_for(job_id, seconds=WAIT_SECONDS)
    return answer_of(job)


def answer_of(job: Job) -> dict[str, Any]:
    """The body of a finished generation. Raises what it failed with."""
    images = images_of(job)
    shown = [{**image.as_json(), "base64": _base64(image)} for image in images]
    return {**facts_of(job, images), "image": shown[0]["base64"], "images": shown}


def images_of(job: Job) -> list[Image]:
    """What a generation made. Raises what it failed with, `NotFound` when nothing is left of it."""
    result = jobs.result_of(job)
    found = Image.objects.in_bulk(result["imageIds"])
    images = [found[pk] for pk in result["imageIds"] if pk in found]
    if not images:
        raise NotFound("The images of this job have been deleted since.", code="images_deleted")
    return images


def result_of(job: Job) -> dict[str, Any]:
    """The same without the pictures themselves, as the job shows it."""
    return facts_of(job, images_of(job))


def facts_of(job: Job, images: list[Image]) -> dict[str, Any]:
    """All about a generation but the pictures themselves."""
    first = images[0]
    return {
        "jobId": job.pk,
        "images": [image.as_json() for image in images],
        "prompt": first.prompt,
        "negativePrompt": first.recipe.get("negative", ""),
        "model": first.model,
        "seed": first.seed,
        "durationMs": sum(image.duration_ms or 0 for image in images),
        "sandbox": first.sandbox,
    }


def _base64(image: Image) -> str:
    try:
        return base64.b64encode(image.path.read_bytes()).decode()
    except OSError:
        raise storage.file_gone(image) from None
