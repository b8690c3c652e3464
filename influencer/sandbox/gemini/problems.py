"""Gemini's error bodies: `{"error": {code, message, status, details}}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

TYPES = "type.googleapis.com/google.rpc"
METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
QUOTA_HELP = "https://ai.google.dev/gemini-api/docs/rate-limits"
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
    "other form of API consumer identity to call this API."
)


class Refused(Exception):
    """The call is refused with this status and body."""

    def __init__(
        self, code: int, status: str, message: str, *, details: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {"error": {"code": code, "message": message, "status": status}}
        if details:
            self.body["error"]["details"] = list(details)

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.code)


def invalid(message: str) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", message)


def unknown_field(name: str, place: str) -> Refused:
    where = f" at '{place}'" if place else ""
    return invalid(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')


def key_invalid() -> Refused:
    return _key("API key not valid. Please pass a valid API key.")


def key_expired() -> Refused:
    return _key("API key expired. Please renew the API key.")


def key_missing() -> Refused:
    return Refused(403, "PERMISSION_DENIED", NO_KEY)


def key_leaked() -> Refused:
    message = "Your API key was reported as leaked. Please use another API key."
    return Refused(403, "PERMISSION_DENIED", message)


def region() -> Refused:
    return Refused(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")


def model_unknown(model: str, version: str) -> Refused:
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return Refused(404, "NOT_FOUND", message)


def path_unknown() -> Refused:
    return Refused(404, "NOT_FOUND", "Requested entity was not found.")


def per_minute(seconds: float = 34) -> Refused:
    return _quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "15", seconds)


def per_day(seconds: float = 34) -> Refused:
    """Google names a short delay here as well, which does not help before the day is over."""
    return _quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "1000", seconds)


def overloaded() -> Refused:
    return Refused(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def other(code: int) -> Refused:
    """Any other trouble of the server's own."""
    if code == 504:
        return Refused(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
    return Refused(code, "INTERNAL", "An internal error has occurred. Please retry or report.")


def _key(message: str) -> Refused:
    info = {
        "@type": f"{TYPES}.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    text = {"@type": f"{TYPES}.LocalizedMessage", "locale": "en-US", "message": message}
    return Refused(400, "INVALID_ARGUMENT", message, details=[info, text])


def _quota(quota_id: str, limit: str, seconds: float) -> Refused:
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information "
        f"on this error, head to: {QUOTA_HELP}. \n* Quota exceeded for metric: {METRIC}, limit: {limit}, "
        f"model: gemini\nPlease retry in {seconds:g}s."
    )
    violation = {
        "quotaMetric": METRIC,
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "gemini"},
        "quotaValue": limit,
    }
    details: list[dict[str, Any]] = [
        {"@type": f"{TYPES}.QuotaFailure", "violations": [violation]},
        {"@type": f"{TYPES}.Help", "links": [{"description": "Rate limits", "url": QUOTA_HELP}]},
        {"@type": f"{TYPES}.RetryInfo", "retryDelay": f"{seconds:g}s"},
    ]
    return Refused(429, "RESOURCE_EXHAUSTED", message, details=details)
