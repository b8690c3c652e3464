"""What the frame of every page needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from influencer import endpoints, jsondb, paths, sandbox
from influencer.web import tabs
from influencer.web.htmx import is_htmx


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context for every template. A fragment gets only what tells it its shape."""
    if is_htmx(request):
        return {"dialog_frame": "components/dialog.html"}
    base = {"dialog_frame": "components/dialog_page.html"}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return base
    return base | {
        "tabs": tabs.all_tabs(),
        "current_tab": tabs.current(request.path),
        "sandboxed": _sandboxed(),
        "sandbox_feeds": _feeds(),
        "damages": jsondb.damage(),
    }


def _sandboxed() -> str:
    """A sentence naming the stand-ins; empty when there is none."""
    names = endpoints.sandboxed_services()
    if not names:
        return ""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    verb = "are stand-ins" if len(names) > 1 else "is a stand-in"
    return f"{listed} {verb} on this computer"


def _feeds() -> list[tuple[str, str]]:
    """The pages where sandbox posts appear: (name, address)."""
    running = sandbox.address(paths.run()) if endpoints.sandbox_allowed() else None
    if running is None:
        return []
    return [("Instagram", f"{running.instagram}/feed/"), ("X", f"{running.x}/feed/")]
