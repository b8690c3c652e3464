"""HTTP to one ComfyUI server: time and size limits, one log line, telling errors."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from influencer.clients import addresses
from influencer.clients.comfyui import problems
from influencer.clients.comfyui.address import Address
from influencer.clients.comfyui.values import Timeouts
from influencer.clients.errors import ServiceError

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
JSON_LIMIT = 32 * MEGABYTE
CHUNK = 64 * 1024
# Asked every few seconds while an image is made: worth a line only when they fail.
POLLED = ("/queue", "/history/", "/internal/logs")


@dataclass(frozen=True)
class Answer:
    """What the server said; `location` is set on redirects only."""

    status: int
    content_type: str
    body: bytes
    location: str = ""
    retry_after: float | None = None

    def json(self) -> Any:
        """The decoded body. Raises `ValueError` when it is not JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Call:
    """One request; `body` goes to requests as it is (json=, data=, files=, params=)."""

    method: str
    path: str
    body: dict[str, Any]
    read_seconds: float
    size_limit: int = JSON_LIMIT
    own_connection: bool = False
    may_redirect: bool = False


class Transport:
    """Sends calls to one address and keeps connections open between them."""

    def __init__(self, address: Address, timeouts: Timeouts) -> None:
        self.address = address
        self.timeouts = timeouts
        self.session = self._new_session()

    def close(self) -> None:
        self.session.close()

    def get(self, path: str, **params: str) -> Answer:
        return self.send(Call("GET", path, {"params": params}, self.timeouts.read))

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        return self.send(Call("POST", path, {"json": body}, self.timeouts.read))

    def json(self, path: str, **params: str) -> Any:
        """GET a document. Raises `ServiceError` for anything but 200 with JSON."""
        return self.document(self.get(path, **params))

    def document(self, answer: Answer) -> Any:
        if answer.status != 200:
            raise problems.bad_answer(self.address.base, answer.status, answer.body)
        try:
            return answer.json()
        except ValueError:
            raise problems.not_comfyui(self.address.base, answer.status) from None

    def send(self, call: Call) -> Answer:
        """Send one call. Raises `ServiceError` when no answer came, or one of a proxy's."""
        try:
            answer = self._timed(call, lambda: self._exchange(call))
            return self._passed(answer, call)
        except ServiceError as error:
            # What was only asked for has no outcome.
            error.outcome_unknown = error.outcome_unknown and call.method != "GET"
            raise

    def fetch_elsewhere(self, location: str, call: Call) -> Answer:
        """Follow a redirect to a file store, without this server's credentials."""
        url = urljoin(self.address.base + "/", location)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise problems.not_comfyui(self.address.base, 302)
        return self._timed(call, lambda: self._exchange_elsewhere(url, call))

    def _refuse_forbidden(self, url: str) -> None:
        if fault := addresses.fault(url):
            raise problems.forbidden(fault)

    def _timed(self, call: Call, exchange: Callable[[], Answer]) -> Answer:
        started = time.monotonic()
        outcome = "no answer"
        try:
            answer = exchange()
            outcome = str(answer.status)
            return answer
        except requests.RequestException as error:
            outcome = type(error).__name__
            raise problems.silent(self.address.base, error) from None
        finally:
            _log(call, outcome, started)

    def _exchange_elsewhere(self, url: str, call: Call) -> Answer:
        limits = (self.timeouts.connect, call.read_seconds)
        with requests.Session() as session:
            session.trust_env = False
            self._refuse_forbidden(url)
            response = session.get(url, timeout=limits, stream=True, allow_redirects=False)
            return _answer(response, call.size_limit, self.address.base)

    def _exchange(self, call: Call) -> Answer:
        if not call.own_connection:
            try:
                return self._request(self.session, call)
            except requests.ConnectionError as error:
                # The server may have closed the kept connection just as this was sent.
                if call.method != "GET" or not problems.cut_off(error):
                    raise
        with self._new_session() as session:
            return self._request(session, call)

    def _request(self, session: requests.Session, call: Call) -> Answer:
        self._refuse_forbidden(self.address.base)
        params = [*self.address.params, *call.body.get("params", {}).items()]
        response = session.request(
            call.method,
            self.address.http(call.path),
            **{**call.body, "params": params},
            timeout=(self.timeouts.connect, call.read_seconds),
            stream=True,
            allow_redirects=False,
        )
        return _answer(response, call.size_limit, self.address.base)

    def _passed(self, answer: Answer, call: Call) -> Answer:
        if answer.status in problems.FROM_A_PROXY:
            raise problems.proxied(self.address.base, answer.status, answer.retry_after)
        if answer.location and not call.may_redirect:
            raise problems.moved(self.address.base, urljoin(self.address.base + "/", answer.location))
        return answer

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers.update(self.address.headers)
        return session


def _answer(response: requests.Response, size_limit: int, where: str) -> Answer:
    with response:
        return Answer(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            body=_body(response, size_limit, where),
            location=response.headers.get("Location", "") if response.is_redirect else "",
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )


def _body(response: requests.Response, size_limit: int, where: str) -> bytes:
    received = bytearray()
    for chunk in response.iter_content(CHUNK):
        received += chunk
        if len(received) > size_limit:
            raise problems.too_much(where, size_limit)
    return bytes(received)


def _seconds(value: str) -> float | None:
    return float(value) if value.isdigit() else None


def _log(call: Call, outcome: str, started: float) -> None:
    took = (time.monotonic() - started) * 1000
    quiet = call.path.startswith(POLLED) and call.method == "GET" and outcome == "200"
    level = logging.DEBUG if quiet else logging.INFO
    log.log(level, "ComfyUI %s %s: %s in %d ms", call.method, call.path, outcome, took)
