"""The Scheduling tab in the browser: the list of tasks."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from scheduling import listing, pulse
from scheduling.models import Task

PAGE_SIZE = 20
# The event after which lists of tasks load themselves anew.
CHANGED = "tasks-changed"


@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Task.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": listing.rows(page.object_list), "pulse": pulse.current()}
    return render(request, "scheduling/list.html", context)


@require_safe
def heart(request: HttpRequest) -> HttpResponse:
    """The line under the heading, which keeps itself current."""
    answer = render(request, "scheduling/_pulse.html", {"pulse": pulse.current()})
    answer["Cache-Control"] = "no-store"
    return answer
