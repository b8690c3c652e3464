"""What the stand-in writes: always the same for the same question, fitting the schema, marked as its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from influencer.sandbox.gemini.questions import Question

OPENINGS = (
    "The sandbox was here first.",
    "Seen from inside the sandbox.",
    "A sandbox day, start to end.",
    "Nothing leaves the sandbox, not even this.",
)
PLACES = (
    "on a wooden bridge", "in a rainy street", "beside a tall window", "at a market stall",
    "on a hill with one tree", "in a library aisle", "at the harbour wall", "in a greenhouse",
    "on a rooftop", "at a bus stop", "in a stone courtyard", "by a frozen lake", "in a field of poppies",
)  # fmt: skip
DOINGS = (
    "reading a map", "peeling an apple", "holding a lantern", "writing a postcard", "feeding birds",
    "mending a kite", "listening to a shell", "opening an umbrella", "carrying firewood",
    "drawing with chalk", "waiting with a suitcase",
)  # fmt: skip
LIGHTS = ("first light", "noon sun", "blue hour", "lamplight", "fog", "golden hour", "moonlight")
# As many numbers as one wish may have, so often without the same scene twice: 13 places, 11 doings, 7 lights.
MOST_NUMBERS, TURNS = 50, 20
IMAGE_TOKENS = 258

_SCENE = re.compile(r"prompt: *(.+)", re.IGNORECASE)
_NUMBERED = re.compile(r"^[-*\s]*(\d+)\.\s", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{4,}")


def write(question: Question) -> str:
    """The text of the answer."""
    if question.schema is None:
        return _caption(question)
    return json.dumps(_fill(question.schema, "", question, 0), ensure_ascii=False)


def tokens(text: str) -> int:
    return max(1, len(text) // 4)


def _fill(schema: Mapping[str, Any], name: str, question: Question, place: int) -> Any:
    if choices := schema.get("enum"):
        return choices[_number(question.text) % len(choices)]
    makers: dict[str, Callable[[], Any]] = {
        "object": lambda: _object(schema, question, place),
        "array": lambda: [_fill(schema["items"], name, question, n) for n in range(_count(schema, name))],
        "integer": lambda: _numbers(question, place),
        "number": lambda: float(place),
        "boolean": lambda: True,
        "null": lambda: None,
    }
    return makers.get(schema["type"], lambda: _text(name, question, place))()


def _object(schema: Mapping[str, Any], question: Question, place: int) -> dict[str, Any]:
    return {name: _fill(inner, name, question, place) for name, inner in schema["properties"].items()}


def _count(schema: Mapping[str, Any], name: str) -> int:
    wanted = schema.get("minItems") or 3
    return min(wanted, schema["maxItems"]) if schema.get("maxItems") else wanted


def _text(name: str, question: Question, place: int) -> str:
    kind = name.lower().replace("_", "")
    if "alt" in kind:
        return f"Drawn by the sandbox: {_subject(question)}."
    if "hashtag" in kind or "tag" in kind:
        return ("#sandbox", "#practice", *(f"#{word}" for word in _words(question)))[place]
    if "prompt" in kind or "scene" in kind:
        return _scene(_numbers(question, place), question)
    return _caption(question)


def _caption(question: Question) -> str:
    opening = OPENINGS[_number(question.text) % len(OPENINGS)]
    seen = " I looked at the picture." if question.images else ""
    return f"{opening} {_subject(question)}.{seen}"


def _subject(question: Question) -> str:
    """What the question says the picture shows, else its first words."""
    found = _SCENE.search(question.text)
    return " ".join((found[1] if found else question.text).split()[:24]).rstrip(" .,:;")


def _scene(number: int, question: Question) -> str:
    """One for each number, and another where the question tells of that one already."""
    first = _number(question.text)
    found = [_drawn(number + MOST_NUMBERS * ((first + turn) % TURNS)) for turn in range(TURNS)]
    return next((scene for scene in found if scene not in question.text), found[0])


def _drawn(number: int) -> str:
    place, doing = PLACES[number % len(PLACES)], DOINGS[number % len(DOINGS)]
    return f"{place}, {doing}, {LIGHTS[number % len(LIGHTS)]}, sandbox scene"


def _numbers(question: Question, place: int) -> int:
    """The number the question gave to its n-th wish, else n itself."""
    given = [int(number) for number in _NUMBERED.findall(question.text)]
    return given[place] if place < len(given) else place + 1


def _words(question: Question) -> list[str]:
    return [*dict.fromkeys(_WORD.findall(_subject(question).lower())), "film", "light", "today"]


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
