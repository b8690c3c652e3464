"""The Scheduling tab in the browser: the list of tasks and what keeps it current."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from characters import services as characters
from characters.models import Character
from influencer.web import htmx
from scheduling import aside, on_characters, pulse, runs, tasklist
from scheduling.forms import TaskFilter

PAGE_SIZE = 20
RECENT = 8
# The event after which everything that shows tasks or runs loads itself anew.
CHANGED = "tasks-changed"


@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    filters = TaskFilter(request.GET).values()
    page = Paginator(tasklist.search(**filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "lines": tasklist.lines(list(page)), "filters": filters}
    context |= {"counts": tasklist.counts(), "has_characters": Character.objects.exists()}
    if htmx.is_htmx(request) and request.htmx.target == "tasks":  # type: ignore[attr-defined]
        answer = render(request, "scheduling/list.html#tasks", context)
        return replace_url(answer, _address(request))
    context |= {
        "recent": _recent(),
        "owners": tasklist.owners(),
        "choices": TaskFilter,
        "pulse": pulse.current(),
        **aside.context(request.GET.dict()),
    }
    return render(request, "scheduling/list.html", context)


def _address(request: HttpRequest) -> str:
    """The list as it is filtered now, without what is not set."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """The table under the list."""
    return render(request, "scheduling/_recent.html", {"recent": _recent()})


def _recent() -> list[tasklist.RunLine]:
    return tasklist.run_lines(runs.history(most=RECENT))


@require_safe
def heart(request: HttpRequest) -> HttpResponse:
    """The line under the heading; tells the page when tasks or runs are no longer what it shows."""
    now = pulse.current()
    answer = render(request, "scheduling/_pulse.html", {"pulse": now})
    answer["Cache-Control"] = "no-store"
    return htmx.refresh(answer, CHANGED) if request.GET.get("seen", now.mark) != now.mark else answer


@require_safe
def section(request: HttpRequest, pk: str) -> HttpResponse:
    """The Schedule section of a character's page, once more."""
    context = {"character": characters.get(pk), "filled": on_characters.section_context(pk)}
    return render(request, "scheduling/_section.html", context)


def told(request: HttpRequest, message: str, kind: htmx.Kind = "ok") -> HttpResponse:
    """Say what happened: in a toast over the page, whose parts load themselves anew, or on the list."""
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.close_dialog(htmx.toast(htmx.done(), message, kind)), CHANGED)
    htmx.flash(request, message, kind)
    return htmx.redirect(request, reverse("scheduling:list"))
