"""The shape of an answer: what the model is told of it, and what is accepted when it comes back."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from influencer.clients import captions
from influencer.clients.comfyui import prompting
from influencer.clients.writers import fitting
from influencer.clients.writers.fitting import DoesNotFit, Fitted
from influencer.clients.writers.interface import Ask, Scene
from influencer.clients.writers.likeness import Seen
from influencer.clients.writers.story import beats

LONGEST_PROMPT = 600

_TEXT = {"type": "string"}
CAPTION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "caption": _TEXT,
        "altText": _TEXT,
        "hashtags": {"type": "array", "items": _TEXT, "maxItems": captions.HASHTAGS_THAT_COUNT},
    },
    "required": ["caption", "altText", "hashtags"],
}

_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
_MARKUP = re.compile(r"</?[a-zA-Z!][^<>]*>|&(?:nbsp|lt|gt|quot|amp|#\d+);")
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»"}


class Unusable(Exception):
    """What is wrong with an answer, as the end of a sentence."""


def scenes(count: int) -> Mapping[str, Any]:
    """The schema of `count` prompts."""
    item = {
        "type": "object",
        "properties": {"number": {"type": "integer"}, "prompt": _TEXT},
        "required": ["number", "prompt"],
    }
    prompts = {"type": "array", "items": item, "minItems": count, "maxItems": count}
    return {"type": "object", "properties": {"prompts": prompts}, "required": ["prompts"]}


def read_caption(text: str, ask: Ask) -> Fitted:
    """The caption in an answer, within the limits of its platform. Raises `Unusable`."""
    answer = _object(text)
    caption = _unquoted(_plain(_string(answer, "caption"), "caption"))
    alt_text = _string(answer, "altText")
    if alt_text.strip():
        alt_text = _plain(alt_text, "alt text")
    hashtags = answer.get("hashtags")
    if not isinstance(hashtags, list) or not all(isinstance(tag, str) for tag in hashtags):
        raise Unusable("the hashtags are no list of words")
    try:
        return fitting.fit(ask.platform, caption, hashtags, alt_text=alt_text)
    except DoesNotFit as error:
        raise Unusable(str(error).rstrip(".")) from error


def read_scenes(text: str, ask: Ask) -> tuple[Scene, ...]:
    """The new prompts in an answer, at most as many as asked for. Raises `Unusable` when none is left."""
    rows = _object(text).get("prompts")
    if not isinstance(rows, list):
        raise Unusable("the list of prompts is missing")
    chapters = {beat.number: beat.chapter.id for beat in beats(ask) if beat.chapter}
    seen, found, wrong = Seen(ask.recent), [], "the list of prompts is empty"
    for row in rows[: ask.count]:
        try:
            prompt = _prompt(row, ask.persona.trigger_word)
        except Unusable as error:
            wrong = str(error)
            continue
        if seen.add(prompt):
            found.append(Scene(prompt, chapters.get(_number(row), "")))
        else:
            wrong = "each prompt repeats an earlier one"
    if not found:
        raise Unusable(wrong)
    return tuple(found)


def _object(text: str) -> dict[str, Any]:
    if not text.strip():
        raise Unusable("the answer is empty")
    fenced = _FENCE.match(text)
    try:
        answer = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError) as error:
        kind = "a web page" if _MARKUP.search(text) else "no JSON"
        raise Unusable(f"the answer is {kind}") from error
    if not isinstance(answer, dict):
        raise Unusable("the answer is JSON of another shape")
    return answer


def _string(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise Unusable(f"{name} is {'missing' if value is None else 'no text'}")
    return value


def _plain(text: str, name: str) -> str:
    """The text as it is sent, refused when it is no text a person would write."""
    text = captions.clean(text)
    if _MARKUP.search(text):
        raise Unusable(f"the {name} holds HTML")
    if not any(map(str.isalnum, text)) or text.startswith(("{", "[{", "```")):
        raise Unusable(f"the {name} holds no words")
    if any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in text):
        raise Unusable(f"the {name} holds characters that can't be shown")
    return text


def _unquoted(text: str) -> str:
    """Without quotation marks round the whole of it."""
    closing = _QUOTES.get(text[:1])
    inside = text[1:-1]
    quoted = closing is not None and text.endswith(closing) and closing not in inside
    return inside.strip() if quoted and inside.strip() else text


def _prompt(row: Any, trigger_word: str) -> str:
    if not isinstance(row, dict):
        raise Unusable("the list holds something else than prompts")
    line = " ".join(_plain(_string(row, "prompt"), "prompt").split())
    if len(line) > LONGEST_PROMPT:
        line = line[:LONGEST_PROMPT].rpartition(",")[0] or line[:LONGEST_PROMPT].rpartition(" ")[0]
    if not line:
        raise Unusable("the prompt is one endless word")
    return prompting.with_trigger(line, trigger_word)


def _number(row: Mapping[str, Any]) -> int:
    number = row.get("number")
    return number if isinstance(number, int) else 0
