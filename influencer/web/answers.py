"""Every failure as the JSON API words it: one shape, one status each."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpResponse, UnreadablePostError

from influencer.errors import Invalid, NotFound, Problem

log = logging.getLogger(__name__)


class Refused(Problem):
    """The request itself is wrong, before anything was looked at."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = headers


def unauthorized(message: str) -> Refused:
    return Refused(401, "unauthorized", message, WWW_Authenticate="Bearer")


def json_response(status: int, body: dict[str, Any]) -> HttpResponse:
    content = {"success": status < 400, **body}
    return HttpResponse(
        orjson.dumps(content, option=orjson.OPT_UTC_Z), content_type="application/json", status=status
    )


def failure(problem: Problem) -> HttpResponse:
    """The documented body of a failure; optional keys only where they say something."""
    body: dict[str, Any] = {"error": problem.sentence, "code": problem.code}
    if problem.fields:
        body["fields"] = problem.fields
    if problem.retryable is not None:
        body["retryable"] = problem.retryable
    if problem.details:
        body["details"] = problem.details
    if "jobId" in problem.details:
        body["jobId"] = problem.details["jobId"]
    response = json_response(problem.status, body)
    for name, value in _headers(problem).items():
        response[name] = value
    return response


def _headers(problem: Problem) -> dict[str, str]:
    if isinstance(problem, Refused):
        return {name.replace("_", "-"): value for name, value in problem.headers.items()}
    wait = problem.details.get("retryAfter")
    return {"Retry-After": str(wait)} if wait else {}


def as_problem(error: Exception) -> Problem | None:
    """What Django or Python raised, in this product's words; None for what nobody expected."""
    match error:
        case Problem():
            return error
        case Http404():
            return NotFound("There is nothing at this address.")
        case PermissionDenied():
            return Refused(403, "forbidden", "This account may not do that.")
        case ValidationError():
            return invalid(error)
        case RequestDataTooBig():
            return Refused(413, "too_large", "The request is larger than this address takes.")
        case SuspiciousOperation() | UnreadablePostError():
            return Refused(400, "bad_request", "The request could not be read.")
    return None


def invalid(error: ValidationError) -> Invalid:
    """A Django validation error as ours: the first message is the sentence."""
    if not hasattr(error, "error_dict"):
        return Invalid(" ".join(error.messages))
    fields = {name: list(messages) for name, messages in error.message_dict.items()}
    return Invalid(next(iter(fields.values()))[0], fields=fields)


def unexpected(error: Exception, path: str) -> HttpResponse:
    """500 without detail; the log has it once."""
    log.error("Unexpected failure at %s", path, exc_info=error)
    return json_response(
        500,
        {
            "error": "Something went wrong here. It is in the log, with the time of this request.",
            "code": "internal",
        },
    )
