"""A plain caller of the Gemini stand-in."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from PIL import Image

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.sandbox.bench import KEY, serving

TIMEOUT = 10


@dataclass(frozen=True)
class Caller:
    """Asks as a program without any SDK would."""

    url: str

    def get(self, path: str, *, key: str = "AIza-test", **query: Any) -> requests.Response:
        return requests.get(
            f"{self.url}/gemini{path}", params=query, headers={"x-goog-api-key": key}, timeout=TIMEOUT
        )

    def generate(
        self, body: Any, *, model: str = "gemini-3.5-flash-lite", version: str = "v1beta", **query: Any
    ) -> requests.Response:
        address = f"{self.url}/gemini/{version}/models/{model}:generateContent"
        headers = {} if "key" in query else {"x-goog-api-key": "AIza-test"}
        return requests.post(address, json=body, params=query, headers=headers, timeout=TIMEOUT)

    def order(self, name: str, **args: Any) -> requests.Response:
        wish = {"service": "gemini", "name": name, **args}
        headers = {"X-Sandbox-Key": KEY}
        return requests.post(f"{self.url}/control/faults", json=wish, headers=headers, timeout=TIMEOUT)


def asking(text: str = "A harbour at dusk", **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def text_of(response: requests.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["candidates"][0]["content"]["parts"][0]["text"])


def png() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((48, 48), 80).save(file, "PNG")
    return file.getvalue()


def standard(content: bytes) -> str:
    return base64.b64encode(content).decode()


def url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.fixture
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    settings = SandboxSettings(tmp_path_factory.mktemp("sandbox"), key=KEY)
    with serving(lambda: build_app(settings)) as url:
        yield Caller(url)
