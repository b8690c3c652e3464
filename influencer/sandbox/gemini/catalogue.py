"""The models of the stand-in, as of November 2026."""

from __future__ import annotations

from typing import Any

from influencer.sandbox.gemini import problems

WRITES = ("generateContent", "countTokens")
LABELS = {
    "gemini-3.8-flash": "Gemini 3.8 Flash",
    "gemini-3.7-flash": "Gemini 3.7 Flash",
    "gemini-3.6-flash": "Gemini 3.6 Flash",
    "gemini-3.5-flash": "Gemini 3.5 Flash",
    "gemini-3.5-flash-lite": "Gemini 3.5 Flash-Lite",
    "gemini-3.1-flash-lite": "Gemini 3.1 Flash-Lite",
    "gemini-2.5-flash-lite": "Gemini 2.5 Flash-Lite",
    "gemini-embedding-001": "Gemini Embedding 001",
}
# Names that stand for a current model, in v1beta only.
ALIASES = {
    "gemini-flash-latest": "gemini-3.8-flash",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
}
LARGEST_PAGE = 1000


def find(name: str, version: str) -> dict[str, Any]:
    """A model by its name or alias. Raises `Refused` (404)."""
    names = {**dict(zip(LABELS, LABELS, strict=True)), **(ALIASES if version == "v1beta" else {})}
    if name not in names:
        raise problems.model_unknown(name, version)
    return _shown(name)


def writing(name: str, version: str) -> str:
    """The model that writes under that name. Raises `Refused` (404)."""
    if "generateContent" not in find(name, version)["supportedGenerationMethods"]:
        raise problems.model_unknown(name, version)
    return ALIASES.get(name, name)


def page(size: int, token: str, version: str) -> dict[str, Any]:
    """One page of the list. Raises `Refused` for a token it did not give."""
    names = [*LABELS, *(ALIASES if version == "v1beta" else ())]
    start = int(token) if token.isdecimal() else 0
    if (token and not token.isdecimal()) or start >= len(names):
        raise problems.invalid("Page token is invalid.")
    end = start + min(max(size, 1), LARGEST_PAGE)
    answer: dict[str, Any] = {"models": [_shown(name) for name in names[start:end]]}
    return answer | ({"nextPageToken": str(end)} if end < len(names) else {})


def _shown(name: str) -> dict[str, Any]:
    label = LABELS[ALIASES.get(name, name)]
    if "embedding" in name:
        return {
            "name": f"models/{name}",
            "version": "001",
            "displayName": label,
            "inputTokenLimit": 2048,
            "outputTokenLimit": 1,
            "supportedGenerationMethods": ["embedContent"],
        }
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": label if name in LABELS else f"{label} (latest)",
        "description": "A stand-in on this machine.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": list(WRITES),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }
