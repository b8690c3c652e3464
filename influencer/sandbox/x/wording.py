"""What X does to a text: weighing it, and putting t.co links in it."""

from __future__ import annotations

import hashlib
import html
import re
from typing import Any

from twitter_text import extract_urls_with_indices, parse_tweet

MAX_WEIGHT = 280
CASHTAG = re.compile(r"(?<!\w)\$[A-Za-z]{1,6}\b")


def too_long(text: str) -> bool:
    return bool(parse_tweet(text).weightedLength > MAX_WEIGHT)


def cashtags(text: str) -> int:
    return len(CASHTAG.findall(text))


def with_short_links(text: str, post_id: str, *, has_media: bool) -> tuple[str, list[dict[str, Any]]]:
    """The text with every URL as t.co and one more for the media, and what they stand for."""
    shown, links, end = [], [], 0
    for number, found in enumerate(extract_urls_with_indices(text)):
        first, last = found["indices"]
        link = _short(f"{post_id}-{number}")
        shown += [text[end:first], link]
        links.append({"url": link, "expanded_url": _expanded(found["url"]), "display_url": found["url"]})
        end = last
    shown.append(text[end:])
    if has_media:
        shown.append((" " if text else "") + _short(f"{post_id}-media"))
    return "".join(shown), links


def as_answered(text: str) -> str:
    """X escapes `&`, `<` and `>` in the texts it answers."""
    return html.escape(text, quote=False)


def _expanded(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def _short(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return f"https://t.co/{digest[:10]}"
