"""Gemini: whether there is a key, and the model answers to it. Nothing is written for that."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from influencer import effective
from influencer.clients.writers.choice import GeminiSettings, writer_for
from influencer.errors import Problem
from influencer.jobs.models import iso
from monitoring.answers import Answer
from monitoring.crew import Crew
from monitoring.report import Finding, State
from prompts import pen

SECONDS = 2.2
# The SDK's import comes on top, the first time.
CALL_SECONDS = 2.0
NO_KEY = "There is no Gemini key: captions and prompts are written without AI. Enter one in the settings."
SANDBOX = "The sandbox stands in: it writes by rules, not by AI."
SLOW = f"Gemini has not answered within {SECONDS:g} s. What it says comes with the next look."

_known: dict[GeminiSettings, Answer] = {}
_crew: Crew[bool] = Crew("gemini")


def check(fresh: bool) -> Finding:
    """Asks for the model, as rarely as real accounts are asked. Raises `Unavailable` without the stand-in."""
    place = pen.gemini()
    if not place.key:
        return Finding(State.UNCONFIGURED, NO_KEY, {"keySet": False, "sdk": place.sdk})
    known = _known.get(place)
    if known is None or known.is_due(fresh):
        _crew.run({place.url: partial(_ask, place)}, SECONDS)
    return _finding(place, _known.get(place))


def _ask(place: GeminiSettings) -> bool:
    """Note what it says, also when nobody waits any more."""
    began = time.monotonic()
    try:
        found = writer_for(place, seconds=CALL_SECONDS).check()
        answer = Answer({"label": found.label, "answerMs": round((time.monotonic() - began) * 1000)})
    except Problem as problem:
        answer = Answer(error=problem.sentence)
    _known.clear()  # what another key or model was told is of no use any more
    _known[place] = answer
    return True


def _finding(place: GeminiSettings, answer: Answer | None) -> Finding:
    details: dict[str, Any] = {"keySet": True, "model": place.model, "sdk": place.sdk}
    if answer is None:
        return Finding(State.DEGRADED, SLOW, details)
    details |= {**answer.facts, "askedAt": iso(answer.moment)}
    if answer.error:
        return Finding(State.DOWN, answer.error, details)
    if effective.config().sandbox == "on":
        return Finding(State.SANDBOX, SANDBOX, details)
    return Finding(State.OK, f"{place.model} answers in {details['answerMs']} ms.", details)
