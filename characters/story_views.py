"""The story of a character in the browser."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from characters import comparing, forms, services, story
from characters.models import Character, Narrative
from influencer.errors import Conflict
from influencer.web import htmx

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def section(request: HttpRequest, pk: str) -> HttpResponse:
    """The Story section, to take the place of the one on the page."""
    character = services.get(pk)
    context = {"character": character, "filled": story.section(request, character)}
    return render(request, "characters/_story.html", context)


@require_http_methods(FORM_METHODS)
def chapter(request: HttpRequest, pk: str, chapter_pk: str = "") -> HttpResponse:
    """Add or edit one chapter."""
    character = services.get(pk)
    record = story.get(character, chapter_pk) if chapter_pk else Narrative(character=character)
    form = forms.NarrativeForm(request.POST or None, instance=record)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "character": character, "chapter": record if chapter_pk else None}
        return render(request, "characters/chapter.html", context, status=422 if form.is_bound else 200)
    try:
        return _told(request, character, f"Saved {story.save(form).title}.")
    except Conflict as conflict:
        return _compare(request, form, conflict)


def _compare(request: HttpRequest, form: forms.NarrativeForm, conflict: Conflict) -> HttpResponse:
    if conflict.code != services.CHANGED:
        raise conflict
    character = services.get(form.instance.character_id)
    stored = story.get(character, form.instance.pk)
    context = {"character": character, "comparison": comparing.compare(form, stored)}
    return render(request, "characters/compare.html", context, status=409)


@require_http_methods(FORM_METHODS)
def delete(request: HttpRequest, pk: str, chapter_pk: str) -> HttpResponse:
    character = services.get(pk)
    record = story.get(character, chapter_pk)
    if request.method == "POST":
        record.delete()
        return _told(request, character, f"Deleted {record.title}.")
    context: dict[str, Any] = {
        "title": f"Delete {record.title}?",
        "text": "The chapter goes. Images and posts made from it stay.",
        "action": request.path,
        "verb": "Delete",
        "back": _place(character),
    }
    return render(request, "components/confirm.html", context)


def _told(request: HttpRequest, character: Character, message: str) -> HttpResponse:
    """Say what happened: in a toast over the page, whose story loads itself anew, or on the next page."""
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.close_dialog(htmx.toast(htmx.done(), message)), "story-changed")
    htmx.flash(request, message)
    return htmx.redirect(request, _place(character))


def _place(character: Character) -> str:
    return reverse("characters:detail", args=[character.pk]) + "#story"
