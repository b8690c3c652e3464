"""Which writer the configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from influencer.clients.writers.asking import MODEL, SECONDS, URL
from influencer.clients.writers.gemini import Gemini
from influencer.clients.writers.interface import CaptionWriter
from influencer.clients.writers.legacy_gemini import LegacyGemini
from influencer.clients.writers.templates import TemplateWriter

SDKS = {"google-genai": Gemini, "google-generativeai": LegacyGemini}


@dataclass(frozen=True)
class GeminiSettings:
    """Where Gemini is and with which key; `sdk` is a name of `SDKS`."""

    key: str = field(default="", repr=False)
    model: str = MODEL
    url: str = URL
    sdk: str = "google-genai"


def writer_for(settings: GeminiSettings, *, seconds: float = SECONDS) -> CaptionWriter:
    """The writer to use: without a key the one without AI. Imports no SDK. Raises `WriterError`."""
    if not settings.key:
        return TemplateWriter()
    kind = SDKS[settings.sdk]
    return kind(settings.key, model=settings.model, base_url=settings.url, seconds=seconds)
