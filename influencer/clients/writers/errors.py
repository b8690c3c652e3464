"""What goes wrong with a writer: rows of a table, and the error made from one."""

from __future__ import annotations

from dataclasses import dataclass

from influencer.clients.errors import ServiceError

AGAIN = "Try again."


@dataclass(frozen=True)
class Rule:
    """One row: what a code means and what to do about it. `wait`: seconds before the next try."""

    code: str
    sentence: str
    fix: str
    retryable: bool = False
    wait: float = 0.0


@dataclass(frozen=True)
class Context:
    """What sentences may name, and what is known of the answer; `said` holds no secret."""

    service: str
    model: str = ""
    seconds: float = 0.0
    reason: str = ""
    status: int | None = None
    retry_after: float | None = None
    said: str = ""


class WriterError(ServiceError):
    """A writer refused, failed, stayed silent or wrote nothing that can be used."""

    def __init__(self, rule: Rule, context: Context) -> None:
        wait = rule.wait or None if context.retry_after is None else context.retry_after
        names = {
            "service": context.service,
            "model": context.model,
            "seconds": f"{context.seconds:g}",
            "reason": context.reason,
            "wait": _duration(wait or 0),
        }
        details = {"reason": context.reason, "said": context.said}
        super().__init__(
            f"{rule.sentence.format_map(names)}.",
            service=context.service,
            code=rule.code,
            fix=rule.fix.format_map(names),
            retryable=rule.retryable,
            http_status=context.status,
            retry_after=wait,
            details={key: value for key, value in details.items() if value},
        )


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


UNREACHABLE = Rule(
    "unreachable",
    "{service} can't be reached",
    "Check this computer's network and the address in the settings, then try again.",
    retryable=True,
    wait=30,
)
SILENT = Rule(
    "timeout",
    "{service} did not answer in {seconds} s",
    "Try again, or choose a faster model.",
    retryable=True,
    wait=30,
)
LOST = Rule("connection_lost", "The connection to {service} broke", AGAIN, retryable=True, wait=10)
GARBLED = Rule(
    "unreadable",
    "{service} answered with something that can't be read",
    "Its servers may be in trouble, or something on the way to them is. Try again.",
    retryable=True,
    wait=30,
)
MISDIRECTED = Rule(
    "wrong_address",
    "What answered at the address of {service} is not {service}",
    "Check the address in the settings, and whether this network asks for a login.",
)
FORBIDDEN = Rule(
    "refused_address",
    "The address of {service} is a link-local or a cloud's metadata address; nothing was sent",
    "Enter another address in the settings.",
)
UNUSABLE = Rule(
    "bad_answer",
    "{service} wrote nothing that can be used: {reason}",
    "Try again, or choose another model.",
    retryable=True,
)
NO_KEY = Rule(
    "no_key",
    "There is no {service} key",
    "Make one at aistudio.google.com/apikey and enter it in the settings.",
)
ODD_KEY = Rule("key_invalid", "The {service} key holds a character no key has", "Copy the key again.")
NO_MODEL = Rule(
    "model_unknown",
    "{service} has no model {model} for this key",
    "Choose a model from the list in the settings.",
)
NOT_INSTALLED = Rule(
    "not_installed",
    "google-generativeai is not installed",
    "Run `.venv/bin/python -m pip install -r influencer/requirements/legacy-gemini.txt`, "
    "or choose google-genai in the settings (GEMINI_SDK), which comes along.",
)
