"""The decorator of every JSON endpoint: who asks, what they send, how failures are worded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict

from influencer.errors import Problem
from influencer.web import answers, body, idempotency, tokens
from influencer.web.answers import Refused, unauthorized
from influencer.web.throttle import Throttle, client_address

failed_tokens = Throttle("token", limit=10)
_slots = threading.BoundedSemaphore(4)


@dataclass(frozen=True)
class ApiRequest:
    """What an endpoint gets: the user, the JSON body (or a form's plain fields), the query."""

    http: HttpRequest
    user: User
    json: dict[str, Any] = field(default_factory=dict, repr=False)
    claim: idempotency.Claim | None = None

    @property
    def method(self) -> str:
        return self.http.method or "GET"

    @property
    def GET(self) -> QueryDict:
        return self.http.GET

    @property
    def FILES(self) -> MultiValueDict[str, Any]:
        return self.http.FILES

    def bind(self, subject: str) -> None:
        """Tell the Idempotency-Key what this request made (a job's or record's id).

        Call it in the transaction that makes it: then a crash leaves both or neither.
        """
        if self.claim:
            self.claim.bind(subject)


@dataclass(frozen=True)
class ApiResponse:
    """An answer with more than a body; a bare dict means 200, a tuple means (status, dict)."""

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answer = ApiResponse | dict[str, Any] | tuple[int, dict[str, Any]] | HttpResponseBase
View = Callable[..., Answer]
Replay = Callable[[ApiRequest, str], Answer]


def endpoint(
    *,
    methods: Collection[str],
    idempotent: bool = False,
    replay: Replay | None = None,
    multipart: bool = False,
    long_texts: Collection[str] = (),
) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Make a function a JSON endpoint as `docs/api.md` describes them.

    `idempotent` lets POST take an Idempotency-Key; `replay(request, subject)` gives the answer
    again from the id the first request bound. Without `replay` the call is simply made again, which
    is right where a second call does no harm. `multipart` also takes forms with files; `long_texts`
    names JSON keys whose text may pass 100 kB (files as base64).
    """

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def called(http: HttpRequest, **path: Any) -> HttpResponseBase:
            try:
                body.check_size(http, multipart=multipart)
                user = _authenticate(http)
                _check_method(http, methods)
                sent = body.read(http, multipart=multipart, long_texts=long_texts)
                request = ApiRequest(http, user, sent)
                if idempotent and http.method == "POST" and "Idempotency-Key" in http.headers:
                    return _respond(_once(view, request, path, replay))
                return _respond(view(request, **path))
            except Exception as error:  # noqa: BLE001 - the outermost shell: every failure gets its JSON
                problem = answers.as_problem(error)
                return answers.failure(problem) if problem else answers.unexpected(error, http.path)

        called.csrf_exempt = True  # type: ignore[attr-defined] # enforced below, for sessions only
        called.is_endpoint = True  # type: ignore[attr-defined]
        return called

    return decorate


@contextmanager
def waiting_slot() -> Iterator[bool]:
    """Whether this request may wait for its job: at most 4 wait at once, others answer 202."""
    granted = _slots.acquire(blocking=False)
    try:
        yield granted
    finally:
        if granted:
            _slots.release()


def identify(http: HttpRequest) -> User:
    """Whom a request below /api/ comes from, by token or session. Raises `Refused` (401) or `TooMany`."""
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _token_user(http, token.strip())
    if not http.user.is_authenticated:
        raise unauthorized("Sign in, or send an API token as `Authorization: Bearer <token>`.")
    return http.user


def _authenticate(http: HttpRequest) -> User:
    """The user; a session must also prove that the request comes from our own pages."""
    user = identify(http)
    if user is http.user and (reason := _SessionCsrf(_no_response).process_view(http, _no_response, (), {})):
        raise Refused(403, "csrf", f"A session needs the CSRF token in X-CSRFToken. {reason}")
    return user


def _token_user(http: HttpRequest, token: str) -> User:
    user = tokens.user_of(token)
    if user is None:
        # Only wrong tokens are slowed down: one script with an old one must not shut out its neighbours.
        address = client_address(http)
        failed_tokens.check(address)
        failed_tokens.attempt(address)
        raise unauthorized("This API token is unknown, expired or revoked.")
    return user


class _SessionCsrf(CsrfViewMiddleware):
    """Django's own check, which answers with the reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _check_method(http: HttpRequest, methods: Collection[str]) -> None:
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)
    if http.method not in allowed:
        names = ", ".join(sorted(methods))
        raise Refused(405, "method_not_allowed", f"This address takes {names}.", Allow=names)


def _once(view: View, request: ApiRequest, path: dict[str, Any], replay: Replay | None) -> Answer:
    """Run the view once for this key, or give its answer again."""
    http = request.http
    key, fingerprint = http.headers["Idempotency-Key"], body.fingerprint(http, request.json)
    while True:
        claim = idempotency.claim(request.user.pk, http.path, key=key, fingerprint=fingerprint)
        bound = ApiRequest(http, request.user, request.json, claim)
        try:
            if claim.subject and replay:
                return replay(bound, claim.subject)
            return view(bound, **path)
        except Problem as problem:
            if not idempotency.frees(problem):
                raise
            claim.free()
            if not claim.subject:
                raise
        finally:
            claim.free_unless_bound()


def _respond(answer: Answer) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    if isinstance(answer, tuple):
        answer = ApiResponse(answer[1], answer[0])
    elif isinstance(answer, dict):
        answer = ApiResponse(answer)
    response = answers.json_response(answer.status, answer.body)
    for name, value in answer.headers.items():
        response[name] = value
    return response
