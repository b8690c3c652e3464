"""The Characters tab in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import replace_url, reswap, retarget

from characters import catalog, comparing, forms, panels, services
from characters.models import Character
from influencer import effective, endpoints
from influencer.errors import Conflict, NotFound
from influencer.web import htmx

PAGE_SIZE = 24
FORM_METHODS = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class Card:
    """What the grid shows of one character: the record, and what other apps add by panel name."""

    character: Character
    parts: dict[str, Any]
    model_is_lost: bool


@require_safe
def character_list(request: HttpRequest) -> HttpResponse:
    filters = forms.CharacterFilter(request.GET).values()
    page = Paginator(services.search(**filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "filters": filters}
    context["cards"] = cards(list(page.object_list))
    if htmx.is_htmx(request) and request.htmx.target == "grid":  # type: ignore[attr-defined]
        return replace_url(render(request, "characters/list.html#grid", context), _address(request))
    context |= {
        "counts": services.counts(),
        "show_choices": forms.CharacterFilter.SHOW,
        "sort_choices": forms.CharacterFilter.SORT,
        "models": services.models_in_use(),
        "stand_ins": endpoints.sandboxed_services(),
        "has_gemini_key": bool(effective.config().gemini_api_key),
    }
    return render(request, "characters/list.html", context)


def _address(request: HttpRequest) -> str:
    """The list as it is filtered now, without what is not set."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


def cards(characters: list[Character]) -> list[Card]:
    parts, lost = panels.collect([character.pk for character in characters]), catalog.lost_models()
    return [
        Card(character, parts[character.pk], character.preferred_model in lost) for character in characters
    ]


@require_safe
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    return _page(request, services.get(pk))


def _page(
    request: HttpRequest, character: Character, refused: dict[str, forms.CharacterForm] | None = None
) -> HttpResponse:
    """The character's page; with a form that was refused in the place of its section."""
    context = {
        "character": character,
        "parts": panels.collect([character.pk])[character.pk],
        "sections": panels.sections(request, character),
        "forms": {name: _section_form(name, character) for name in forms.SECTIONS} | (refused or {}),
        "catalog": catalog.known(character),
    }
    return render(request, "characters/detail.html", context, status=422 if refused else 200)


def _section_form(name: str, character: Character, data: Any = None) -> forms.CharacterForm:
    """A form of the page, with ids of its own: a dialog may lie over it."""
    return forms.section_form(name)(data, instance=character, auto_id="page_%s")


@require_http_methods(FORM_METHODS)
def add(request: HttpRequest) -> HttpResponse:
    form = forms.dialog_form()(request.POST or None)
    if request.method == "POST" and form.is_valid():
        character = services.create(form)
        htmx.flash(request, f"Added {character.name}.")
        return htmx.redirect(request, reverse("characters:detail", args=[character.pk]))
    return _edit_dialog(request, form)


@require_http_methods(FORM_METHODS)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    form = forms.dialog_form()(request.POST or None, instance=services.get(pk))
    if request.method != "POST" or not form.is_valid():
        return _edit_dialog(request, form)
    try:
        character = services.update(pk, form, still=form.is_current)
    except Conflict as conflict:
        return _compare(request, form, conflict)
    message = f"Saved {character.name}."
    if _is_over_list(request):
        answer = htmx.close_dialog(htmx.toast(htmx.done(), message))
        return htmx.refresh(answer, "characters-changed")
    htmx.flash(request, message)
    return htmx.redirect(request, reverse("characters:detail", args=[pk]))


def _edit_dialog(request: HttpRequest, form: forms.CharacterForm) -> HttpResponse:
    context = {
        "form": form,
        "character": form.instance,
        "catalog": catalog.known(form.instance),
        "adding": form.instance._state.adding,
    }
    return render(request, "characters/edit.html", context, status=422 if form.is_bound else 200)


def _compare(request: HttpRequest, form: forms.CharacterForm, conflict: Conflict) -> HttpResponse:
    """What was typed beside what someone else has saved meanwhile."""
    if conflict.code != services.CHANGED:
        raise conflict
    character = services.get(form.instance.pk)
    context = {"character": character, "comparison": comparing.compare(form, character)}
    answer = render(request, "characters/compare.html", context, status=409)
    return reswap(retarget(answer, "#dialog"), "innerHTML") if htmx.is_htmx(request) else answer


def _is_over_list(request: HttpRequest) -> bool:
    """Whether the dialog that asks was opened on the list of characters."""
    return htmx.is_htmx(request) and _list_address(request) is not None


def _list_address(request: HttpRequest) -> str | None:
    """The list's address with its filters, when that is the page the request comes from."""
    asked_from = getattr(request.htmx, "current_url_abs_path", None)  # type: ignore[attr-defined]
    home = reverse("characters:list")
    return asked_from if asked_from and asked_from.partition("?")[0] == home else None


@require_POST
def section(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Save one section of the character page where it stands."""
    if name not in forms.SECTIONS:
        raise NotFound(f"A character has no section called {name}.")
    form = _section_form(name, services.get(pk), request.POST)
    if not form.is_valid():
        return _refused_section(request, name, form)
    try:
        character = services.update(pk, form, still=form.is_current)
    except Conflict as conflict:
        return _compare(request, form, conflict)
    message = f"Saved {name}."
    if htmx.is_htmx(request) and request.htmx.target == name:  # type: ignore[attr-defined]
        return htmx.toast(_saved_section(request, name, character), message)
    htmx.flash(request, message)
    here = reverse("characters:detail", args=[pk])
    return htmx.redirect(request, here if htmx.is_htmx(request) else f"{here}#{name}")


def _refused_section(request: HttpRequest, name: str, form: forms.CharacterForm) -> HttpResponse:
    if not htmx.is_htmx(request):
        return _page(request, services.get(form.instance.pk), {name: form})
    answer = _rendered_section(request, name, form, status=422)
    if request.htmx.target == name:  # type: ignore[attr-defined]
        return answer
    # It was sent from the comparison over the page.
    return htmx.close_dialog(reswap(retarget(answer, f"#{name}"), "outerHTML"))


def _saved_section(request: HttpRequest, name: str, character: Character) -> HttpResponse:
    """The section, and the head of the page, which shows what is in it."""
    answer = _rendered_section(request, name, _section_form(name, character))
    context = {"character": character, "parts": panels.collect([character.pk])[character.pk], "anew": True}
    answer.write(render(request, "characters/_hero.html", context).content)
    return answer


def _rendered_section(
    request: HttpRequest, name: str, form: forms.CharacterForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "character": form.instance,
        "catalog": catalog.known(form.instance),
        "parts": panels.collect([form.instance.pk])[form.instance.pk],
    }
    return render(request, f"characters/_{name}.html", context, status=status)


@require_POST
def active(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.set_active(pk, active=request.POST.get("is_active") == "on")
    words = "is active again" if character.is_active else "is paused: tasks don't fire, buttons still work"
    message = f"{character.name} {words}."
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.toast(htmx.done(), message), "characters-changed")
    htmx.flash(request, message)
    return htmx.redirect(request, reverse("characters:list"))


@require_http_methods(FORM_METHODS)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.get(pk)
    if request.method == "POST":
        services.delete(pk)
        htmx.flash(request, f"Deleted {character.name}. Images and posts are kept.")
        return htmx.redirect(request, _list_address(request) or reverse("characters:list"))
    parts = panels.collect([pk])[pk]
    return render(request, "characters/delete.html", {"character": character, "parts": parts})


@require_POST
def duplicate(request: HttpRequest, pk: str) -> HttpResponse:
    copy = services.duplicate(pk)
    htmx.flash(request, f"Added {copy.name}, without credentials.")
    return htmx.redirect(request, reverse("characters:detail", args=[copy.pk]))


@require_safe
def export(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.get(pk)
    body = orjson.dumps(services.portable(character), option=orjson.OPT_INDENT_2)
    disposition = f'attachment; filename="{slugify(character.name) or "character"}.json"'
    return HttpResponse(body, content_type="application/json", headers={"Content-Disposition": disposition})


@require_POST
def refresh_models(request: HttpRequest) -> HttpResponse:
    """Ask every ComfyUI server afresh and say what is there now."""
    found = catalog.refresh()
    message, kind = catalog.summary(found)
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.toast(htmx.done(), message, kind), "models-refreshed", "characters-changed")
    htmx.flash(request, message, kind)
    return htmx.redirect(request, reverse("characters:list"))


@require_POST
def samples(request: HttpRequest) -> HttpResponse:
    made = services.add_samples()
    htmx.flash(
        request,
        f"Added {len(made)} sample characters." if made else "The sample characters are here already.",
    )
    return htmx.redirect(request, reverse("characters:list"))
