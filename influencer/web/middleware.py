"""What holds for every request: which host gets what, headers, sign-in, worded failures."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect, reswap

from influencer import effective
from influencer.errors import Problem
from influencer.web import answers, link_trial, zone
from influencer.web.endpoint import identify
from influencer.web.htmx import is_htmx, toast
from influencer.web.problems import problem_page

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
OPEN_PATHS = ("/login/", "/setup/", "/healthz", "/m/", "/static/", "/favicon.ico")
# What answers of the API link to: whoever got them by a token fetches these by it too.
TOKEN_PATHS = re.compile(r"/images/[^/]+/(file|thumbnail)")


class PublicHostMiddleware:
    """Under the public address only media links answer, unless the dashboard may be public too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if text := link_trial.answer(request.path):
            return add_headers(HttpResponse(text, content_type="text/plain"))
        if self._is_closed(request):
            return add_headers(HttpResponseNotFound("Not found.", content_type="text/plain"))
        return self.get_response(request)

    def _is_closed(self, request: HttpRequest) -> bool:
        config = effective.config()
        public = config.public_host.lower().rstrip(".")
        if not public or config.public_dashboard or _is_own(public, config.host):
            return False
        host, _ = split_domain_port(request.META.get("HTTP_HOST", "").lower())
        return host.strip("[]") == public and not request.path.startswith("/m/")


class SecurityHeadersMiddleware:
    """The same strict headers on every answer; nothing is stored unless the answer says so itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return add_headers(self.get_response(request))


class ApiFailureMiddleware:
    """Below /api/ no failure is a page, whoever refused the request: Django itself, for another host."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if _is_api(request) and _is_page(response) and response.status_code >= 400:
            return _bare_failure(response.status_code)
        return response


class LoginWallMiddleware:
    """Everything needs a signed-in user, but for the few open paths. The API answers for itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_api(request):
            return self._api(request)
        if "Authorization" in request.headers and TOKEN_PATHS.fullmatch(request.path):
            return _refusal(request) or self.get_response(request)
        if request.path.startswith(OPEN_PATHS) or request.user.is_authenticated:
            return self.get_response(request)
        return _to_login(request)

    def _api(self, request: HttpRequest) -> HttpResponseBase:
        """Endpoints ask for themselves; any other address below /api/ is silent to strangers too."""
        response = self.get_response(request)
        if getattr(request, "reached_endpoint", False):
            return response
        return _refusal(request) or response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if _is_api(request):
            request.reached_endpoint = getattr(view, "is_endpoint", False)  # type: ignore[attr-defined]
            if not request.reached_endpoint:  # type: ignore[attr-defined]
                return _refusal(request)
        return None


class TimeZoneMiddleware:
    """Times are shown in the chosen zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone.current()):
            return self.get_response(request)


class ProblemMiddleware:
    """A `Problem` a view raises becomes a page or a toast."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Problem) and not is_htmx(request):
            return None
        problem = answers.as_problem(error)
        if problem is None:
            return None
        status = 422 if problem.status == 400 else problem.status
        if is_htmx(request):
            response = toast(HttpResponse(status=status), problem.sentence, "bad")
            return reswap(response, "none")
        return problem_page(request, status, message=problem.sentence, code=problem.code)


def add_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response[name] = value
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "no-store"
    return response


def _is_own(public: str, listens_on: str) -> bool:
    """Whether the public name is one the dashboard itself is used under: this machine or its network."""
    if public in {listens_on.lower(), "localhost"} or public.endswith((".localhost", ".local")):
        return True
    try:
        return not ipaddress.ip_address(public).is_global
    except ValueError:
        return "." not in public


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """What a stranger gets from the API, and from what it links to; None for who may be there."""
    try:
        identify(request)
    except Problem as problem:
        return answers.failure(problem)
    return None


def _to_login(request: HttpRequest) -> HttpResponse:
    """Send to sign-in and back; a fragment's request takes its whole page there."""
    if is_htmx(request):
        back = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(_login_url(back))
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return HttpResponseRedirect(_login_url(back))


def _login_url(back: str) -> str:
    login = resolve_url(settings.LOGIN_URL)
    return f"{login}?{urlencode({'next': back})}" if back != "/" else login


def _is_api(request: HttpRequest) -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


def _is_page(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("text/html")


def _bare_failure(status: int) -> HttpResponse:
    words = {
        400: ("bad_request", "The request could not be read."),
        403: ("forbidden", "This account may not do that."),
        404: ("not_found", "There is nothing at this address."),
    }
    code, message = words.get(status, ("internal", "Something went wrong here. It is in the log."))
    return answers.failure(answers.Refused(status, code, message))
