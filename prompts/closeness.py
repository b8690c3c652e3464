"""Which prompts and captions say nearly what a recent one of the same character says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from influencer.jsondb import while_unchanged
from prompts.models import Prompt

# Two texts with this share of common words are too close; fewer words than this say too little to tell.
CLOSE = 0.7
LEAST_WORDS = 4
# How many earlier ones of the character count as recent.
RECENT = 60

_WORD = re.compile(r"\w+")

Told = tuple[str, str, str, str, datetime | None]


@dataclass(frozen=True)
class Closeness:
    """The earlier prompt that is too close, in its prompt or in its caption ("prompt", "caption")."""

    pk: str
    what: str
    at: datetime | None


def find(prompts: Iterable[Prompt]) -> dict[str, Closeness]:
    """`{id: what it is too close to}` for those that are; one look at the library for all of them."""
    wanted = list(prompts)
    timelines, found = _timelines(), {}
    for prompt in wanted:
        if close := _closest(prompt, timelines.get(prompt.character_id, [])):
            found[prompt.pk] = close
    return found


def alike(one: str, other: str) -> bool:
    """Whether two texts are too close."""
    mine, theirs = _words(one), _words(other)
    if min(len(mine), len(theirs)) < LEAST_WORDS:
        return False
    return len(mine & theirs) >= CLOSE * len(mine | theirs)


@while_unchanged(Prompt.Store.file)
def _timelines() -> dict[str, list[Told]]:
    """Each character's prompts, newest first; of two made at once the later in the file is the newer."""
    names = ("character_id", "pk", "prompt", "caption", "created_at")
    timelines: dict[str, list[Told]] = {}
    for told in Prompt.objects.order_by("created_at").reverse().values_list(*names):
        timelines.setdefault(told[0], []).append(told)
    return timelines


def _closest(prompt: Prompt, timeline: list[Told]) -> Closeness | None:
    place = next((n for n, told in enumerate(timeline) if told[1] == prompt.pk), len(timeline))
    for _, pk, text, caption, at in timeline[place + 1 : place + 1 + RECENT]:
        if alike(prompt.prompt, text):
            return Closeness(pk, "prompt", at)
        if prompt.caption and caption and alike(prompt.caption, caption):
            return Closeness(pk, "caption", at)
    return None


@lru_cache(maxsize=8192)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:4000].casefold()))
