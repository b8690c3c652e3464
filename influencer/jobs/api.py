"""The documented `/api/jobs/…` endpoints."""

from __future__ import annotations

from typing import Any

from influencer.jobs import services
from influencer.web.endpoint import ApiRequest, endpoint


@endpoint(methods=("GET",))
def job(request: ApiRequest, job_id: str) -> dict[str, Any]:
    """GET /api/jobs/{id}"""
    return {"job": services.get(job_id).as_json()}


@endpoint(methods=("POST",))
def cancel(request: ApiRequest, job_id: str) -> dict[str, Any]:
    """POST /api/jobs/{id}/cancel; 409 `too_late` or `already_finished`."""
    return {"job": services.cancel(job_id).as_json()}


@endpoint(methods=("POST",))
def retry(request: ApiRequest, job_id: str) -> dict[str, Any]:
    """POST /api/jobs/{id}/retry; 409 `not_failed` or `outcome_unknown`."""
    return {"job": services.retry(job_id).as_json()}
