"""The Characters tab in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from characters import catalog, forms, panels, services
from characters.models import Character, Narrative
from influencer.web import htmx

PAGE_SIZE = 24


@dataclass(frozen=True)
class Card:
    """What the grid shows of one character: the record, and what other apps add by panel name."""

    character: Character
    parts: dict[str, Any]


@require_GET
def character_list(request: HttpRequest) -> HttpResponse:
    filters = forms.CharacterFilter(request.GET).values()
    page = Paginator(services.search(**filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": cards(list(page.object_list)),
        "filters": filters,
        "counts": services.counts(),
        "show_choices": forms.CharacterFilter.SHOW,
        "sort_choices": forms.CharacterFilter.SORT,
        "models": services.models_in_use(),
    }
    name = "characters/list.html#grid" if request.GET.get("part") == "grid" else "characters/list.html"
    return render(request, name, context)


def cards(characters: list[Character]) -> list[Card]:
    parts = panels.collect([character.pk for character in characters])
    return [Card(character, parts[character.pk]) for character in characters]


@require_GET
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.get(pk)
    context = {
        "character": character,
        "parts": panels.collect([pk])[pk],
        "sections": panels.sections(request, character),
        "forms": {name: _section(name, instance=character) for name in forms.SECTIONS},
        "catalog": catalog.known(character),
    }
    return render(request, "characters/detail.html", context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = forms.CharacterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        character = services.create(form)
        htmx.flash(request, f"Added {character.name}.")
        return htmx.redirect(request, reverse("characters:detail", args=[character.pk]))
    return _edit_dialog(request, form)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.get(pk)
    form = forms.CharacterForm(request.POST or None, instance=character)
    if request.method == "POST" and form.is_valid():
        services.update(pk, form, digest=request.POST.get("digest", ""))
        htmx.flash(request, f"Saved {form.instance.name}.")
        return htmx.redirect(request, reverse("characters:detail", args=[pk]))
    return _edit_dialog(request, form)


def _edit_dialog(request: HttpRequest, form: forms.CharacterForm) -> HttpResponse:
    context = {
        "form": form,
        "character": form.instance,
        "catalog": catalog.known(form.instance),
        "adding": form.instance._state.adding,
    }
    status = 422 if form.is_bound else 200
    return render(request, "characters/edit.html", context, status=status)


@require_POST
def section(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Save one section of the character page where it stands."""
    if name not in forms.SECTIONS:
        raise services.unknown_section(name)
    form = _section(name, request.POST, instance=services.get(pk))
    if form.is_valid():
        character = services.update(pk, form, digest=request.POST.get("digest", ""))
        if not htmx.is_htmx(request):
            htmx.flash(request, f"Saved {name}.")
            return htmx.redirect(request, reverse("characters:detail", args=[pk]) + f"#{name}")
        form = _section(name, instance=character)
    context = {"form": form, "character": form.instance, "catalog": catalog.known(form.instance)}
    status = 422 if form.errors else 200
    answer = render(request, f"characters/_{name}.html", context, status=status)
    return answer if form.errors else htmx.toast(answer, f"Saved {name}.")


def _section(name: str, *bound: Any, instance: Character) -> forms.CharacterForm:
    """A section's form. Its ids differ from those of the Edit dialog that may open over it."""
    return forms.section_form(name)(*bound, instance=instance, auto_id=f"{name}_%s")


@require_POST
def active(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.set_active(pk, active=request.POST.get("is_active") == "on")
    words = "is active again" if character.is_active else "is paused: tasks don't fire, buttons still work"
    message = f"{character.name} {words}."
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.toast(htmx.done(), message), "characters-changed")
    htmx.flash(request, message)
    return htmx.redirect(request, reverse("characters:list"))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    character = services.get(pk)
    if request.method == "POST":
        services.delete(pk)
        htmx.flash(request, f"Deleted {character.name}. Images and posts are kept.")
        return htmx.redirect(request, reverse("characters:list"))
    parts = panels.collect([pk])[pk]
    return render(request, "characters/delete.html", {"character": character, "parts": parts})


@require_POST
def duplicate(request: HttpRequest, pk: str) -> HttpResponse:
    copy = services.duplicate(pk)
    htmx.flash(request, f"Added {copy.name}, without credentials.")
    return htmx.redirect(request, reverse("characters:detail", args=[copy.pk]))


@require_GET
def export(request: HttpRequest, pk: str) -> HttpResponse:
    record = services.portable(services.get(pk))
    body = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    disposition = f'attachment; filename="{pk}.json"'
    return HttpResponse(body, content_type="application/json", headers={"Content-Disposition": disposition})


@require_http_methods(["GET", "POST"])
def chapter(request: HttpRequest, pk: str, chapter_pk: str = "") -> HttpResponse:
    """Add or edit one chapter of the story."""
    character = services.get(pk)
    record = services.get_chapter(character, chapter_pk) if chapter_pk else Narrative(character=character)
    form = forms.NarrativeForm(request.POST or None, instance=record)
    if request.method == "POST" and form.is_valid():
        form.save()
        htmx.flash(request, f"Saved {form.instance.title}.")
        return htmx.redirect(request, reverse("characters:detail", args=[pk]) + "#story")
    context = {"form": form, "character": character, "chapter": record if chapter_pk else None}
    return render(request, "characters/chapter.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def delete_chapter(request: HttpRequest, pk: str, chapter_pk: str) -> HttpResponse:
    character = services.get(pk)
    record = services.get_chapter(character, chapter_pk)
    back = reverse("characters:detail", args=[pk]) + "#story"
    if request.method == "POST":
        record.delete()
        htmx.flash(request, f"Deleted {record.title}.")
        return htmx.redirect(request, back)
    context = {
        "title": f"Delete {record.title}?",
        "text": "The chapter goes. Images and posts made from it stay.",
        "action": request.path,
        "verb": "Delete",
        "back": back,
    }
    return render(request, "components/confirm.html", context)


@require_POST
def refresh_models(request: HttpRequest) -> HttpResponse:
    """Ask every ComfyUI server afresh and say what is there now."""
    found = catalog.refresh()
    message, kind = catalog.summary(found)
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.toast(htmx.done(), message, kind), "models-refreshed")
    htmx.flash(request, message, kind)
    return htmx.redirect(request, reverse("characters:list"))


@require_POST
def samples(request: HttpRequest) -> HttpResponse:
    made = services.add_samples()
    htmx.flash(request, f"Added {len(made)} sample characters.")
    return htmx.redirect(request, reverse("characters:list"))
