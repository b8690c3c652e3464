"""A small product to test the frame with: the web app, the admin, and views that fail on purpose."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import Context, Template, engines
from django.urls import include, path, re_path

from influencer.clients.errors import ServiceError
from influencer.errors import Conflict, Invalid, NotFound, Problem
from influencer.web.endpoint import ApiRequest, ApiResponse, endpoint, waiting_slot
from influencer.web.htmx import done, flash, redirect

made: list[str] = []
failures: list[Exception] = []


@endpoint(methods=("GET", "PUT"), long_texts=("image",))
def echo(request: ApiRequest) -> dict[str, Any]:
    return {"json": request.json, "user": request.user.get_username(), "q": request.GET.get("q", "")}


def again(request: ApiRequest, subject: str) -> dict[str, Any]:
    if failures:
        raise failures.pop()
    return {"id": subject}


@endpoint(methods=("POST",), idempotent=True, replay=again, multipart=True)
def make(request: ApiRequest) -> tuple[int, dict[str, Any]]:
    made.append(f"thing_{len(made) + 1}")
    if not request.json.get("early"):
        request.bind(made[-1])
    if failures:
        raise failures.pop()
    return 201, {"id": made[-1], "files": len(request.FILES.getlist("images"))}


@endpoint(methods=("POST",), idempotent=True)
def harmless(request: ApiRequest) -> dict[str, Any]:
    made.append("once more")
    return {}


@endpoint(methods=("GET",))
def broken(request: ApiRequest, what: str) -> ApiResponse:
    problems: dict[str, Exception] = {
        "invalid": Invalid("A name is needed.", fields={"name": ["A name is needed."]}),
        "missing": Http404("no such thing"),
        "denied": PermissionDenied(),
        "conflict": Conflict("Changed since.", code="changed_since", details={"current": {"name": "Luna"}}),
        "service": ServiceError("ComfyUI does not answer.", service="ComfyUI", retryable=True),
        "bug": ZeroDivisionError("secret detail"),
    }
    if what in problems:
        raise problems[what]
    return ApiResponse({"fine": True}, status=202, headers={"X-Extra": "yes"})


@endpoint(methods=("GET",))
def waiting(request: ApiRequest) -> dict[str, Any]:
    with waiting_slot() as granted:
        return {"granted": granted}


def plain_json(request: HttpRequest, token: str = "") -> HttpResponse:
    return HttpResponse("{}", content_type="application/json")


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "web/problem.html", {"heading": "A page", "message": "With words."})


def failing(request: HttpRequest, status: int) -> HttpResponse:
    classes: dict[int, type[Problem]] = {400: Invalid, 404: NotFound, 409: Conflict}
    raise classes[status]("Choose another name.")


def moment(request: HttpRequest) -> HttpResponse:
    noon = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
    return HttpResponse(Template("{% when noon %}").render(Context({"noon": noon})))


def bug(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret detail")


def saved(request: HttpRequest) -> HttpResponse:
    flash(request, "Saved <b>Luna</b>.", link=("See her", "/page/"))
    return redirect(request, "/page/")


def dialog(request: HttpRequest) -> HttpResponse:
    context = {
        "title": "Delete Luna?",
        "text": "4 narratives go. 214 images stay.",
        "action": "/dialog/",
        "back": "/page/",
        "verb": "Delete",
    }
    if request.method == "POST":
        return saved(request)
    return render(request, "components/confirm.html", context)


OPENER = """{% extends "base.html" %}{% block title %}Opener{% endblock %}{% block content %}<h1>Opener</h1>
<a class="btn" href="/dialog/" hx-get="/dialog/" hx-target="#dialog">Delete</a>
<button class="btn" hx-post="/failing/409/">Fail</button>
<button class="btn" hx-post="/bug/">Break</button>
<form hx-post="/slow/" hx-swap="none"><button class="btn">Post</button></form>{% endblock %}"""


def opener(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(OPENER).render({}, request))


def slow(request: HttpRequest) -> HttpResponse:
    time.sleep(0.3)
    return done()


def three() -> int:
    return 3


def make_user(name: str = "owner", **fields: Any) -> User:
    return User.objects.create_superuser(name, password="a sentence works well", **fields)


urlpatterns = [
    path("admin/", admin.site.urls),
    re_path(r"^api/echo/?$", echo),
    re_path(r"^api/make/?$", make),
    path("api/harmless", harmless),
    path("api/waiting", waiting),
    path("api/broken/<str:what>", broken),
    path("api/plain", plain_json),
    path("page/", page, name="page"),
    path("failing/<int:status>/", failing),
    path("bug/", bug),
    path("moment/", moment),
    path("opener/", opener),
    path("slow/", slow),
    path("saved/", saved),
    path("dialog/", dialog),
    path("m/<str:token>", plain_json),
    path("healthz", plain_json),
    path("", include("influencer.web.urls")),
]
