"""X's error bodies: `title`, `detail`, `type`, `status`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

PROBLEMS = "https://api.twitter.com/2/problems"
NEW_PROBLEMS = "https://api.x.com/2/problems"
NOT_PERMITTED = "You are not permitted to perform this action."
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
BAD_MEDIA = "Your media IDs are invalid."
APP_ONLY = (
    "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication"
    " types are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
)


class Refused(Exception):
    """The call is refused with this body, status and headers."""

    def __init__(self, body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("detail", ""))
        self.body = body
        self.status = status
        self.headers = headers or {}

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status, headers=self.headers)


def plain(status: int, title: str, detail: str = "", *, kind: str = "about:blank") -> Refused:
    return Refused({"title": title, "detail": detail or title, "type": kind, "status": status}, status)


def invalid(message: str, **parameters: Any) -> Refused:
    """400: one or more parameters are wrong; each with the value given."""
    shown = {name.replace("__", "."): [str(value)[:100]] for name, value in parameters.items()}
    return Refused(
        {
            "errors": [{"message": message, "parameters": shown}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{PROBLEMS}/invalid-request",
        },
        400,
    )


def unauthorized() -> Refused:
    return plain(401, "Unauthorized")


def forbidden(detail: str = NOT_PERMITTED) -> Refused:
    return plain(403, "Forbidden", detail)


def app_only() -> Refused:
    return plain(403, "Unsupported Authentication", APP_ONLY, kind=f"{PROBLEMS}/unsupported-authentication")


def read_only_app() -> Refused:
    detail = (
        "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
    )
    return plain(403, "Forbidden", detail, kind=f"{NEW_PROBLEMS}/oauth1-permissions")


def suspended() -> Refused:
    return plain(403, "Forbidden", "User is suspended.", kind=f"{PROBLEMS}/user-suspended")


def no_credits(account_id: str) -> Refused:
    detail = f"Your enrolled account [{account_id}] does not have any credits to fulfill this request."
    return Refused(
        {
            "account_id": int(account_id),
            "title": "CreditsDepleted",
            "detail": detail,
            "type": f"{PROBLEMS}/credits",
        },
        402,
    )


def spend_cap(account_id: str, reset_date: str) -> Refused:
    detail = (
        f"Your enrolled account [{account_id}] has reached its billing cycle spend cap. API requests will be"
        f" blocked until the next cycle begins on {reset_date}."
    )
    return Refused(
        {
            "title": "SpendCapReached",
            "detail": detail,
            "reset_date": reset_date,
            "type": f"{PROBLEMS}/credits",
        },
        403,
    )


def too_many(headers: dict[str, str]) -> Refused:
    refusal = plain(429, "Too Many Requests")
    refusal.headers = headers
    return refusal


def unavailable() -> Refused:
    return plain(503, "Service Unavailable")


def not_found() -> Refused:
    return plain(404, "Not Found")


def missing(post_id: str) -> dict[str, Any]:
    """What a look-up of a post that isn't there answers, with status 200."""
    return {
        "errors": [
            {
                "value": post_id,
                "detail": f"Could not find tweet with id: [{post_id}].",
                "title": "Not Found Error",
                "resource_type": "tweet",
                "parameter": "id",
                "resource_id": post_id,
                "type": f"{PROBLEMS}/resource-not-found",
            }
        ]
    }
