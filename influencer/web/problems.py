"""Failures as pages: what happened, in a sentence with a next step."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

TITLES = {
    403: "Not allowed",
    404: "Not here",
    409: "Changed in the meantime",
    410: "No longer valid",
    422: "That can’t be used",
    429: "Too many attempts",
    502: "A service failed",
    503: "Not possible right now",
    504: "That took too long",
}


def problem_page(request: HttpRequest, status: int, *, message: str, code: str = "") -> HttpResponse:
    """A page that words one failure; the same for every status."""
    context = {"heading": TITLES.get(status, "Something went wrong"), "message": message, "code": code}
    return render(request, "web/problem.html", context, status=status)
