"""`/api/system/status`, as `docs/api.md` describes it."""

from __future__ import annotations

from influencer.web.endpoint import Answer, ApiRequest, endpoint
from monitoring import checks


@endpoint(methods=("GET",))
def status(request: ApiRequest) -> Answer:
    return checks.everything.report(fresh=request.GET.get("fresh") == "1").as_json()
