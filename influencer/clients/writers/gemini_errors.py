"""Gemini's error tables as data, the same for both SDKs.

Sources: ai.google.dev/gemini-api/docs/troubleshooting and …/rate-limits; google.rpc.Code and
google.rpc.error_details. Blocked prompts and answers come with status 200.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from influencer.clients.writers.errors import AGAIN, MISDIRECTED, NO_MODEL, Rule

MINUTE = 60.0
# Google counts days by it.
PACIFIC = ZoneInfo("America/Los_Angeles")

NEW_KEY = "Make another one at aistudio.google.com/apikey and enter it in the settings."
OTHER_MODEL = NO_MODEL.fix
OTHER_WORDS = "Change the words of the prompt or of the character, choose another model, or write it by hand."


@dataclass(frozen=True)
class GeminiRule(Rule):
    """A row and what an answer must be to match it: HTTP status (0: any 5xx), API status, reason, words."""

    status: int = 0
    api_status: str = ""
    says: tuple[str, ...] = ()

    def matches(self, answer: Refusal) -> bool:
        return (
            (answer.status == self.status if self.status else answer.status >= 500)
            and self.api_status in {"", answer.api_status}
            and (not self.says or any(words in answer.words for words in self.says))
        )


@dataclass(frozen=True)
class Refusal:
    """An error answer reduced to what the table looks at.

    `words` is message, reasons and quota ids in lower case; `delay` the seconds Google asks to wait.
    """

    status: int
    api_status: str = ""
    words: str = ""
    said: str = ""
    delay: float | None = None


# The first row that matches counts: special ones stand before general ones.
RULES: tuple[GeminiRule, ...] = (
    GeminiRule("key_expired", "The Gemini key has expired", NEW_KEY, status=400, says=("key expired",)),
    GeminiRule(
        "key_invalid",
        "Google does not know the Gemini key",
        "Copy it again, or make another one at aistudio.google.com/apikey, and enter it in the settings.",
        status=400,
        says=("api key not valid", "api_key_invalid"),
    ),
    GeminiRule(
        "region",
        "Google does not offer Gemini where this computer is",
        "Write without AI, or give another address in the settings.",
        status=400,
        says=("location is not supported",),
    ),
    GeminiRule(
        "billing",
        "Google wants billing for this Gemini key",
        "Turn billing on for the key's project at aistudio.google.com, then try again.",
        status=400,
        api_status="FAILED_PRECONDITION",
    ),
    GeminiRule(
        "image_refused",
        "Gemini could not read the image",
        "Write the caption without the image, or make the image again.",
        status=400,
        says=("process input image", "mime type", "image is not valid"),
    ),
    GeminiRule(
        "invalid_request",
        "The model {model} does not take what it was asked",
        OTHER_MODEL,
        status=400,
    ),
    GeminiRule("key_invalid", "Google refused the Gemini key", NEW_KEY, status=401),
    GeminiRule(
        "key_leaked",
        "Google has blocked the Gemini key because it became public",
        NEW_KEY,
        status=403,
        says=("leaked",),
    ),
    GeminiRule(
        "api_disabled",
        "The Gemini API is not turned on for this key's project",
        "Turn on the Generative Language API in the Google Cloud console, wait some minutes, then try again.",
        status=403,
        says=("service_disabled", "has not been used in project", "it is disabled"),
    ),
    GeminiRule(
        "key_restricted",
        "The Gemini key may not be used for this or not from here",
        "Loosen the key's restrictions in the Google Cloud console, or make another key.",
        status=403,
        says=("_blocked", "are blocked", "restrictions"),
    ),
    GeminiRule("key_refused", "Google refused the Gemini key", NEW_KEY, status=403),
    GeminiRule(NO_MODEL.code, NO_MODEL.sentence, NO_MODEL.fix, status=404),
    GeminiRule(
        "too_large",
        "What Gemini was sent is too large",
        "Shorten the character's texts, or write the caption without the image.",
        status=413,
    ),
    GeminiRule(
        "no_allowance",
        "This Gemini key has no allowance for the model {model}",
        f"{OTHER_MODEL} Or turn billing on for the key's project.",
        status=429,
        says=("limit: 0,", "limit: 0\n", "quotavalue=0 "),
    ),
    GeminiRule(
        "daily_limit",
        "Gemini's daily allowance is used up (429)",
        "It starts anew in {wait}, at midnight in California. Until then choose another model.",
        retryable=True,
        status=429,
        says=("perday",),
    ),
    GeminiRule(
        "rate_limit",
        "Gemini is over its limit (429)",
        "Try again in {wait}.",
        retryable=True,
        wait=MINUTE,
        status=429,
    ),
    GeminiRule(
        "overloaded",
        "Gemini is overloaded (503)",
        "Try again in {wait}, or choose another model.",
        retryable=True,
        wait=30,
        status=503,
    ),
    GeminiRule(
        "too_slow",
        "Gemini did not finish in time (504)",
        "Try again, or choose a faster model.",
        retryable=True,
        wait=30,
        status=504,
    ),
    GeminiRule("out_of_order", "Gemini is out of order", "Try again in {wait}.", retryable=True, wait=30),
)

PROMPT_BLOCKED = Rule("prompt_blocked", "Gemini refused to write about this ({reason})", OTHER_WORDS)
IMAGE_BLOCKED = Rule(
    "image_blocked",
    "Gemini refused the image ({reason})",
    "Write the caption without the image, or choose another one.",
)
BLOCKED: Mapping[str, Rule] = {"IMAGE_SAFETY": IMAGE_BLOCKED}

ANSWER_BLOCKED = Rule(
    "answer_blocked", "Gemini held its own answer back ({reason})", OTHER_WORDS, retryable=True
)
CUT = Rule(
    "cut",
    "Gemini's answer was cut off",
    "Try again, or choose a model that thinks less before it writes.",
    retryable=True,
)
STOPPED = Rule("stopped", "Gemini stopped without a usable answer ({reason})", AGAIN, retryable=True)
EMPTY = Rule("empty", "Gemini answered with nothing", AGAIN, retryable=True)
COPIED = Rule("recitation", "Gemini's answer was too close to somebody's text", AGAIN, retryable=True)
LANGUAGE = Rule(
    "language", "Gemini does not write in that language", "Choose another language or another model."
)
FINISHED = {"", "STOP", "FINISH_REASON_UNSPECIFIED"}
ENDINGS: Mapping[str, Rule] = {
    "MAX_TOKENS": CUT,
    "RECITATION": COPIED,
    "LANGUAGE": LANGUAGE,
    **dict.fromkeys(("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"), ANSWER_BLOCKED),
}


def rule_for(answer: Refusal) -> Rule:
    """What an error answer means; `MISDIRECTED` for one that Gemini never gives."""
    return next((rule for rule in RULES if rule.matches(answer)), MISDIRECTED)


def blocked(reason: str) -> Rule:
    """Why a prompt got no answer at all."""
    return BLOCKED.get(reason, PROMPT_BLOCKED)


def ending(reason: str) -> Rule | None:
    """Why an answer ended early, None when it is complete."""
    return None if reason in FINISHED else ENDINGS.get(reason, STOPPED)


def refusal(status: int, body: object) -> Refusal:
    """Reduce an error body (`{"error": {…}}` or the error itself) to what the table looks at."""
    outer = body if isinstance(body, dict) else {}
    inner = outer.get("error")
    error = inner if isinstance(inner, dict) else outer
    details = [row for row in error.get("details") or () if isinstance(row, dict)]
    said = str(error.get("message") or "")
    words = f"{said} {' '.join(_words(details))} ".lower()
    return Refusal(status, str(error.get("status") or ""), words, said, _delay(details, said))


def rest(rule: Rule, answer: Refusal, now: datetime) -> float | None:
    """Seconds until Gemini writes again; None when it does not say."""
    if rule.code == "daily_limit":
        return _until_midnight(now)
    return answer.delay if rule.retryable else None


def _words(details: list[dict[str, Any]]) -> Iterator[str]:
    for row in details:
        yield str(row.get("reason") or "")
        for violation in row.get("violations") or ():
            if isinstance(violation, dict):
                yield f"{violation.get('quotaId', '')} quotaValue={violation.get('quotaValue', '')}"


def _delay(details: list[dict[str, Any]], said: str) -> float | None:
    given = next((str(row["retryDelay"]) for row in details if row.get("retryDelay")), "")
    found = re.match(r"(\d+(?:\.\d+)?)s$", given) or re.search(r"retry in (\d+(?:\.\d+)?)s", said)
    return float(found[1]) if found else None


def _until_midnight(now: datetime) -> float:
    here = now.astimezone(PACIFIC)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), PACIFIC)
    return (midnight - now).total_seconds()
