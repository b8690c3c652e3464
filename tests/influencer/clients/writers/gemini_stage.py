"""The sandbox's Gemini over real HTTP, and both ways to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from influencer.clients.writers.asking import AskingWriter
from influencer.clients.writers.gemini import Gemini
from influencer.clients.writers.legacy_gemini import LegacyGemini
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.sandbox.bench import KEY, serving

API_KEY = "AIza-key-of-the-tests-0123456789"
SDKS: dict[str, type[AskingWriter]] = {"google-genai": Gemini, "google-generativeai": LegacyGemini}


class Stage:
    """A running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/gemini"
        self._control = f"{url}/control"

    def writer(self, sdk: str, *, key: str = API_KEY, **more: Any) -> AskingWriter:
        return SDKS[sdk](key, **{"base_url": self.url, "seconds": 20, **more})

    def fault(self, name: str, **args: Any) -> None:
        wish = {"service": "gemini", "name": name, **args}
        answer = self._ask("POST", "faults", json=wish)
        assert answer.status_code == 201, answer.text

    def asked(self) -> list[tuple[str, str, int]]:
        """Method, path and status of each request since the last `forget`."""
        rows = self._ask("GET", "log?service=gemini").json()["requests"]
        return [(row["method"], row["path"], row["status"]) for row in rows]

    def forget(self) -> None:
        self._ask("DELETE", "log")
        self._ask("DELETE", "faults")

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["X-Sandbox-Key"] = KEY
            return session.request(method, f"{self._control}/{path}", timeout=10, **more)


@contextmanager
def staged(data: Path) -> Iterator[Stage]:
    with serving(lambda: build_app(SandboxSettings(data, key=KEY))) as url:
        yield Stage(url)
