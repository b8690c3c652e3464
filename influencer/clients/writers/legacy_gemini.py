"""Gemini through google-generativeai, which Google gave up in November 2025: an optional extra.

Documentation: github.com/google-gemini/deprecated-generative-ai-python. Its own default, gRPC with
ten minutes of silent repeats, is never used.
"""

from __future__ import annotations

from typing import ClassVar

from influencer.clients.writers import errors
from influencer.clients.writers.asking import SERVICE, AskingWriter, Connection
from influencer.clients.writers.errors import Context, WriterError


class LegacyGemini(AskingWriter):
    """Every call raises `WriterError`; see `gemini_errors.py`."""

    writer: ClassVar[str] = "legacy_gemini"

    def _connect(self) -> Connection:
        try:
            # Most installations don't have it; where it is, it takes a second and 80 MB.
            from influencer.clients.writers.legacy_gemini_sdk import Sdk  # noqa: PLC0415
        except ImportError as error:
            raise WriterError(errors.NOT_INSTALLED, Context(SERVICE)) from error
        return Sdk(self._key, base_url=self._base_url, seconds=self._seconds)
