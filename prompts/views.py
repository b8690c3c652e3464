"""The Prompts tab in the browser."""

from __future__ import annotations

import json
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import replace_url, reswap, retarget

from characters import comparing
from characters import services as characters
from characters.models import Character
from influencer.errors import Conflict
from influencer.web import htmx
from prompts import forms, library, services, writing
from prompts.models import Prompt

PAGE_SIZE = 20
FORM_METHODS = ["GET", "HEAD", "POST"]
CHANGED = "prompts-changed"


@require_safe
def prompt_list(request: HttpRequest) -> HttpResponse:
    filters = forms.PromptFilter(request.GET).values()
    page = Paginator(services.search(**filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": library.rows(page.object_list), "filters": filters}
    if htmx.is_htmx(request) and request.htmx.target == "prompts":  # type: ignore[attr-defined]
        answer = replace_url(render(request, "prompts/list.html#prompts", context), _address(request))
        return htmx.toast(answer, _read_anew()) if "refresh" in request.GET else answer
    context |= {
        "counts": services.counts(),
        "owners": services.owners(),
        "used_choices": forms.PromptFilter.USED,
        "source_choices": forms.PromptFilter.SOURCE,
        "sort_choices": forms.PromptFilter.SORT,
        "has_characters": Character.objects.exists(),
        "writing": writing.open_jobs(),
    }
    return render(request, "prompts/list.html", context)


def _read_anew() -> str:
    count = services.counts()["all"]
    return f"Read the library anew: {count} prompt{'' if count == 1 else 's'}."


def _address(request: HttpRequest) -> str:
    """The list as it is filtered now, without what is not set."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value or name == "refresh"]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


@require_http_methods(FORM_METHODS)
def add(request: HttpRequest) -> HttpResponse:
    given = {"character_id": request.GET.get("character", "")}
    form = forms.partial_form(forms.DIALOG)(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        services.create(form)
        return _told(request, "Added the prompt.")
    return _dialog(request, form)


@require_http_methods(FORM_METHODS)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    form = forms.partial_form(forms.DIALOG)(request.POST or None, instance=services.get(pk))
    if request.method != "POST" or not form.is_valid():
        return _dialog(request, form)
    try:
        services.update(pk, form, still=form.is_current)
    except Conflict as conflict:
        return _compare(request, form, conflict)
    return _told(request, "Saved the prompt.")


def _dialog(request: HttpRequest, form: forms.PromptForm) -> HttpResponse:
    context = {"form": form, "prompt": form.instance, "adding": form.instance._state.adding}
    return render(request, "prompts/edit.html", context, status=422 if form.is_bound else 200)


def _compare(request: HttpRequest, form: forms.PromptForm, conflict: Conflict) -> HttpResponse:
    """What was typed beside what someone else has saved meanwhile."""
    if conflict.code != characters.CHANGED:
        raise conflict
    comparison = comparing.compare(form, services.get(form.instance.pk))
    context = {"noun": "prompt", "comparison": comparison, "back": reverse("prompts:list")}
    answer = render(request, "components/compare.html", context, status=409)
    return reswap(retarget(answer, "#dialog"), "innerHTML") if htmx.is_htmx(request) else answer


@require_POST
def caption(request: HttpRequest, pk: str) -> HttpResponse:
    """Save a caption where it stands; the answer carries only what is new around it."""
    form = forms.partial_form(["caption"])(request.POST, instance=services.get(pk))
    if not form.is_valid():
        return _refused_caption(request, form)
    try:
        prompt = services.update(pk, form, still=form.is_current)
    except Conflict as conflict:
        return _compare(request, form, conflict)
    if not _is_row(request):
        return _told(request, "Saved the caption.")
    context = {"row": library.row(prompt), "anew": True}
    return htmx.toast(render(request, "prompts/_around_caption.html", context), "Saved the caption.")


def _is_row(request: HttpRequest) -> bool:
    """Whether the caption's own field asks, rather than the dialog that compares two."""
    return htmx.is_htmx(request) and request.htmx.target != "dialog"  # type: ignore[attr-defined]


def _refused_caption(request: HttpRequest, form: forms.PromptForm) -> HttpResponse:
    message = " ".join(str(error) for error in form.errors.get("caption", ["It can't be saved."]))
    if htmx.is_htmx(request):
        return htmx.toast(htmx.done(), f"Not saved: {message}", "bad")
    htmx.flash(request, f"Not saved: {message}", "bad")
    return htmx.redirect(request, reverse("prompts:list"))


@require_http_methods(FORM_METHODS)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    prompt = services.get(pk)
    if request.method == "POST":
        services.delete(pk)
        return _told(request, "Deleted the prompt. Images made from it stay.")
    words = prompt.prompt if len(prompt.prompt) <= 200 else f"{prompt.prompt[:200]}…"
    text = f"“{words}” goes{' with its caption' if prompt.caption else ''}. Images made from it stay."
    return _confirm(request, "Delete this prompt?", text)


@require_POST
def bulk_delete(request: HttpRequest) -> HttpResponse:
    """Ask about the chosen ones, then delete them."""
    pks = _chosen_before(request) if "ids" in request.POST else request.POST.getlist("id")
    chosen = list(Prompt.objects.filter(pk__in=pks))
    if "confirmed" in request.POST or not chosen:
        count = services.delete_many([prompt.pk for prompt in chosen])
        return _told(request, f"Deleted {_counted(count)}. Images made from them stay.")
    owners = dict(services.owners())
    names = sorted({owners.get(prompt.character_id, "nobody") for prompt in chosen})
    whose = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    used = sum(prompt.used for prompt in chosen)
    text = f"{_counted(len(chosen))} of {whose}, {used or 'none'} of them used. Images made from them stay."
    hidden = {"ids": json.dumps([prompt.pk for prompt in chosen]), "confirmed": "yes"}
    return _confirm(request, f"Delete {_counted(len(chosen))}?", text, hidden)


def _chosen_before(request: HttpRequest) -> list[str]:
    """The ids the confirmation carried along; nothing when they are not what it sent."""
    try:
        ids = json.loads(request.POST["ids"])
    except ValueError:
        return []
    return [pk for pk in ids if isinstance(pk, str)] if isinstance(ids, list) else []


def _counted(count: int) -> str:
    return f"{count} prompt{'' if count == 1 else 's'}"


def _confirm(
    request: HttpRequest, title: str, text: str, hidden: dict[str, str] | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"title": title, "text": text, "hidden": hidden or {}}
    context |= {"action": request.path, "verb": "Delete", "back": reverse("prompts:list")}
    return render(request, "components/confirm.html", context)


@require_safe
def compare(request: HttpRequest, pk: str, other_pk: str) -> HttpResponse:
    """Two prompts that come too close, side by side."""
    pair = [library.row(services.get(pk)), library.row(services.get(other_pk))]
    return render(request, "prompts/side_by_side.html", {"pair": pair})


def _told(request: HttpRequest, message: str) -> HttpResponse:
    """Say what happened: in a toast over the list, which loads itself anew, or on the next page."""
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.close_dialog(htmx.toast(htmx.done(), message)), CHANGED)
    htmx.flash(request, message)
    return htmx.redirect(request, reverse("prompts:list"))
