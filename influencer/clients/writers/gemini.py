"""Gemini through google-genai, the SDK Google maintains.

Documentation: googleapis.github.io/python-genai and ai.google.dev/api/generate-content. The key
travels in a header and is in no address, log line or error.
"""

from __future__ import annotations

from typing import ClassVar

from influencer.clients.writers.asking import AskingWriter, Connection


class Gemini(AskingWriter):
    """Every call raises `WriterError`; see `gemini_errors.py`."""

    writer: ClassVar[str] = "gemini"

    def _connect(self) -> Connection:
        # The SDK takes a second to import and 50 MB, and most processes never write.
        from influencer.clients.writers.gemini_sdk import Sdk  # noqa: PLC0415

        return Sdk(self._key, base_url=self._base_url, seconds=self._seconds)
