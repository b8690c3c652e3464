"""A text made to fit its platform: hashtags go first, then whole sentences, then words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from influencer.clients import captions
from influencer.clients.captions import ALT_TEXT_LIMIT, HASHTAGS_THAT_COUNT, LIMITS
from influencer.clients.platform import Platform

HASHTAGS = {Platform.INSTAGRAM: HASHTAGS_THAT_COUNT, Platform.X: 2}
BETWEEN = {Platform.INSTAGRAM: "\n\n", Platform.X: " "}
ELLIPSIS = "…"
# A cut at a sentence's end may cost this much of the room; beyond it words are cut instead.
LEAST_KEPT = 0.5

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)]*(?=\s|$)|[。！？]+[」』）]*|\n+")
_NOT_IN_A_HASHTAG = re.compile(r"\W+")
_WORD_END = re.compile(r"\S(?=\s|$)")
# For scripts without spaces.
_CHARACTER_END = re.compile(r"\S")


@dataclass(frozen=True)
class Fitted:
    """A caption with its hashtags in it, and an alt text, both within the limits."""

    caption: str
    alt_text: str
    hashtags: tuple[str, ...]


class DoesNotFit(Exception):
    """No shortening helps; the message is what the platform would refuse."""


def fit(platform: Platform, caption: str, hashtags: Iterable[str], *, alt_text: str = "") -> Fitted:
    """Bring a caption within its platform's limits. Raises `DoesNotFit`."""
    text = shorten(platform, captions.clean(caption))
    kept = list(_new_hashtags(text, hashtags))[: HASHTAGS[platform]]
    while kept and _refused(platform, _joined(platform, text, kept)):
        kept.pop()
    whole, alt = _joined(platform, text, kept), short_alt_text(alt_text)
    if refused := [finding for finding in captions.check(platform, whole, alt) if finding.level == "error"]:
        raise DoesNotFit(refused[0].message)
    return Fitted(whole, alt, tuple(kept))


def shorten(platform: Platform, text: str) -> str:
    """The text, or as much of it as fits: whole sentences if they are half of it, else words and "…"."""
    # Far more than fits however it is counted: counting for X takes long.
    text = text[: LIMITS[platform] * 4]
    if _fits(platform, text):
        return text
    found = ""
    for end, mark in ((_SENTENCE_END, ""), (_WORD_END, ELLIPSIS), (_CHARACTER_END, ELLIPSIS)):
        found = _longest(platform, text, end, mark=mark)
        if captions.count(platform, found).used >= LIMITS[platform] * LEAST_KEPT:
            break
    return found


def _longest(platform: Platform, text: str, end: re.Pattern[str], *, mark: str) -> str:
    """The longest part up to such an end that fits together with the mark."""
    ends = [match.end() for match in end.finditer(text)]

    def part(number: int) -> str:
        cut = text[: ends[number - 1]].rstrip()
        return (cut.rstrip(" ,;:-–") if mark else cut) + mark

    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(platform, part(middle)) else (low, middle - 1)
    return part(low) if low else ""


def _fits(platform: Platform, text: str) -> bool:
    return captions.count(platform, text).left >= 0


def short_alt_text(text: str) -> str:
    """The alt text, cut at a word when it is too long for any platform."""
    text = captions.clean(" ".join(text.split()))
    if len(text) <= ALT_TEXT_LIMIT:
        return text
    return text[: ALT_TEXT_LIMIT - 1].rpartition(" ")[0].rstrip(" ,;:") + ELLIPSIS


def hashtag(text: str) -> str:
    """A hashtag without its #, "" when nothing is left that a platform would link."""
    tag = _NOT_IN_A_HASHTAG.sub("", text)
    return "" if tag.strip("_").isdigit() else tag.strip("_")


def _new_hashtags(text: str, hashtags: Iterable[str]) -> Iterator[str]:
    """Those not in the text yet, each once."""
    seen = {word.lower() for word in re.findall(r"#(\w+)", text)}
    for tag in map(hashtag, hashtags):
        if tag and tag.lower() not in seen:
            seen.add(tag.lower())
            yield tag


def _joined(platform: Platform, text: str, hashtags: list[str]) -> str:
    tags = " ".join(f"#{tag}" for tag in hashtags)
    return f"{text}{BETWEEN[platform]}{tags}" if tags else text


def _refused(platform: Platform, text: str) -> bool:
    return any(finding.level == "error" for finding in captions.check(platform, text))
