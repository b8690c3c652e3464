"""Every error the outside services are known to give, and what this product does: `docs/errors.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from characters.publishing.accounts.standing import REFUSALS, RESTRICTED_FOR, RESTRICTIONS
from influencer.clients import instagram_errors, network, platform, x_errors
from influencer.clients.platform import Action, Rule
from influencer.clients.writers import errors as writers
from influencer.clients.writers import gemini_errors
from influencer.jobs import wording

HEAD = """# Errors

What Instagram, X and Gemini are known to answer when something is wrong, and what happens then. Made from
the rules in the code by `python3 manage.py error_table`; a test compares both and has the stand-ins give
each answer.

A call is decisive when it makes something public. If it was answered with what may hide an effect, nothing
is repeated: the platform is asked whether the post exists, and without a clear answer a person decides.
"""
COLUMNS = ("Answer", "Means", "What happens", "What you can do")
# What sentences leave open until an answer fills it in.
BLANKS = {"seconds": "60", "model": "…", "wait": "the named time", "reason": "why"}
NEXT = {
    Action.GIVE_UP: "stops",
    Action.START_OVER: "begins with a new upload",
    Action.REAUTHORISE: "stops until the account is reconnected",
    Action.WAIT: "waits",
    Action.RETRY: "takes the step again",
}


@dataclass(frozen=True)
class Row:
    """One line: what was answered, what it means, what is done, what a person can do."""

    answer: str
    means: str
    does: str
    fix: str

    def line(self) -> str:
        cells = (self.answer, self.means, self.does, self.fix)
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def sections() -> dict[str, list[Row]]:
    """The rows of each service, in the order of its rules."""
    return {
        "Instagram": [
            platform_row("Instagram", rule)
            for rule in (*instagram_errors.RULES, instagram_errors.EXPIRED, instagram_errors.BROKEN)
        ],
        "X": [platform_row("X", rule, rule.status or "5xx") for rule in x_errors.RULES],
        "No usable answer of either": [
            platform_row("The platform", rule) for rule in (*network.RULES, platform.NEVER_READY)
        ],
        "Gemini": [writer_row(rule) for rule in _gemini()],
    }


def text() -> str:
    """The whole document."""
    parts = [HEAD]
    for service, rows in sections().items():
        lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|", *(row.line() for row in rows)]
        parts.append(f"## {service}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def platform_row(service: str, rule: Rule, status: object = "") -> Row:
    answer = f"{status} `{rule.code}`".strip()
    return Row(answer, _filled(rule.sentence, service), does(rule), _filled(rule.fix, service))


def writer_row(rule: writers.Rule) -> Row:
    status = getattr(rule, "status", None)
    shown = "" if status is None else f"{status or '5xx'} "
    again = f" after {_long(rule.wait)}" if rule.wait else ""
    done = f"Says so; it may be asked for again{again}." if rule.retryable else "Says so; nothing is written."
    return Row(f"{shown}`{rule.code}`", _filled(rule.sentence, "Gemini"), done, _filled(rule.fix, "Gemini"))


def does(rule: Rule) -> str:
    """What publishing does about an error of this kind."""
    if rule.code in RESTRICTIONS:
        return f"Stops, and pauses the account for at least {_long(RESTRICTED_FOR.total_seconds())}."
    sentence = {
        Action.RETRY: lambda: _again("Takes the step again", rule),
        Action.START_OVER: lambda: _again("Begins with a new upload", rule),
        Action.WAIT: lambda: f"Waits as long as it names, else {_long(rule.wait)}; uses up no try.",
        Action.REAUTHORISE: lambda: f"Stops; the account is broken, and paused after {REFUSALS} in a row.",
        Action.GIVE_UP: lambda: "Stops.",
    }[rule.action]()
    return f"{sentence} Decisive: asks first whether the post exists." if rule.uncertain else sentence


def _again(what: str, rule: Rule) -> str:
    times = "once" if rule.tries == 1 else f"up to {rule.tries} times"
    pause = f", after {_long(rule.wait)}" if rule.wait else ""
    return f"{what}, {times}{pause}; then {NEXT[rule.then]}."


def _gemini() -> Iterable[writers.Rule]:
    """Each rule once, the special ones of blocked prompts and answers included."""
    special: Sequence[Any] = (
        gemini_errors.PROMPT_BLOCKED,
        gemini_errors.IMAGE_BLOCKED,
        gemini_errors.ANSWER_BLOCKED,
        gemini_errors.CUT,
        gemini_errors.STOPPED,
        gemini_errors.EMPTY,
        gemini_errors.COPIED,
        gemini_errors.LANGUAGE,
        writers.UNREACHABLE,
        writers.SILENT,
        writers.LOST,
        writers.GARBLED,
        writers.MISDIRECTED,
        writers.FORBIDDEN,
        writers.UNUSABLE,
    )
    return (*gemini_errors.RULES, *special)


def _long(seconds: float) -> str:
    """Whole hours without their minutes, in plain spaces."""
    return wording.duration(seconds).replace(wording.SPACE, " ").removesuffix(" 0 min")


def _filled(sentence: str, service: str) -> str:
    return sentence.format_map({**BLANKS, "service": service})
