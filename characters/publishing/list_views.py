"""The Posts section of a character's page: filtered, exported, tried again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from characters import services as characters
from characters.models import Character
from characters.publishing import export, listing, services
from characters.publishing.listing import PREFIX, PostFilter
from influencer.errors import Conflict, NotFound
from influencer.web import htmx


@require_safe
def posts(request: HttpRequest, pk: str) -> HttpResponse:
    """The list as it is filtered now; the page's address follows, but not when the list loads itself anew."""
    character = characters.get(pk)
    if not htmx.is_htmx(request):
        return htmx.redirect(request, listing.address(request, character))
    answer = _list(request, character)
    by_itself = request.htmx.trigger == "post-list"  # type: ignore[attr-defined]
    return answer if by_itself else replace_url(answer, listing.address(request, character))


def _list(request: HttpRequest, character: Character) -> HttpResponse:
    context = {"character": character, "filled": listing.section(request, character)}
    return render(request, "publishing/_posts.html#list", context)


@require_safe
def exported(request: HttpRequest, pk: str, kind: str) -> HttpResponseBase:
    """Every post that fits the filters, as a file."""
    character = characters.get(pk)
    if kind not in export.KINDS:
        raise NotFound("Posts are exported as csv or json.")
    filters = PostFilter(request.GET, prefix=PREFIX).values()
    found = listing.search(character_id=pk, **filters)
    name = f"posts-{slugify(character.name) or 'character'}"
    return export.response(found, "csv" if kind == "csv" else "json", name=name)


@require_POST
def retry(request: HttpRequest, post_id: str) -> HttpResponse:
    """Try a failed post again where it stands in the list."""
    character = characters.get(services.get(post_id).character_id)
    try:
        services.retry(post_id)
        message, kind = "Trying again from the step that failed.", "ok"
    except Conflict as conflict:
        message, kind = conflict.message, "warn"
    if not htmx.is_htmx(request):
        htmx.flash(request, message, "ok" if kind == "ok" else "warn")
        return htmx.redirect(request, listing.address(request, character))
    answer = htmx.refresh(_list(request, character), "job-started")
    return htmx.toast(answer, message, "ok" if kind == "ok" else "warn")
