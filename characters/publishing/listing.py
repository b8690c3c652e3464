"""The list of a character's posts: filters, search and pages, all of them in the address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from characters.models import Character
from characters.publishing import services
from characters.publishing.models import FINAL, Post, PostState
from influencer.web.filters import Filter

PAGE_SIZE = 10
OPEN = "open"
STATES = (
    ("", "Every state"),
    (OPEN, "Under way"),
    (PostState.PUBLISHED, "Published"),
    (PostState.FAILED, "Failed"),
    (PostState.UNKNOWN, "Unknown"),
)
PLATFORMS = (("", "Both platforms"), ("instagram", "Instagram"), ("x", "X"))
# So that they can stand beside what else the character's page takes.
PREFIX = "posts"


class PostFilter(Filter):
    """Search and filters of a character's posts."""

    q = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(required=False, choices=STATES)
    platform = forms.ChoiceField(required=False, choices=PLATFORMS)


def search(*, character_id: str = "", platform: str = "", state: str = "", q: str = "") -> QuerySet[Post]:
    """Posts, newest first. `state` may also be `open`; `q` is looked for in the words and the ids."""
    found = Post.objects.all()
    if character_id:
        found = found.filter(character_id=character_id)
    if platform:
        found = found.filter(platform=platform)
    if state:
        found = found.exclude(state__in=FINAL) if state == OPEN else found.filter(state=state)
    if q:
        words = Q(caption__icontains=q) | Q(alt_text__icontains=q) | Q(pk=q) | Q(remote_id=q)
        found = found.filter(words)
    return found


def section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Posts section of the character page. `count` is that of all posts, whatever is shown."""
    filters = PostFilter(request.GET, prefix=PREFIX).values()
    found = search(character_id=character.pk, **filters).prefetch_related("log")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get(PREFIX, "1"))
    is_filtered = any(filters.values())
    return {
        "page": page,
        "rows": services.rows(list(page.object_list)),
        "count": search(character_id=character.pk).count() if is_filtered else page.paginator.count,
        "filters": filters,
        "is_filtered": is_filtered,
        "states": STATES,
        "platforms": PLATFORMS,
        "query": _query(request.GET, keep_page=True),
        "filter_query": _query(request.GET),
    }


def address(request: HttpRequest, character: Character) -> str:
    """The character's page with the list as it is shown now."""
    query = _query(request.GET, keep_page=True)
    here = reverse("characters:detail", args=[character.pk])
    return f"{here}?{query}#posts" if query else f"{here}#posts"


def _query(given: QueryDict, *, keep_page: bool = False) -> str:
    """What of an address belongs to the list, without what is not set."""
    kept = QueryDict(mutable=True)
    names = [f"{PREFIX}-{name}" for name in PostFilter.base_fields] + ([PREFIX] if keep_page else [])
    for name in names:
        if value := given.get(name, ""):
            kept[name] = value
    return kept.urlencode()
