"""Posts that need a person: of unknown outcome, or waiting for their account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from characters.publishing import services, settling
from characters.publishing.accounts import waiting
from characters.publishing.models import PostState
from characters.publishing.views import post_context
from influencer.errors import Conflict, Invalid
from influencer.web import htmx

FOUND = {
    "there": "Noted: the post is there.",
    "post": "Posting it now.",
    "leave": "Noted: the post did not go out.",
}


@require_safe
def candidates(request: HttpRequest, post_id: str) -> HttpResponse:
    """The account's latest posts, to pick the one in doubt. The only page here that asks a platform."""
    post = services.get(post_id)
    if post.state != PostState.UNKNOWN:
        return htmx.redirect(request, reverse("publishing:show", args=[post_id]))
    found = {"candidates": settling.candidates(post), "asked": True}
    if htmx.is_htmx(request):
        return render(request, "publishing/_candidates.html", {"post": post, **found})
    return render(request, "publishing/post.html", {**post_context(post), **found})


@require_POST
def resolve(request: HttpRequest, post_id: str) -> HttpResponse:
    """What somebody found who looked for a post whose outcome is unknown."""
    found, pick = request.POST.get("found", ""), request.POST.get("pick", "")
    if found not in FOUND:
        raise Invalid("Say whether the post is there.")
    remote_id, permalink = "", request.POST.get("permalink", "").strip()
    if pick and found == "there":
        remote_id, permalink = settling.picked(pick)
    services.resolve(
        post_id,
        published=found == "there",
        permalink=permalink,
        remote_id=remote_id,
        retry=found == "post",
    )
    htmx.flash(request, FOUND[found])
    return htmx.redirect(request, reverse("publishing:show", args=[post_id]))


@require_POST
def try_now(request: HttpRequest, post_id: str) -> HttpResponse:
    """Try the account's waiting posts now, as somebody has bought credits or knows better."""
    post = services.get(post_id)
    if not waiting.release(post.account):
        raise Conflict("No post of this account waits.", code="not_waiting")
    htmx.flash(request, "Trying it now.")
    return htmx.redirect(request, reverse("publishing:show", args=[post_id]))
