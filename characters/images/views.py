"""Images in the browser: generate, watch, gallery, uploads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from characters import catalog
from characters import services as characters
from characters.images import generation, planning, services, storage
from characters.images.forms import COUNTS, WishForm
from characters.images.models import Image
from characters.models import Character
from influencer.errors import NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web import htmx


@require_http_methods(["GET", "POST"])
def generate(request: HttpRequest, pk: str) -> HttpResponse:
    """The dialog with the composed prompt; sent, the same dialog shows the job."""
    character = characters.get(pk)
    if request.method == "GET":
        return _dialog(request, character, WishForm(initial=_initial(request, character)))
    form = WishForm(request.POST)
    if not form.is_valid():
        return _dialog(request, character, form, status=422)
    return _start(request, character, form.wish())


@require_POST
def again(request: HttpRequest, image_id: str) -> HttpResponse:
    """The same once more, with a new seed."""
    image = services.get(image_id)
    return _start(request, characters.get(image.character_id), services.wish_like(image, keep_seed=False))


def _start(request: HttpRequest, character: Character, wish: planning.Wish) -> HttpResponse:
    jobs.require_worker("gpu")
    job = generation.start(character, wish, user_id=request.user.pk)
    if not htmx.is_htmx(request):
        return htmx.redirect(request, reverse("images:making", args=[character.pk, job.pk]))
    answer = _making(request, character, job)
    return htmx.refresh(answer, "job-started", f"images-{character.pk}")


@require_GET
def making(request: HttpRequest, pk: str, job_id: str) -> HttpResponse:
    """The job where its images will appear; asks for itself until it has ended."""
    character, job = characters.get(pk), jobs.get(job_id)
    if job.character_id != pk:
        raise NotFound("This job belongs to another character.")
    answer = _making(request, character, job)
    if job.is_final and htmx.is_htmx(request):
        htmx.refresh(answer, f"images-{pk}", "job-finished")
    return answer


def _making(request: HttpRequest, character: Character, job: Job) -> HttpResponse:
    context = {"character": character, "job": job, "images": _images_of(job)}
    part = request.GET.get("part") == "body"
    return render(request, "images/making.html#body" if part else "images/making.html", context)


def _images_of(job: Job) -> list[Image]:
    return list(Image.objects.filter(job_id=job.pk).order_by("created_at", "pk"))


def _initial(request: HttpRequest, character: Character) -> dict[str, Any]:
    """What the dialog starts with: an image's own recipe, or the character's words."""
    if like := request.GET.get("like"):
        wish = services.wish_like(services.get(like), keep_seed=True)
        return {name: value for name, value in asdict(wish).items() if value is not None}
    return {
        "final_prompt": planning.final_prompt(character, request.GET.get("prompt", "")),
        "negative_prompt": character.negative_prompt,
        "from_prompt": request.GET.get("from", ""),
        # Sent empty, these two are meant empty.
        "lora": character.lora,
        "shape": "" if character.width or character.height else "4:5",
        "count": 1,
    }


def _dialog(request: HttpRequest, character: Character, form: WishForm, *, status: int = 200) -> HttpResponse:
    latest = services.gallery(character.pk).first()
    narrative = character.current_narrative(character.today)
    context = {
        "character": character,
        "form": form,
        "catalog": catalog.known(character),
        "latest": latest,
        "narrative": narrative,
        "shapes": planning.SHAPES,
        "counts": COUNTS,
        "ahead": services.open_jobs(),
    }
    return render(request, "images/generate.html", context, status=status)


@require_GET
def gallery(request: HttpRequest, pk: str) -> HttpResponse:
    character = characters.get(pk)
    filled = services.gallery_context(character, request.GET.get("images", "1"))
    return render(request, "images/_gallery.html", {"character": character, "filled": filled})


@require_GET
def stage(request: HttpRequest, pk: str) -> HttpResponse:
    """The pictures on a card, with the running job over them."""
    parts = {"images": services.card_parts([pk])[pk], "job": services.jobs_of([pk]).get(pk)}
    return render(request, "images/_stage.html", {"character": characters.get(pk), "parts": parts})


@require_POST
def upload(request: HttpRequest, pk: str) -> HttpResponse:
    character = characters.get(pk)
    added = services.upload(character.pk, request.FILES.getlist("images"))
    message = f"Added {len(added)} image{'' if len(added) == 1 else 's'}."
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.toast(htmx.done(), message), f"images-{pk}")
    htmx.flash(request, message)
    return htmx.redirect(request, reverse("characters:detail", args=[pk]) + "#gallery")


@require_GET
def show(request: HttpRequest, image_id: str) -> HttpResponse:
    """One image large, with its recipe and what can be done with it."""
    image = services.get(image_id)
    character = Character.objects.filter(pk=image.character_id).first()
    return render(request, "images/show.html", {"image": image, "character": character})


@require_POST
def portrait(request: HttpRequest, image_id: str) -> HttpResponse:
    character = services.use_as_portrait(services.get(image_id))
    htmx.flash(request, f"This is {character.name}'s portrait now.")
    return htmx.redirect(request, reverse("characters:detail", args=[character.pk]))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, image_id: str) -> HttpResponse:
    image = services.get(image_id)
    back = reverse("characters:detail", args=[image.character_id]) + "#gallery"
    if request.method == "GET":
        context = {
            "title": "Delete this image?",
            "text": "The image, its thumbnail and its recipe go. Posts made with it stay.",
            "action": request.path,
            "verb": "Delete",
            "back": back,
        }
        return render(request, "components/confirm.html", context)
    services.delete(image)
    if htmx.is_htmx(request):
        answer = htmx.close_dialog(htmx.toast(htmx.done(), "Deleted the image."))
        return htmx.refresh(answer, f"images-{image.character_id}")
    htmx.flash(request, "Deleted the image.")
    return htmx.redirect(request, back)


@require_GET
def file(request: HttpRequest, image_id: str) -> HttpResponseBase:
    image = services.get(image_id)
    return _serve(image, image.path, content_type=image.mime_type, download="download" in request.GET)


@require_GET
def thumbnail(request: HttpRequest, image_id: str) -> HttpResponseBase:
    image = services.get(image_id)
    return _serve(image, storage.thumbnail_of(image), content_type="image/webp")


def _serve(image: Image, path: Path, *, content_type: str, download: bool = False) -> HttpResponseBase:
    """A file that never changes under its address, for signed-in eyes only."""
    try:
        opened = path.open("rb")
    except OSError:
        raise storage.file_gone(image) from None
    answer = FileResponse(opened, content_type=content_type, as_attachment=download, filename=path.name)
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer
