"""The calendar of the Scheduling tab in the browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from influencer.web import htmx
from scheduling import calendar, pulse, tasklist
from scheduling.calendar import View
from scheduling.timetable import Clocks


@require_safe
def calendar_page(request: HttpRequest) -> HttpResponse:
    clocks, now = Clocks.now(), timezone.now()
    today = now.astimezone(clocks.home).date()
    view = View.read(request.GET.dict(), today)
    weeks = calendar.weeks(view, clocks, now)
    context = {"sheet": view, "weeks": weeks, "today": view.of_today(today)}
    context |= {"silence": calendar.silence(view, weeks, clocks)}
    if htmx.is_htmx(request) and request.htmx.target == "calendar":  # type: ignore[attr-defined]
        return render(request, "scheduling/calendar.html#calendar", context)
    context |= {
        "by_month": view.as_month(),
        "by_week": view.as_week(today),
        "owners": tasklist.owners(),
    }
    return render(request, "scheduling/calendar.html", context | {"pulse": pulse.current()})
