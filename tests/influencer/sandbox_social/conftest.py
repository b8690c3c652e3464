"""A sandbox and a dashboard that only serves images, both over real HTTP."""

from __future__ import annotations

import asyncio
import inspect
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from PIL import Image
from requests_oauthlib import OAuth1

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app

KEY = "key-of-the-tests"
TIMEOUT = 10


def image_bytes(
    width: int = 400, height: int = 500, *, image_format: str = "JPEG", colour: str = "teal"
) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, image_format)
    return buffer.getvalue()


@contextmanager
def serving(build: Callable[[], web.Application], port: int = 0) -> Iterator[str]:
    """Serve the application in a thread of its own; gives its address."""
    loop = asyncio.new_event_loop()
    runner, ready, ports = None, threading.Event(), []

    async def start() -> None:
        nonlocal runner
        runner = web.AppRunner(build(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        ports.append(runner.addresses[0][1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(TIMEOUT)
    yield f"http://127.0.0.1:{ports[0]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(TIMEOUT)


class Dashboard:
    """What the sandbox fetches images from; `files` maps a path to its answer."""

    def __init__(self) -> None:
        self.files: dict[str, Callable[[], Any]] = {}
        self.asked: list[str] = []
        self.url = ""

    def add(self, path: str, body: bytes, content_type: str = "image/jpeg") -> str:
        self.files[path] = lambda: web.Response(body=body, content_type=content_type)
        return f"{self.url}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        found = self.files.get(request.path)
        answer = found() if found else web.Response(status=404, text="Not here")
        return await answer if inspect.isawaitable(answer) else answer

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", self.answer)])
        return app


@dataclass
class Box:
    """The sandbox under test; restart it to see what survives."""

    settings: SandboxSettings
    stack: ExitStack
    url: str = ""

    def start(self) -> None:
        self.url = self.stack.enter_context(serving(lambda: build_app(self.settings)))

    def restart(self) -> None:
        self.stack.pop_all().close()
        self.start()

    def control(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"X-Sandbox-Key": KEY}
        return requests.request(
            method, f"{self.url}/control/{path}", headers=headers, timeout=TIMEOUT, **more
        )

    def order(self, service: str, name: str, **args: Any) -> None:
        answer = self.control("POST", "faults", json={"service": service, "name": name, **args})
        assert answer.status_code == 201, answer.text

    def set_limits(self, **limits: float) -> None:
        assert self.control("POST", "limits", json=limits).status_code == 200

    def advance(self, seconds: float) -> None:
        assert self.control("POST", "clock", json={"advance": seconds}).status_code == 200

    def posts(self, service: str, text: str | None = None) -> dict[str, Any]:
        query = {"service": service} | ({} if text is None else {"text": text})
        return self.control("GET", "posts", params=query).json()

    def page(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=TIMEOUT)


@dataclass(frozen=True)
class Graph:
    """A caller of the Instagram stand-in."""

    box: Box
    token: str = "IGAA-test"
    account: str = "17841400000000001"

    def get(self, path: str, **params: Any) -> requests.Response:
        return requests.get(self._url(path), params=params, headers=self._headers(), timeout=TIMEOUT)

    def post(self, path: str, *, timeout: float = TIMEOUT, **fields: Any) -> requests.Response:
        return requests.post(self._url(path), data=fields, headers=self._headers(), timeout=timeout)

    def container(self, url: str, **fields: Any) -> str:
        answer = self.post(f"{self.account}/media", image_url=url, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def publish(self, container: str, *, timeout: float = TIMEOUT) -> requests.Response:
        return self.post(f"{self.account}/media_publish", timeout=timeout, creation_id=container)

    def status(self, container: str) -> str:
        return self.get(container, fields="status_code").json()["status_code"]

    def _url(self, path: str) -> str:
        return f"{self.box.url}/instagram/v25.0/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Tweeter:
    """A caller of the X stand-in, signing by OAuth 1.0a."""

    box: Box
    token: str = "2244994945-test"
    consumer: str = "app-key"

    def call(self, method: str, path: str, *, timeout: float = TIMEOUT, **more: Any) -> requests.Response:
        auth = OAuth1(self.consumer, "app-secret", self.token, "access-secret")
        return requests.request(method, f"{self.box.url}/x{path}", auth=auth, timeout=timeout, **more)

    def tweet(self, text: str = "", *, timeout: float = TIMEOUT, **more: Any) -> requests.Response:
        body = ({"text": text} if text else {}) | more
        return self.call("POST", "/2/tweets", json=body, timeout=timeout)

    def upload(self, content: bytes | None = None, **fields: Any) -> requests.Response:
        files = {"media": ("image.jpg", image_bytes() if content is None else content, "image/jpeg")}
        data = {"media_category": "tweet_image"} | fields
        return self.call("POST", "/2/media/upload", files=files, data=data)


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    dashboard = Dashboard()
    with serving(dashboard.application) as url:
        dashboard.url = url
        yield dashboard


@pytest.fixture
def box(tmp_path: Path, dashboard: Dashboard) -> Iterator[Box]:
    (tmp_path / "sandbox").mkdir()
    settings = SandboxSettings(data=tmp_path / "sandbox", app_url=dashboard.url, key=KEY, speed=1000)
    with ExitStack() as stack:
        box = Box(settings, stack)
        box.start()
        yield box


@pytest.fixture
def graph(box: Box) -> Graph:
    return Graph(box)


@pytest.fixture
def tweeter(box: Box) -> Tweeter:
    return Tweeter(box)


@pytest.fixture
def photo(dashboard: Dashboard) -> str:
    """The address of a JPEG Instagram takes."""
    return dashboard.add("/m/photo.jpg", image_bytes())
