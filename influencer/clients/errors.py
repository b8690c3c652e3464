"""What goes wrong outside: one error for every service behind a client."""

from __future__ import annotations

from typing import Any

from influencer.errors import Problem


class ServiceError(Problem):
    """An outside service refused, failed or stayed silent.

    `service` names it as a person would ("ComfyUI", "Instagram", "X"); `code` is the
    service's own code where it has one; `fix` is the next step in plain words;
    `outcome_unknown` is true when the service may have done what was asked.
    """

    status = 502
    code = "service_failed"

    def __init__(
        self,
        message: str,
        *,
        service: str,
        code: str = "",
        fix: str = "",
        retryable: bool = False,
        outcome_unknown: bool = False,
        http_status: int | None = None,
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, retryable=retryable, details=details)
        self.service = service
        self.fix = fix
        self.outcome_unknown = outcome_unknown
        self.http_status = http_status
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        return self.message if self.fix in self.message else f"{self.message} {self.fix}"
