"""Add Task and Edit: the dialog, what it shows while someone types, and two who save at once."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import reswap, retarget

from characters import catalog, comparing
from characters import services as characters
from characters.models import Character
from influencer.errors import Conflict
from influencer.web import htmx
from influencer.web import zone as dashboard
from prompts.models import Prompt
from scheduling import deeds, services, when_form
from scheduling.editor import EditorForm
from scheduling.models import Task, TaskType
from scheduling.presets import Preset, Rhythm
from scheduling.recipe import PromptSource
from scheduling.views import told

FORM_METHODS = ["GET", "HEAD", "POST"]
RHYTHM = ("rhythm", *(one.name for one in dataclasses.fields(Preset)))


@require_http_methods(FORM_METHODS)
def add(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _dialog(request, EditorForm(initial=_given(request)))
    form = EditorForm(request.POST)
    if not form.is_valid():
        return _dialog(request, form)
    task = services.add_task(form, config=form.config)
    if _is_over_empty_list(request):
        htmx.flash(request, f"Added: {deeds.of(task)}.")
        return htmx.redirect(request, reverse("scheduling:list"))
    return told(request, f"Added: {deeds.of(task)}.")


def _is_over_empty_list(request: HttpRequest) -> bool:
    """Whether the page the dialog lies over has to be loaded anew to have a list at all."""
    asked_from = getattr(request.htmx, "current_url_abs_path", None) or ""  # type: ignore[attr-defined]
    is_list = asked_from.partition("?")[0] == reverse("scheduling:list")
    return htmx.is_htmx(request) and is_list and Task.objects.count() == 1


def _given(request: HttpRequest) -> dict[str, Any]:
    """What the link says the task is for: a character, a type, a moment, or a prompt of the library."""
    given = {"character_id": request.GET.get("character", ""), **_moment(request.GET.get("runAt", ""))}
    if request.GET.get("type") in TaskType.values:
        given["type"] = request.GET["type"]
    prompt: Prompt | None = Prompt.objects.filter(pk=request.GET.get("prompt", "")).first()
    if prompt is not None:
        words = {name: getattr(prompt, name) for name in ("character_id", "prompt", "caption", "alt_text")}
        given |= {**words, "prompt_source": PromptSource.TEXT.value}
    return given


def _moment(text: str) -> dict[str, Any]:
    """A link's one moment, by the dashboard's clock whatever zone the character has."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return {}
    return {"rhythm": Rhythm.ONCE.value, "run_at": text, "timezone": dashboard.current().key}


@require_http_methods(FORM_METHODS)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    form = EditorForm(request.POST or None, instance=services.get(pk))
    if request.method != "POST" or not form.is_valid():
        return _dialog(request, form)
    try:
        task = services.update_task(pk, form, still=form.is_current, config=form.config)
    except Conflict as conflict:
        return _compare(request, form, conflict)
    return told(request, f"Saved: {deeds.of(task)}.")


def _dialog(request: HttpRequest, form: EditorForm) -> HttpResponse:
    task, adding = form.instance, form.instance._state.adding
    whose = str(form["character_id"].value() or "")
    character = Character.objects.filter(pk=whose).first()
    context = {
        "form": form,
        "task": task,
        "adding": adding,
        "fresh": adding and not form.is_bound,
        "character": character,
        "preview": when_form.preview(form.data if form.is_bound else _shown(form), task),
        "catalog": catalog.known(character or Character()),
    }
    return render(request, "scheduling/edit.html", context, status=422 if form.is_bound else 200)


def _shown(form: EditorForm) -> dict[str, Any]:
    """What the fields about the time show before anything is typed."""
    names = (*RHYTHM, *when_form.WHEN, "character_id")
    return {name: str(form[name].value() or "") for name in names}


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """When a schedule that is being typed would run."""
    task: Task | None = Task.objects.filter(pk=request.GET.get("task", "")).first()
    return render(request, "scheduling/_preview.html", {"preview": when_form.preview(request.GET, task)})


@require_safe
def of_character(request: HttpRequest) -> HttpResponse:
    """The story and the images there are to choose from, when another character was chosen."""
    form = EditorForm(initial={"character_id": request.GET.get("character_id", "")})
    return render(request, "scheduling/_of_character.html", {"form": form})


def _compare(request: HttpRequest, form: EditorForm, conflict: Conflict) -> HttpResponse:
    """What was typed beside what someone else has saved meanwhile."""
    if conflict.code != characters.CHANGED:
        raise conflict
    found = comparing.compare(form, services.get(form.instance.pk))
    # Schedule and moment are carried as such; a rhythm would say the old ones once more.
    inputs = [(name, value) for name, value in found.inputs if name not in RHYTHM]
    comparison = dataclasses.replace(found, inputs=inputs)
    context = {"noun": "task", "comparison": comparison, "back": reverse("scheduling:list")}
    answer = render(request, "components/compare.html", context, status=409)
    return reswap(retarget(answer, "#dialog"), "innerHTML") if htmx.is_htmx(request) else answer
