"""Pages of a list in the JSON API."""

from __future__ import annotations

from typing import Any

from influencer.errors import Invalid
from influencer.web.endpoint import ApiRequest

PAGE_SIZE = 50
LARGEST_PAGE = 500


def page_of(request: ApiRequest, found: Any) -> Any:
    """The part of `found` that `page` and `pageSize` ask for; none of it beyond the end. Raises `Invalid`."""
    size = min(_number(request, "pageSize", PAGE_SIZE), LARGEST_PAGE)
    first = (_number(request, "page", 1) - 1) * size
    return found[first : first + size]


def is_paged(request: ApiRequest) -> bool:
    return "page" in request.GET or "pageSize" in request.GET


def _number(request: ApiRequest, name: str, default: int) -> int:
    """A parameter that counts from 1."""
    text = request.GET.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not int(text):
        message = "This must be a number from 1."
        raise Invalid(f"{name} must be a number from 1.", fields={name: [message]})
    return int(text)
