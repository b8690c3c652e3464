"""The final prompt: base prompt, own prompt, style, mood, and the trigger word exactly once."""

from __future__ import annotations

import re

# What is left of "(word:1.2)" or "(word)" once the word is taken out of it.
EMPTY_BRACKETS = re.compile(r"[(\[{][\s,]*(?::\s*[\d.]+)?\s*[)\]}]")
# Commas that need mending; the one inside "10,000" does not.
COMMAS = re.compile(r"\s*,(?:\s*,)+\s*|\s+,\s*|,\s+|(?<!\d),|,(?!\d)")


def compose(base_prompt: str, prompt: str, *, style: str = "", mood: str = "", trigger_word: str = "") -> str:
    """Join the parts with commas, with the trigger word in it exactly once.

    The word is found as a whole word in any spelling of case; it stays where it stands
    first and comes to the front when it is missing.
    """
    return with_trigger(join(base_prompt, prompt, style, mood), trigger_word)


def join(*parts: str) -> str:
    """Join phrases with commas; empty ones and exact repeats of a part are left out."""
    joined = ""
    seen: set[str] = set()
    for part in map(tidy, parts):
        if part and part.lower() not in seen:
            seen.add(part.lower())
            joined = f"{joined}{_link(joined)}{part}"
    return joined


def with_trigger(text: str, trigger_word: str) -> str:
    """The text with the trigger word exactly once."""
    word = " ".join(trigger_word.replace(",", " ").split())
    if not word:
        return tidy(text)
    first = _pattern(word).search(text)
    if first is None:
        return join(word, text)
    before, after = text[: first.start()], _pattern(word).sub("", text[first.end() :])
    return tidy(f"{before}{word}{after}")


def tidy(text: str) -> str:
    """Single spaces, single commas, none at the ends."""
    text = EMPTY_BRACKETS.sub("", text)
    text = re.sub(r"\s+", " ", text)
    text = COMMAS.sub(", ", text)
    text = re.sub(r"([(\[{])[, ]+|[, ]+([)\]}])", r"\1\2", text)
    return text.strip(" ,")


def _pattern(word: str) -> re.Pattern[str]:
    spaced = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _link(before: str) -> str:
    if not before:
        return ""
    return " " if before[-1] in ".!?;:" else ", "
