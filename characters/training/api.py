"""`/api/lora/v2/train`, as `docs/api.md` describes it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from django import forms

from characters import payload
from characters import services as characters
from characters.images import services as images
from characters.training import dataset, services
from characters.training.dataset import Source
from characters.training.forms import TrainingForm
from characters.training.models import Training, TrainingState
from influencer.errors import Invalid
from influencer.jobs import services as jobs
from influencer.web import body as bodies
from influencer.web import paging
from influencer.web.endpoint import Answer, ApiRequest, endpoint

KEYS = {payload.camel(name): name for name in TrainingForm.base_fields}
FILES, LIST = "images", "trainingImages"


@endpoint(
    methods=("GET", "POST"),
    idempotent=True,
    replay=lambda request, pk: _accepted(pk),
    multipart=True,
    long_texts=("data",),
)
def train(request: ApiRequest) -> Answer:
    return _start(request) if request.method == "POST" else _list(request)


@endpoint(methods=("GET", "DELETE"))
def training(request: ApiRequest, training_id: str) -> Answer:
    if request.method == "DELETE":
        services.cancel(training_id)
    return shown(services.get(training_id))


def shown(made: Training) -> dict[str, Any]:
    """One training with what speaks against its pictures."""
    attached = made.pk in services.attached([made])
    return {**made.as_json(attached=attached), "warnings": services.warnings(made)}


def _start(request: ApiRequest) -> Answer:
    sent = request.json
    character_id = sent.get("characterId")
    if not isinstance(character_id, str) or not character_id:
        raise Invalid("Say which character: characterId is missing.", fields={"characterId": ["Required."]})
    character = characters.get(character_id)
    by_form = request.http.content_type == bodies.FORM
    form = TrainingForm(_form_data(sent, by_form=by_form))
    if not form.is_valid():
        raise form_problem(form)
    sources = _files(request) if by_form else _items(character.pk, sent.get(LIST))
    jobs.require_worker("default")
    made = services.start(
        character,
        sources,
        form.wish(),
        user_id=request.user.pk,
        bind=request.bind,
        field=FILES if by_form else LIST,
    )
    return _accepted(made.pk)


def _accepted(pk: str) -> Answer:
    made = services.get(pk)
    about = {"trainingId": pk, "jobId": made.job_id, "status": str(made.state)}
    return 202, {**about, "warnings": services.warnings(made)}


def _list(request: ApiRequest) -> Answer:
    state = request.GET.get("status", "")
    if state and state not in TrainingState.values:
        raise Invalid("There is no such status.", fields={"status": [", ".join(TrainingState.values[1:])]})
    found = services.search(character_id=request.GET.get("characterId", ""), state=state)
    page = list(paging.page_of(request, found))
    attached = services.attached(page)
    return {
        "trainings": [made.as_json(attached=made.pk in attached) for made in page],
        "total": found.count(),
    }


def form_problem(form: TrainingForm) -> Invalid:
    """A refused form under the keys of the request."""
    return payload.refused(
        {payload.camel(name): [str(message) for message in found] for name, found in form.errors.items()}
    )


def _form_data(sent: dict[str, Any], *, by_form: bool) -> dict[str, Any]:
    """The body as form data; values of the wrong type are refused, other keys do no harm."""
    given = {key: value for key in KEYS if (value := sent.get(key)) is not None}
    faults = {
        key: [fault]
        for key, value in given.items()
        if (fault := _fault(TrainingForm.base_fields[KEYS[key]], value, by_form=by_form))
    }
    if faults:
        raise payload.refused(faults)
    return {"attach": True, **{KEYS[key]: value for key, value in given.items()}}


def _fault(field: forms.Field, value: Any, *, by_form: bool) -> str:
    """Why a value is of the wrong type. All that a form sends is text."""
    if isinstance(field, forms.BooleanField):
        known = value in ("true", "false") if by_form else isinstance(value, bool)
        return "" if known else "This must be true or false."
    if by_form:
        return ""
    if isinstance(field, forms.IntegerField):  # which a FloatField is too
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if numeric else "This must be a number."
    return "" if isinstance(value, str) else "This must be text."


def _files(request: ApiRequest) -> list[Source]:
    """The files of a form, with captions from its list or from text files beside the pictures."""
    captions = _captions(request.json.get("captions"))
    sources = dataset.from_files(request.FILES.getlist(FILES), captions)
    if len(captions) > len(sources):
        message = f"There are {len(captions)} captions for {len(sources)} images."
        raise Invalid(message, fields={"captions": [message]})
    return sources


def _captions(text: Any) -> Sequence[str]:
    if not text:
        return ()
    try:
        found = orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        message = "captions must be a JSON list of texts, one for each image."
        raise Invalid(message, fields={"captions": [message]})
    bodies.check_texts([("captions", one) for one in found], ())
    return found


def _items(character_id: str, items: Any) -> list[Source]:
    """The pictures of a JSON body: `data` as base64, or the `imageId` of one in the gallery."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        message = f"{LIST} must be a list of objects."
        raise Invalid(message, fields={LIST: [message]})
    dataset.check_count(len(items), LIST)
    return [_item(character_id, place, item) for place, item in enumerate(items)]


def _item(character_id: str, place: int, item: dict[str, Any]) -> Source:
    where = f"{LIST}.{place}"
    caption, name = item.get("caption") or "", item.get("name") or f"image {place + 1}"
    if not isinstance(caption, str) or not isinstance(name, str):
        raise Invalid(f"{where}: a caption must be text.", fields={where: ["A caption must be text."]})
    image_id, data = item.get("imageId"), item.get("data")
    if isinstance(image_id, str) and image_id:
        return dataset.from_gallery(images.get(image_id, character_id=character_id), caption)
    if not isinstance(data, str) or not data:
        raise Invalid(f"{where}: data is missing.", fields={where: ["Give data, or an imageId."]})
    return Source(name, partial(_decoded, data), caption)


def _decoded(text: str) -> bytes:
    """Base64 or a data URL. Raises `Invalid`."""
    content = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("This is not base64 that can be read.", code="image_unreadable") from None
