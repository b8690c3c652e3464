"""Who writes: the one place that knows where the writer comes from and what its texts are marked as."""

from __future__ import annotations

from influencer.clients.writers.choice import GeminiSettings, writer_for
from influencer.clients.writers.interface import CaptionWriter
from influencer.clients.writers.templates import TemplateWriter
from prompts.models import Source


def writer() -> CaptionWriter:
    """Raises `WriterError` when what is configured can't be one."""
    return writer_for(GeminiSettings())


def source_of(writer: str) -> Source:
    return Source.TEMPLATES if writer == TemplateWriter.writer else Source.AI


def is_ai() -> bool:
    """Whether a model writes, as far as can be told without asking it."""
    return writer().writer != TemplateWriter.writer
