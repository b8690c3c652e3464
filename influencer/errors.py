"""The one error tree: every failure a person or a program can meet."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """A failure with a sentence a person can act on and a code a program can read.

    `status` is the HTTP status the JSON API answers with; `fields` maps a form
    field to its messages; `retryable` says whether the same call may succeed later.
    """

    status = 500
    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        fields: dict[str, list[str]] | None = None,
        retryable: bool | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.fields = fields or {}
        self.retryable = retryable
        self.details = details or {}

    @property
    def sentence(self) -> str:
        """What happened and what to do about it, for answers without a place of their own for the fix."""
        return self.message


class Invalid(Problem):
    """The input can't be used; `fields` says why."""

    status = 400
    code = "invalid"


class NotFound(Problem):
    status = 404
    code = "not_found"


class Conflict(Problem):
    """The input is fine, but not against what is there now."""

    status = 409
    code = "conflict"


class TooMany(Problem):
    status = 429
    code = "too_many"


class Unavailable(Problem):
    """Something this product itself needs is missing: worker, store, configuration."""

    status = 503
    code = "unavailable"


class TookTooLong(Problem):
    """The answer did not come in time; the work goes on."""

    status = 504
    code = "timeout"
