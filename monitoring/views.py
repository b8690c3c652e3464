"""The Monitoring tab, and `/healthz` for what watches over the product from outside."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from characters.models import Character
from influencer.jobs import kinds
from influencer.web import htmx
from monitoring import charts, checks, events, forms, listing, overview, standing
from monitoring.report import Report, State

EVENTS_PAGE = 15
# What a part asks for beside its filters: not of the address.
PASSING = ("fresh", "seen", "said")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole tab; or the part that htmx asks for by its id, 204 when it is as the page has it."""
    part = _part(request)
    if part:
        return _answer(request, part)
    context: dict[str, Any] = {}
    for section in SECTIONS.values():
        context |= section(request)
    return _fresh(render(request, "monitoring/page.html", context))


def _part(request: HttpRequest) -> str:
    """The part to answer with; none for the whole page."""
    target = str(request.htmx.target or "") if htmx.is_htmx(request) else ""  # type: ignore[attr-defined]
    return target if target in SECTIONS else ""


def _answer(request: HttpRequest, part: str) -> HttpResponse:
    context = SECTIONS[part](request)
    seen = request.GET.get("seen")
    if seen and seen == context.get("mark"):
        return _fresh(htmx.done())
    answer = _fresh(render(request, f"monitoring/_{part}.html", context))
    return answer if seen or part == "status" else replace_url(answer, _address(request))


def _address(request: HttpRequest) -> str:
    """The page as it is filtered now, without what is not set."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value or name in PASSING]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _status(request: HttpRequest) -> dict[str, Any]:
    """A page shows at once what is known; its own part, or the button, waits for the checks."""
    fresh = "fresh" in request.GET
    if not fresh and not _part(request):
        return {"overview": overview.known()}
    found = overview.look(fresh=fresh)
    if standing.settled():
        standing.note(checks.everything.report(), checks.OUTSIDE)
    return {"overview": found, "said": request.GET.get("said"), "fresh": fresh}


def _jobs(request: HttpRequest) -> dict[str, Any]:
    filters = forms.JobFilter(request.GET)
    found = listing.listing(filters, request.GET.get("page"))
    return {
        "listing": found,
        "filters": filters.values(),
        "mark": found.mark,
        "kinds": sorted((kind.label, kind.name) for kind in kinds.registered()),
        "people": Character.objects.order_by("name").values_list("pk", "name"),
    }


def _charts(request: HttpRequest) -> dict[str, Any]:
    chosen = forms.ChartFilter(request.GET).values()["period"]
    found = charts.charts(chosen, timezone.now())
    return {"charts": found, "period": chosen, "periods": forms.ChartFilter.PERIOD, "mark": found.mark}


def _events(request: HttpRequest) -> dict[str, Any]:
    filters = forms.EventFilter(request.GET).values()
    found = events.search(kind=filters["about"], level=filters["level"])
    shown = Paginator(found, EVENTS_PAGE).get_page(request.GET.get("events"))
    newest = shown.object_list[0].pk if shown.object_list else 0
    mark = f"{newest}-{shown.paginator.count}"
    return {
        "events": shown,
        "event_filters": filters,
        "levels": forms.EventFilter.LEVEL,
        "abouts": forms.EventFilter.ABOUT,
        "events_mark": mark,
        "mark": mark,
    }


SECTIONS = {"status": _status, "jobs": _jobs, "charts": _charts, "events": _events}


def _fresh(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 `ok`, or 503 with the names of what does not work. Nobody outside is asked, no sign-in needed."""
    broken = failing(checks.inside.report())
    if broken:
        return HttpResponse(", ".join(broken), content_type="text/plain", status=503)
    return HttpResponse("ok", content_type="text/plain")


def failing(report: Report) -> list[str]:
    """`storage` and `queue`, as far as they do not work; the web does, as it answers."""
    state = {name: result.state for name, result in report.results.items()}
    storage = State.DOWN in (state["database"], state["disk"])
    # One cluster without workers is half the queue: images, or posts, would wait.
    queue = state["workers"] is not State.OK or state["scheduler"] is State.DOWN
    return [name for name, fails in (("storage", storage), ("queue", queue)) if fails]
