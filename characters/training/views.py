"""Trainings on pages: the section of a character, the curve, the proof; what is done with them."""

from __future__ import annotations

from pathlib import PurePath

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from characters import services as characters
from characters.images import services as images
from characters.training import dataset, drafts, overview, services
from characters.training.models import Training
from influencer.errors import NotFound
from influencer.web import htmx


@require_GET
def section(request: HttpRequest, pk: str) -> HttpResponse:
    """The Training section, anew."""
    character = characters.get(pk)
    filled = overview.section_context(character)
    return render(request, "training/_section.html", {"character": character, "filled": filled})


@require_GET
def curve(request: HttpRequest, training_id: str) -> HttpResponse:
    """The loss so far with its table and the log; asks for itself until the training has ended."""
    training = services.get(training_id)
    [run] = overview.runs([training], characters.get(training.character_id))
    return render(request, "training/_curve.html", {"run": run, "again": True})


@require_POST
def attach(request: HttpRequest, training_id: str) -> HttpResponse:
    """Have the character use this LoRA. Its name stands all over the page: that is shown anew."""
    training = services.get(training_id)
    character = services.attach(training)
    htmx.flash(request, f"{character.name} uses version {training.version} now.")
    if htmx.is_htmx(request):
        return HttpResponseClientRefresh()
    return htmx.redirect(request, _section_of(training))


@require_POST
def add_image(request: HttpRequest, image_id: str) -> HttpResponse:
    """Put an image of the gallery into the character's draft."""
    image = images.get(image_id)
    character = characters.get(image.character_id)
    message, kind = _added(*drafts.add_image(character, image))
    dialog = reverse("training:train", args=[character.pk])
    if htmx.is_htmx(request):
        answer = htmx.toast(htmx.done(), message, kind, link=("Train LoRA", dialog))
        return htmx.refresh(answer, f"training-{character.pk}")
    htmx.flash(request, message, kind, link=("Train LoRA", dialog))
    return htmx.redirect(request, reverse("characters:detail", args=[character.pk]) + "#gallery")


def _added(draft: Training, was_there: bool) -> tuple[str, htmx.Kind]:
    if was_there:
        return "This image is in the training set already.", "warn"
    count = draft.images_count
    missing = max(dataset.FEWEST - count, 0)
    more = f"; {missing} more to begin" if missing else ""
    return f"The training set has {count} image{'' if count == 1 else 's'}{more}.", "ok"


@require_GET
def thumbnail(request: HttpRequest, training_id: str, stem: str) -> HttpResponseBase:
    """A picture of a training, small. What has an address once never changes under it."""
    training = services.get(training_id)
    row = next((one for one in training.images if PurePath(one["file"]).stem == stem), None)
    try:
        opened = (training.folder / dataset.thumbnail_name(row)).open("rb") if row else None
    except OSError:
        opened = None
    if opened is None:
        raise NotFound("This image is not in the training any more.")
    answer = FileResponse(opened, content_type="image/webp")
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def _section_of(training: Training) -> str:
    return reverse("characters:detail", args=[training.character_id]) + "#training"
