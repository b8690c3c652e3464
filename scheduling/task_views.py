"""What is done with one task from its row: pause, resume, duplicate, delete."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from characters import services as characters
from scheduling import deeds, services
from scheduling.models import Task
from scheduling.views import told


@require_POST
def active(request: HttpRequest, pk: str) -> HttpResponse:
    """Pause or resume, as the button said."""
    task = services.toggle_task(pk, active=request.POST.get("active") == "on")
    words = "is active again" if task.active else "is paused"
    return told(request, f"{_named(task)} {words}.")


@require_POST
def duplicate(request: HttpRequest, pk: str) -> HttpResponse:
    copy = services.duplicate_task(pk)
    return told(request, f"Added a copy of {_named(copy)}, paused.")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    task = services.get(pk)
    if request.method == "POST":
        services.delete_task(pk)
        return told(request, f"Deleted {_named(task)}. Its history stays.")
    context = {
        "title": f"Delete {_named(task)}?",
        "text": "The task goes, and a run of it that has not begun or waits for review. "
        "One at work finishes. Its history, images and posts stay.",
        "action": request.path,
        "verb": "Delete",
        "back": reverse("scheduling:list"),
    }
    return render(request, "components/confirm.html", context)


def _named(task: Task) -> str:
    """ "Luna: generate and post to Instagram"."""
    name = characters.names([task.character_id]).get(task.character_id, "")
    return f"{deeds.whose(task, name)}: {deeds.of(task)}"
