"""Missed runs someone has to decide about, and the runs that come next, beside the list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from influencer.errors import NotFound
from influencer.jobs import services as jobs
from influencer.web import htmx
from scheduling import aside, hand, runs
from scheduling.models import Fired
from scheduling.run_views import said
from scheduling.spacing import SPACE
from scheduling.views import told


@require_safe
def missed(request: HttpRequest) -> HttpResponse:
    return render(request, "scheduling/_missed.html", aside.missed())


@require_safe
def coming(request: HttpRequest) -> HttpResponse:
    return render(request, "scheduling/_next.html", {"next_runs": aside.next_runs()})


@require_POST
def run_late(request: HttpRequest, pk: int) -> HttpResponse:
    row = _row(pk)
    jobs.require_worker("default")
    started = hand.run_missed(row.task_id, row.due, user_id=request.user.pk)
    answer = told(request, said([started]))
    return htmx.refresh(answer, "job-started") if htmx.is_htmx(request) else answer


@require_POST
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    row = _row(pk)
    hand.skip_missed(row.task_id, row.due)
    return told(request, "Left out. It stays in the history.")


@require_http_methods(["GET", "HEAD", "POST"])
def run_all(request: HttpRequest) -> HttpResponse:
    """Ask first: everything missed at once is a lot."""
    if request.method == "POST":
        jobs.require_worker("default")
        answer = told(request, said(hand.run_all_missed(user_id=request.user.pk)))
        return htmx.refresh(answer, "job-started") if htmx.is_htmx(request) else answer
    count = runs.missed().count()
    context = {
        "title": f"Run {count} missed run{'' if count == 1 else 's'} now?",
        "text": f"They start one after another, those that post to the same account "
        f"{SPACE.total_seconds():.0f} s apart. Of one task that missed several, one runs at a time.",
        "action": request.path,
        "verb": "Run all, spread out",
        "keep": "Not now",
        "danger": False,
        "back": reverse("scheduling:list"),
    }
    return render(request, "components/confirm.html", context)


def _row(pk: int) -> Fired:
    row = Fired.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such run any more.")
    return row
