"""Instagram's error bodies, word for word where Meta documents them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

TIME = "%A, %d-%b-%y %H:%M:%S UTC"


@dataclass(frozen=True)
class Reason:
    """One row of the error table; `{words}` in the texts are filled in by `Refused`."""

    code: int
    message: str
    subcode: int | None = None
    title: str = ""
    user_message: str = ""
    status: int = 400
    transient: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.subcode is not None or self.transient:
            error["is_transient"] = self.transient
        if self.user_message:
            error |= {"error_user_title": self.title, "error_user_msg": self.user_message}
        return {"error": error | {"fbtrace_id": f"A{secrets.token_urlsafe(18)[:22]}"}}

    def response(self) -> web.Response:
        return web.json_response(self.body(), status=self.status, headers=self.headers)


class Refused(Exception):
    """The call is refused with `reason`."""

    def __init__(self, reason: Reason, **words: object) -> None:
        super().__init__(reason.message)
        self.reason = replace(
            reason,
            message=reason.message.format(**words),
            user_message=reason.user_message.format(**words),
        )


DOWN = Reason(
    2,
    "An unexpected error has occurred. Please retry your request later.",
    status=500,
    transient=True,
)
APP_LIMIT = Reason(4, "(#4) Application request limit reached")
SPAM = Reason(
    4,
    "Application request limit reached",
    2207051,
    "Action blocked",
    "We restrict certain activity to protect our community. Tell us if you think we made a mistake.",
)
QUOTA = Reason(
    9,
    "Application request limit reached",
    2207042,
    "Maximum number of posts reached",
    "You reached maximum number of posts that is allowed to be published by Content Publishing API.",
)
NO_CONTAINER = Reason(
    24,
    "The requested resource does not exist",
    2207008,
    "Media builder not found",
    "The media builder with creation id = {id} does not exist or has been expired.",
)
RESTRICTED = Reason(
    25,
    "The account is restricted",
    2207050,
    "Account restricted",
    "The Instagram account is restricted.",
)
INVALID = Reason(100, "(#100) {text}")
NO_FIELD = Reason(100, "(#100) Tried accessing nonexisting field ({field}) on node type ({node})")
NO_OBJECT = Reason(
    100,
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing"
    " permissions, or does not support this operation. Please read the Graph API documentation at"
    " https://developers.facebook.com/docs/graph-api",
    33,
)
UNKNOWN_TYPE = Reason(
    100, "Unknown media type", 2207023, "Unknown media type", "The media type {type} is unknown."
)
CAROUSEL_SIZE = Reason(
    100,
    "Invalid parameter",
    2207028,
    "Invalid carousel",
    "Your post won't work as a carousel. Carousels need at least 2 photos/videos and no more than 10"
    " photos/videos.",
)
TOO_MANY_TAGS = Reason(
    100,
    "Invalid parameter",
    2207040,
    "Too many tags",
    "Cannot use more than 20 tags per media.",
)
BAD_TOKEN = Reason(190, "Invalid OAuth access token - Cannot parse access token")
EXPIRED = Reason(
    190,
    "Error validating access token: Session has expired on {then}. The current time is {now}.",
    463,
    status=401,
)
REVOKED = Reason(
    190,
    "Error validating access token: The user has not authorized application.",
    458,
    status=401,
)
TOO_YOUNG = Reason(100, "(#100) The access token must be at least 24 hours old to be refreshed.")
APP_SECRET = Reason(1, "Error validating client secret.")
NO_APP_TOKEN = Reason(
    100,
    "(#100) You must provide an app access token, or a user access token that is an owner or developer"
    " of the app",
)
SLOW_DOWNLOAD = Reason(
    -2, "Timeout", 2207003, "Download timed out", "It takes too long to download the media."
)
NOT_FETCHED = Reason(
    9004,
    "Only photo or video can be accepted as media type.",
    2207052,
    "Media download has failed",
    "The media could not be fetched from this URI: {url}",
)
NOT_READY = Reason(
    9007,
    "Media ID is not available",
    2207027,
    "Media not ready",
    "The media is not ready for publishing, please wait for a moment.",
)
TOO_LARGE = Reason(
    36000,
    "The image size is too large.",
    2207004,
    "Image size too large",
    "The image is too large to download. It should be less than 8 MiB.",
)
NOT_JPEG = Reason(
    36001,
    "The image format is not supported.",
    2207005,
    "Image format not supported",
    "The image format {format} is not supported. Supported formats are: JPEG.",
)
ASPECT = Reason(
    36003,
    "The aspect ratio is not supported.",
    2207009,
    "Invalid aspect ratio",
    "The submitted image with aspect ratio ({ratio}) cannot be published. Please submit an image with a"
    " valid aspect ratio.",
)
CAPTION = Reason(
    36004,
    "The caption was too long.",
    2207010,
    "Caption too long",
    "The caption is too long. A caption can have up to 2,200 characters, 30 hashtags and 20 @ tags.",
)
NO_PATH = Reason(2500, "Unknown path components: {path}")


def expired(now: float) -> Refused:
    """The refusal of a token that ended a day ago."""
    then, today = (datetime.fromtimestamp(at, UTC).strftime(TIME) for at in (now - 86_400, now))
    return Refused(EXPIRED, then=then, now=today)
