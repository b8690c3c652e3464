"""What a caption may be on each platform: counting and limits, the same for forms, preflight and posting.

Sources: Instagram's reference of `ig-user/media` (caption, alt_text); X's
docs.x.com/fundamentals/counting-characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from influencer.clients.platform import Platform

LIMITS = {Platform.INSTAGRAM: 2200, Platform.X: 280}
NAMES = {Platform.INSTAGRAM: "Instagram", Platform.X: "X"}
ALT_TEXT_LIMIT = 1000
HASHTAG_LIMIT, HASHTAGS_THAT_COUNT = 30, 5
MENTION_LIMIT = 20
CASHTAG_LIMIT = 1

_HASHTAG = re.compile(r"(?<![&/])#\w+")
_MENTION = re.compile(r"(?<![\w.@/])@\w[\w.]{0,29}")
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")
# Control characters but tab and newline, halves of a surrogate pair, and what X calls invalid.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Count:
    """Characters as the platform counts them, of those it allows."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        return self.limit - self.used


@dataclass(frozen=True)
class Finding:
    """Something about a caption: an error would be refused by the platform, a warning would not."""

    level: Literal["error", "warning"]
    code: str
    message: str


def clean(text: str) -> str:
    """A text as it is sent: line ends as one character, no byte order mark, nothing around it."""
    for unwanted, wanted in (("\r\n", "\n"), ("\r", "\n"), ("\ufeff", "")):
        text = text.replace(unwanted, wanted)
    # A lone surrogate can't be sent at all.
    return text.encode("utf-8", "ignore").decode().strip()


def count(platform: Platform | str, caption: str) -> Count:
    """How long the caption is: Instagram by characters, X by weight (a link is 23, an emoji 2)."""
    platform = Platform(platform)
    text = clean(caption)
    used = _parse_tweet()(text).weightedLength if platform is Platform.X else len(text)
    return Count(used, LIMITS[platform])


def fitting(platform: Platform | str, caption: str) -> tuple[str, str]:
    """The caption in two: what the platform has room for, and what is too much."""
    text = clean(caption)
    if Platform(platform) is Platform.INSTAGRAM:
        end = LIMITS[Platform.INSTAGRAM]
        return text[:end], text[end:]
    # The last character that fits, counted in UTF-16.
    wide = text.encode("utf-16-le")
    end = 2 * (_parse_tweet()(text).validRangeEnd + 1)
    return wide[:end].decode("utf-16-le", "ignore"), wide[end:].decode("utf-16-le", "ignore")


def check(platform: Platform | str, caption: str, alt_text: str = "") -> list[Finding]:
    """Everything the platform would refuse or charge for, errors first; empty when all is well."""
    platform = Platform(platform)
    text = clean(caption)
    own = _instagram(text) if platform is Platform.INSTAGRAM else _x(text)
    findings = [*_unprintable(caption + alt_text), *_too_long(platform, text, clean(alt_text)), *own]
    return sorted(findings, key=lambda finding: finding.level)


def bare(text: str) -> str:
    """A caption without links and spacing, to recognise it in what a platform made of it."""
    text = clean(text)
    for link in reversed(_links(text)):
        start, end = link["indices"]
        text = text[:start] + " " + text[end:]
    return " ".join(unicodedata.normalize("NFC", text).split())


def _unprintable(text: str) -> Iterator[Finding]:
    if _UNPRINTABLE.search(text.replace("\r", "")):
        yield Finding("error", "unprintable", "The text holds characters that can't be shown. Type it again.")


def _too_long(platform: Platform, text: str, alt_text: str) -> Iterator[Finding]:
    over = -count(platform, text).left
    if over > 0:
        message = f"Caption is {_amount(over, 'character')} too long for {NAMES[platform]}."
        yield Finding("error", "caption_too_long", message)
    if len(alt_text) > ALT_TEXT_LIMIT:
        over = len(alt_text) - ALT_TEXT_LIMIT
        yield Finding("error", "alt_text_too_long", f"Alt text is {_amount(over, 'character')} too long.")


def _instagram(text: str) -> Iterator[Finding]:
    hashtags, mentions = len(_HASHTAG.findall(text)), len(_MENTION.findall(text))
    if hashtags > HASHTAG_LIMIT:
        message = f"Instagram allows {HASHTAG_LIMIT} hashtags; this caption has {hashtags}."
        yield Finding("error", "too_many_hashtags", message)
    elif hashtags > HASHTAGS_THAT_COUNT:
        message = f"Of {hashtags} hashtags Instagram is said to count the first {HASHTAGS_THAT_COUNT} only."
        yield Finding("warning", "many_hashtags", message)
    if mentions > MENTION_LIMIT:
        message = f"Instagram allows {MENTION_LIMIT} mentions; this caption has {mentions}."
        yield Finding("error", "too_many_mentions", message)


def _x(text: str) -> Iterator[Finding]:
    cashtags = len(_CASHTAG.findall(text))
    if cashtags > CASHTAG_LIMIT:
        message = f"X allows one cashtag in a post; this one has {cashtags}."
        yield Finding("error", "too_many_cashtags", message)
    if _links(text):
        message = "A link makes the post cost $0.20 instead of $0.015 at X, over ten times as much."
        yield Finding("warning", "link_costs", message)


def _amount(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", "\N{THIN SPACE}")


@cache
def _parse_tweet() -> Callable[[str], Any]:
    # 0.2 s and some 15 MB, which most processes never need.
    from twitter_text import parse_tweet  # noqa: PLC0415

    parse: Callable[[str], Any] = parse_tweet
    return parse


def _links(text: str) -> list[dict[str, Any]]:
    from twitter_text.extract_urls import extract_urls_with_indices  # noqa: PLC0415

    links: list[dict[str, Any]] = extract_urls_with_indices(text)
    return links
