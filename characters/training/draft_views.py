"""The Train LoRA dialog: gather pictures, caption them, choose settings, begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.training import dataset, drafts, overview, placing, services
from characters.training.dataset import Refused
from characters.training.forms import DialogForm
from characters.training.models import Training
from characters.training.services import Offer
from influencer.clients.comfyui import Family, training_defaults
from influencer.errors import Conflict, Invalid, Problem
from influencer.jobs import services as jobs
from influencer.web import body, htmx

MOST_PICKS = dataset.MOST
CAPTION = re.compile(r"caption-(\d{1,9})")


@require_http_methods(["GET", "POST"])
def train(request: HttpRequest, pk: str) -> HttpResponse:
    """The dialog; sent, the training begins and is shown on the character's page."""
    character = characters.get(pk)
    if request.method == "GET":
        return _dialog(request, character)
    if refused := _take(request, character):
        return _dialog(request, character, refused=refused, status=422)
    form = DialogForm(request.POST)
    if not form.is_valid():
        return _dialog(request, character, form=form, status=422)
    try:
        _begin(request, character, form)
    except Problem as problem:
        form.add_error(None, problem.sentence)
        return _dialog(request, character, form=form, status=422)
    return _begun(request, character)


def _begin(request: HttpRequest, character: Character, form: DialogForm) -> None:
    draft = drafts.current(character.pk)
    dataset.check_count(len(draft.images) if draft else 0)
    assert draft is not None
    jobs.require_worker("default")
    services.begin(draft.pk, form.wish(), user_id=request.user.pk)


def _begun(request: HttpRequest, character: Character) -> HttpResponse:
    place = reverse("characters:detail", args=[character.pk]) + "#training"
    message = f"The training of {character.name} has begun."
    if not htmx.is_htmx(request):
        htmx.flash(request, message)
        return htmx.redirect(request, place)
    answer = htmx.toast(htmx.close_dialog(htmx.done()), message, link=("See how it goes", place))
    return htmx.refresh(answer, "job-started", "characters-changed")


@require_GET
def ready(request: HttpRequest, pk: str) -> HttpResponse:
    """Whether a server can train on this model just now; nothing when one can, else what is missing."""
    try:
        placing.choose(request.GET.get("base_model", ""))
    except Problem as problem:
        return render(request, "components/notice.html", {"kind": "warn", "text": problem.sentence})
    return htmx.done()


@require_POST
def add(request: HttpRequest, pk: str) -> HttpResponse:
    """Put files or images of the gallery into the draft; those that can't be used are named."""
    character = characters.get(pk)
    return _changed(request, character, _take(request, character))


@require_POST
def keep(request: HttpRequest, pk: str) -> HttpResponse:
    """Remember what stands in the dialog; `part` shows it again, for another model or size."""
    character = characters.get(pk)
    try:
        _keep(character, request.POST)
    except Conflict:
        return htmx.done()  # it has begun meanwhile, with all that was sent along
    if "part" not in request.GET:
        return htmx.done()
    return _dialog(request, character, part="#parts")


@require_POST
def remove(request: HttpRequest, pk: str, number: int) -> HttpResponse:
    character = characters.get(pk)
    numbers = []
    if draft := _keep(character, request.POST):
        numbers = [row["n"] for row in drafts.remove_picture(draft.pk, number).images]
    following = next((one for one in numbers if one > number), numbers[-1] if numbers else None)
    return _changed(request, character, [], focus=following)


@require_http_methods(["GET", "POST"])
def discard(request: HttpRequest, pk: str) -> HttpResponse:
    character = characters.get(pk)
    back = reverse("characters:detail", args=[pk]) + "#training"
    if request.method == "GET":
        return render(request, "components/confirm.html", _question(request, character, back))
    if draft := drafts.current(pk):
        drafts.discard(draft.pk)
    if not htmx.is_htmx(request):
        htmx.flash(request, "Discarded the draft.")
        return htmx.redirect(request, back)
    answer = htmx.toast(htmx.close_dialog(htmx.done()), "Discarded the draft.")
    return htmx.refresh(answer, f"training-{pk}")


def _question(request: HttpRequest, character: Character, back: str) -> dict[str, Any]:
    draft = drafts.current(character.pk)
    count = draft.images_count if draft else 0
    return {
        "title": "Discard this draft?",
        "text": f"Its {count} image{'' if count == 1 else 's'}, captions and settings go. "
        "Images in the gallery stay.",
        "action": request.path,
        "verb": "Discard",
        "back": back,
    }


@require_POST
def again(request: HttpRequest, training_id: str) -> HttpResponse:
    """The pictures, captions and settings of a training as a new draft, to change what did not work."""
    training = services.get(training_id)
    drafts.again(training)
    if htmx.is_htmx(request):
        answer = _dialog(request, characters.get(training.character_id))
        return htmx.refresh(answer, f"training-{training.character_id}")
    return htmx.redirect(request, reverse("training:train", args=[training.character_id]))


# --- what was sent ---------------------------------------------------------------------------


def _take(request: HttpRequest, character: Character) -> list[Refused]:
    """Put what was chosen into the draft and keep the rest of the form. Answers with what can't be used."""
    body.check_size(request, multipart=True)
    sources, texts, refused = dataset.dropped(request.FILES.getlist("images"))
    for image_id in request.POST.getlist("gallery"):
        sources.append(dataset.from_gallery(images.get(image_id, character_id=character.pk)))
    try:
        if sources or texts:
            refused += drafts.gather(character, sources, texts).refused
    except Invalid as problem:
        refused.append(Refused(0, "", problem.message))
    _keep(character, request.POST)
    return refused


def _keep(character: Character, sent: QueryDict) -> Training | None:
    """The draft with the captions and settings of the dialog; a setting that can't be used is left out."""
    draft = drafts.current(character.pk)
    if draft is None or "trigger_word" not in sent:
        return draft
    form = DialogForm(sent)
    form.is_valid()
    found = {name: match[1] for name in sent if (match := CAPTION.fullmatch(name))}
    captions = {int(number): str(sent[name]) for name, number in found.items()}
    return drafts.keep(draft.pk, captions, form.cleaned_data)


# --- what is shown ---------------------------------------------------------------------------


def _changed(
    request: HttpRequest, character: Character, refused: Sequence[Refused], *, focus: int | None = None
) -> HttpResponse:
    """The pictures as they are now; `focus` is the one a keyboard goes on with."""
    if htmx.is_htmx(request):
        answer = _dialog(request, character, refused=refused, part="#images", focus=focus)
        return htmx.refresh(answer, f"training-{character.pk}")
    if refused:
        return _dialog(request, character, refused=refused, status=422)
    return htmx.redirect(request, reverse("training:train", args=[character.pk]))


def _dialog(
    request: HttpRequest,
    character: Character,
    *,
    form: DialogForm | None = None,
    refused: Sequence[Refused] = (),
    part: str = "",
    status: int = 200,
    focus: int | None = None,
) -> HttpResponse:
    draft, (offer, trouble) = drafts.current(character.pk), _offer(character)
    form = form or DialogForm(initial=_initial(request, draft, offer))
    family = _prepare(form, offer)
    usual = training_defaults(family or Family.SDXL)
    pictures = overview.pictures(draft, (draft and draft.resolution) or usual.resolution)
    context = {
        "character": character,
        "draft": draft,
        "form": form,
        "offer": offer,
        "trouble": trouble,
        "family": family.label if family else "",
        "usual": usual,
        "pictures": pictures,
        "warned": sum(bool(picture.warnings) for picture in pictures),
        "refused": refused,
        "picks": _picks(character, draft),
        "fewest": dataset.FEWEST,
        "most": dataset.MOST,
        "focus": focus,
        "missing": max(dataset.FEWEST - len(pictures), 0),
    }
    return render(request, f"training/train.html{part}", context, status=status)


def _offer(character: Character) -> tuple[Offer | None, str]:
    """What can be trained on, or why nothing can."""
    try:
        offer = services.offer(character)
    except Problem as problem:
        return None, problem.sentence
    if not offer.bases:
        return offer, placing.why_nothing()
    return offer, ""


def _initial(request: HttpRequest, draft: Training | None, offer: Offer | None) -> dict[str, Any]:
    """The draft's settings, else the suggestions. What was sent along and not kept stays as it was typed."""
    kept = {name: getattr(draft, name) for name in drafts.SETTINGS if draft and getattr(draft, name)}
    base = offer.base if offer else None
    suggested = {"base_model": base.name if base else "", "trigger_word": offer.trigger_word if offer else ""}
    sent = {name: request.POST[name] for name in DialogForm.base_fields if request.POST.get(name)}
    return {**suggested, **kept, **sent}


def _prepare(form: DialogForm, offer: Offer | None) -> Family | None:
    """Fill in the models to choose from; the family of the chosen one."""
    bases = offer.bases if offer else []
    chosen = str(form["base_model"].value() or "")
    models = [(base.name, placing.words(base)) for base in bases]
    if chosen and chosen not in dict(models):
        models.insert(0, (chosen, f"{chosen} · on no server now"))
    form.offer(models)
    return next((base.family for base in bases if base.name == chosen), None)


def _picks(character: Character, draft: Training | None) -> list[Any]:
    """The latest images of the gallery that are not in the draft yet."""
    there = {row["name"] for row in draft.images} if draft else set()
    latest = images.gallery(character.pk)[: MOST_PICKS + len(there)]
    return [image for image in latest if image.path.name not in there][:MOST_PICKS]
