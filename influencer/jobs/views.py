"""Jobs on pages: the component that keeps itself current, a row of the list, the header's count."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from influencer.errors import Conflict
from influencer.jobs import figures, names, previews, services, wording
from influencer.jobs.models import Job
from influencer.web import htmx, tabs


@require_GET
def fragment(request: HttpRequest, job_id: str) -> HttpResponse:
    """The `.job`; tells the page when the job has come on by a quarter or has ended."""
    return _fragment(request, services.get(job_id))


@require_GET
def row(request: HttpRequest, job_id: str) -> HttpResponse:
    job = services.get(job_id)
    name = names.names_of([job.character_id]).get(job.character_id, "")
    return _fresh(render(request, "jobs/_row.html", {"job": job, "name": name, "open": True}))


@require_GET
def header(request: HttpRequest) -> HttpResponse:
    """The header's counts, those of its tabs too; 204 when the page shows them already.

    Tells the page when a job has begun or ended since, wherever that was started, and whose.
    """
    counts = figures.for_header()
    waiting = [(tab, tab.count) for tab in tabs.all_tabs() if tab.waiting]
    seen = "-".join(map(str, (counts.running, counts.queued, *(count for _, count in waiting))))
    jobs = figures.mark()
    known = request.GET.get("jobs", jobs)
    if request.GET.get("seen") == seen and known == jobs:
        return _fresh(htmx.done())
    context = {"counts": counts, "waiting": waiting, "seen": seen, "jobs": jobs}
    answer = _fresh(render(request, "jobs/_header.html", context))
    if known == jobs:
        return answer
    return htmx.refresh(answer, "jobs-moved", *(f"jobs-of-{pk}" for pk in figures.moved_since(known)))


@require_GET
def preview(request: HttpRequest, job_id: str) -> HttpResponse:
    """The picture of a job at work; 204 when there is none (yet, or any more)."""
    etag = f'"{previews.version(job_id)}"'
    if request.headers.get("If-None-Match") == etag != '""':
        return _fresh(HttpResponse(status=304, headers={"ETag": etag}))
    jpeg = previews.read(job_id)
    if jpeg is None:
        return _fresh(htmx.done())
    return _fresh(HttpResponse(jpeg, content_type="image/jpeg", headers={"ETag": etag}))


@require_POST
def cancel(request: HttpRequest, job_id: str) -> HttpResponse:
    return _change(request, job_id, services.cancel)


@require_POST
def retry(request: HttpRequest, job_id: str) -> HttpResponse:
    return _change(request, job_id, services.retry, "job-started")


def _change(request: HttpRequest, job_id: str, verb: Any, *events: str) -> HttpResponse:
    """Do it and show the job as it stands; a refusal is said, not shown as an error page."""
    refusal = ""
    try:
        verb(job_id)
    except Conflict as conflict:
        refusal = conflict.message
    if not htmx.is_htmx(request):
        if refusal:
            htmx.flash(request, refusal, "warn")
        return htmx.redirect(request, _back(request))
    response = _fragment(request, services.get(job_id))
    if refusal:
        return htmx.toast(response, refusal, "warn")
    return htmx.refresh(response, *events)


def _fragment(request: HttpRequest, job: Job) -> HttpResponse:
    said, shown = request.GET.get("said", ""), wording.shown(job)
    response = _fresh(render(request, "jobs/_body.html", {"job": job}))
    if said != shown.mark:
        trigger_client_event(response, "job-said", {"text": shown.spoken})
        if said and not job.is_final:
            trigger_client_event(response, "job-progressed", {"id": job.id, "kind": job.kind})
    if job.is_final:
        detail = {"id": job.id, "kind": job.kind, "state": job.state, "characterId": job.character_id}
        trigger_client_event(response, "job-finished", detail)
    return response


def _back(request: HttpRequest) -> str:
    """The page the form stands on, if it is one of ours."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours else reverse("web:home")


def _fresh(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
