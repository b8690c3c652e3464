"""A failure as it is kept with the job, and back into an error a caller can raise."""

from __future__ import annotations

import re
from typing import Any

from influencer.clients.errors import ServiceError
from influencer.errors import Conflict, Invalid, NotFound, Problem, TookTooLong, Unavailable

UNKNOWN = "outcome_unknown"
HIDDEN = "********"
CLASSES = {kind.status: kind for kind in (Invalid, NotFound, Conflict, Unavailable, TookTooLong, Problem)}

# A last net: messages are written without secrets, but some quote what a service answered.
_NAMED = re.compile(
    r"((?:access_|refresh_|bearer_|id_)?token|api_?key|(?:app_|client_)?secret|password|passwd|signature|sig"
    r"|oauth_\w+|authorization)([\"']?\s*[=:]\s*[\"']?)(?:Bearer\s+|OAuth\s+|Basic\s+)?[^\s\"'&,;]+",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"\bBearer\s+\S+|\b(?:EAA|IGAA|IGQ)[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{30,}", re.IGNORECASE
)


def redact(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _SHAPED.sub(HIDDEN, _NAMED.sub(rf"\1\2{HIDDEN}", text))


def describe(error: BaseException, step: str) -> dict[str, Any]:
    """Step, service, code, message, fix and whether a retry makes sense; without any secret."""
    if not isinstance(error, Problem):
        return internal(step)
    service, fix, code = "", "", error.code
    if isinstance(error, ServiceError):
        service, fix = error.service, redact(error.fix)
        code = UNKNOWN if error.outcome_unknown else code
    return {
        "step": step,
        "service": service,
        "code": code,
        "message": redact(error.message),
        "fix": fix,
        "retryable": bool(error.retryable),
        "status": error.status,
    }


def internal(step: str) -> dict[str, Any]:
    """An error of our own: the detail is in the log only."""
    return _own(step, "internal", "Something went wrong inside.", "The log says what. Then retry.")


def worker_died(step: str, times: int) -> dict[str, Any]:
    fix = "Look in the log whether memory ran out, then retry."
    return _own(step, "worker_died", f"The worker died {times} times on this.", fix)


def timed_out(step: str, seconds: float) -> dict[str, Any]:
    return _own(step, "timeout", f"It took longer than {seconds / 60:.0f} min and was stopped.", "Retry it.")


def unknown_kind(kind: str) -> dict[str, Any]:
    return _own("", "unknown_kind", f"This version can't do '{kind}'.", "Start it again from its page.")


def _own(step: str, code: str, message: str, fix: str) -> dict[str, Any]:
    return {
        "step": step,
        "service": "",
        "code": code,
        "message": message,
        "fix": fix,
        "retryable": True,
        "status": 500,
    }


def of_job(error: dict[str, Any] | None, step: str) -> dict[str, Any]:
    """The error kept with a failed job, with every part, also where the row lacks some."""
    told = {name: part for name, part in (error or {}).items() if part is not None}
    return {**internal(step), **({"fix": ""} if told.get("message") else {}), **told}


def problem_of(error: dict[str, Any]) -> Problem:
    """The error a job failed with, as one that can be raised (and answers with the right status)."""
    retryable = bool(error.get("retryable"))
    if service := error.get("service"):
        return ServiceError(
            error["message"],
            service=service,
            code=error["code"],
            fix=error.get("fix", ""),
            retryable=retryable,
            outcome_unknown=error["code"] == UNKNOWN,
        )
    kind = CLASSES.get(error.get("status", 500), Problem)
    return kind(error["message"], code=error["code"], retryable=retryable)
