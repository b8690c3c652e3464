"""Lucide icons and the product's own marks, read once from `static/icons/icons.json`."""

from __future__ import annotations

import json
from functools import cache

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

FILE = "static/icons/icons.json"


@cache
def shapes() -> dict[str, str]:
    """Icon name → what stands inside its `<svg>`."""
    found: dict[str, str] = json.loads((settings.BASE_DIR / FILE).read_text())
    return found


@cache
def svg(name: str, css: str) -> SafeString:
    """The icon inline, hidden from screen readers. Raises `KeyError` for an unknown name."""
    shape = mark_safe(shapes()[name])  # noqa: S308 - from our own file
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">{}</svg>', css, shape
    )
