"""Who writes: the one place that knows where the writer comes from and what its texts are marked as."""

from __future__ import annotations

from influencer import effective, endpoints
from influencer.clients.writers.choice import GeminiSettings, writer_for
from influencer.clients.writers.interface import CaptionWriter
from influencer.clients.writers.templates import TemplateWriter
from influencer.config import Config
from prompts.models import Source

SANDBOX_KEY = "sandbox"


def writer() -> CaptionWriter:
    """Raises `WriterError` when what is configured can't be one, `Unavailable` when the stand-in is down."""
    return writer_for(gemini())


def gemini(config: Config | None = None) -> GeminiSettings:
    """Where Gemini is, with which key; none without one. The stand-in writes only where all of them do."""
    config = config or effective.config()
    if config.sandbox == "on":
        return GeminiSettings(SANDBOX_KEY, url=endpoints.stand_in("Gemini").gemini, sdk=config.gemini_sdk)
    return GeminiSettings(
        config.gemini_api_key, config.gemini_model, config.gemini_api_url, config.gemini_sdk
    )


def is_ai() -> bool:
    """Whether a model writes, as far as can be told without asking it."""
    config = effective.config()
    return config.sandbox == "on" or bool(config.gemini_api_key)


def source_of(writer: str) -> Source:
    return Source.TEMPLATES if writer == TemplateWriter.writer else Source.AI
