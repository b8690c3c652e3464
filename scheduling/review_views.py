"""What waits for review, beside the list: approve, edit, reject."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from influencer.errors import Invalid
from influencer.jobs import services as jobs
from influencer.web import htmx
from scheduling import aside, review
from scheduling.models import Fired
from scheduling.views import CHANGED

OF_ONE = "caption_"


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    focus = "card" in request.GET
    return render(
        request, "scheduling/_review.html", aside.opened(aside.cards(), request.GET.dict()) | {"focus": focus}
    )


@require_POST
def approve(request: HttpRequest, job_id: str) -> HttpResponse:
    """With the words of the form, where they were edited."""
    jobs.require_worker("default")
    told: dict[str, Any] = request.POST.dict()
    captions = {name.removeprefix(OF_ONE): text for name, text in told.items() if name.startswith(OF_ONE)}
    try:
        review.approve(job_id, caption=told.get("caption"), alt_text=told.get("alt_text"), captions=captions)
    except Invalid as problem:
        return _refused(request, job_id, problem)
    return _done(request, "Approved: it goes out now.")


@require_POST
def reject(request: HttpRequest, job_id: str) -> HttpResponse:
    review.reject(job_id)
    fired = Fired.objects.filter(job_id=job_id).values_list("pk", flat=True).first()
    run = ("Take it back", reverse("scheduling:run", args=[fired])) if fired else None
    return _done(request, "Rejected: nothing is posted. The image stays in the gallery.", link=run)


def _refused(request: HttpRequest, job_id: str, problem: Invalid) -> HttpResponse:
    """Back to the words as they were typed."""
    if not htmx.is_htmx(request):
        htmx.flash(request, problem.message, "bad")
        return htmx.redirect(request, f"{reverse('scheduling:list')}?edit={job_id}#review")
    context = aside.opened(aside.cards(), {"edit": job_id}) | {
        "error": problem.message,
        "typed": request.POST,
    }
    return render(request, "scheduling/_review.html", context, status=422)


def _done(request: HttpRequest, message: str, *, link: htmx.Link | None = None) -> HttpResponse:
    """The next one, focused; then whatever else shows tasks or runs loads itself anew."""
    if not htmx.is_htmx(request):
        htmx.flash(request, message, link=link)
        return htmx.redirect(request, reverse("scheduling:list"))
    answer = render(request, "scheduling/_review.html", aside.opened(aside.cards(), {}) | {"focus": True})
    return trigger_client_event(htmx.toast(answer, message, link=link), CHANGED, after="settle")
