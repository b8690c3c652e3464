"""Runs in the browser: started by hand, and what became of each."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from characters.images.models import Image
from characters.publishing.models import Post
from influencer.errors import NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web import htmx
from scheduling import hand, intended, pulse, runs, services, tasklist
from scheduling.hand import Started
from scheduling.intended import Intended
from scheduling.models import Fired
from scheduling.views import told

PAGE_SIZE = 30
FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(FORM_METHODS)
def run_all(request: HttpRequest) -> HttpResponse:
    """Ask about all active tasks, then run them; asked anew when they are not those that were listed."""
    planned = intended.all_active()
    if request.method != "POST" or request.POST.get("seen") != planned.mark or not planned.starts:
        return _ask(request, planned, changed=request.method == "POST")
    return _run(request)


@require_http_methods(FORM_METHODS)
def run_one(request: HttpRequest, pk: str) -> HttpResponse:
    """The same for one task, which may be paused."""
    planned = intended.one(services.get(pk))
    if request.method != "POST" or request.POST.get("seen") != planned.mark:
        return _ask(request, planned, changed=request.method == "POST", one=True)
    return _run(request, pk)


def _ask(request: HttpRequest, planned: Intended, *, changed: bool, one: bool = False) -> HttpResponse:
    context = {"planned": planned, "changed": changed, "one": one}
    return render(request, "scheduling/run_now.html", context, status=409 if changed else 200)


def _run(request: HttpRequest, pk: str = "") -> HttpResponse:
    jobs.require_worker("default")
    started = hand.run_now(pk, user_id=request.user.pk)
    answer = told(request, said(started), "ok" if any(one.job_id for one in started) else "warn")
    return htmx.refresh(answer, "job-started") if htmx.is_htmx(request) else answer


def said(started: list[Started]) -> str:
    """What a Run Now has come to, in a sentence or three."""
    begun = sum(bool(one.job_id) and not one.already_running for one in started)
    going = sum(one.already_running for one in started)
    left_out = [one.why for one in started if not one.job_id]
    parts = [f"Started {begun} run{'' if begun == 1 else 's'}."] if begun else []
    if going:
        parts.append("Its run is still going." if len(started) == 1 else f"{going} still going.")
    if left_out:
        parts.append(left_out[0] if len(started) == 1 else f"{len(left_out)} left out.")
    return " ".join(parts) or "There was nothing to run."


@require_safe
def history(request: HttpRequest, pk: str = "") -> HttpResponse:
    """What became of every due time, newest first; of one task, also one that is deleted, or all."""
    rows = Fired.objects.filter(task_id=pk) if pk else Fired.objects.all()
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "lines": tasklist.run_lines(runs.with_jobs(list(page)))}
    if pk:
        context |= {"line": next(iter(tasklist.lines([pk])), None)}
        if context["line"] is None and not context["lines"]:
            raise NotFound("There is no such task any more.")
    context |= {"pulse": pulse.current(), "of_one": bool(pk)}
    return render(request, "scheduling/runs.html", context)


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: when it was due, its job with every step, and what came of it."""
    fired = Fired.objects.filter(pk=pk).first()
    if fired is None:
        raise NotFound("There is no such run any more.")
    [line] = tasklist.run_lines(runs.with_jobs([fired]))
    job = line.run.job
    context = {"line": line, "job": job, "images": _images_of(job), "posts": _posts_of(job)}
    part = "#body" if request.GET.get("part") == "body" else ""
    return render(request, f"scheduling/run.html{part}", context)


def _images_of(job: Job | None) -> QuerySet[Image]:
    ids = ((job.result or {}).get("imageIds") or job.memo.get("image_ids") or []) if job else []
    return Image.objects.filter(pk__in=ids)


def _posts_of(job: Job | None) -> QuerySet[Post]:
    ids = list((job.memo.get("posts") or {}).values()) if job else []
    return Post.objects.filter(pk__in=ids).order_by("platform")
