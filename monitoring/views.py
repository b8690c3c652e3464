"""`/healthz`: for what watches over the product from outside."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from monitoring import checks
from monitoring.report import Report, State


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 `ok`, or 503 with the names of what does not work. Nobody outside is asked, no sign-in needed."""
    broken = failing(checks.inside.report())
    if broken:
        return HttpResponse(", ".join(broken), content_type="text/plain", status=503)
    return HttpResponse("ok", content_type="text/plain")


def failing(report: Report) -> list[str]:
    """`storage` and `queue`, as far as they do not work; the web does, as it answers."""
    state = {name: result.state for name, result in report.results.items()}
    storage = State.DOWN in (state["database"], state["disk"])
    # One cluster without workers is half the queue: images, or posts, would wait.
    queue = state["workers"] is not State.OK or state["scheduler"] is State.DOWN
    return [name for name, fails in (("storage", storage), ("queue", queue)) if fails]
