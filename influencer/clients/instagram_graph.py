"""One authenticated call to Meta's Graph API: token in a header, answer checked, errors by their table."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import requests

from influencer.clients import network
from influencer.clients.instagram_errors import Usage, rule_for, usage
from influencer.clients.platform import Action, Answer, Call, PlatformError
from influencer.errors import Invalid

log = logging.getLogger(__name__)

# How a token of Facebook Login begins.
FACEBOOK = "EAA"
HOSTS = {
    "IGAA": "https://graph.instagram.com",
    "IGQV": "https://graph.instagram.com",
    FACEBOOK: "https://graph.facebook.com",
}


def host_for(token: str) -> str:
    """The Graph host a token belongs to: Instagram Login or Facebook Login. Raises `Invalid`."""
    for prefix, host in HOSTS.items():
        if token.startswith(prefix):
            return host
    raise Invalid("An Instagram token starts with IGAA (Instagram Login) or EAA (Facebook Login).")


class Graph:
    """Calls for one token. Of the last answer: `usage` is the load it told of, `status` its HTTP status."""

    def __init__(self, token: str, *, base_url: str = "", api_version: str = "v25.0") -> None:
        root = (base_url or host_for(token)).rstrip("/")
        self._base = "/".join(part for part in (root, api_version.strip("/")) if part)
        self._token = token
        self._session = _session(token)
        self.usage = Usage()
        self.status: int | None = None

    def get(self, call: Call, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """The answer as JSON. Raises `PlatformError`."""
        return self._logged(call, "GET", path, params=params)

    def post(self, call: Call, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer as JSON; the values travel in the body. Raises `PlatformError`."""
        return self._logged(call, "POST", path, data=form)

    def _logged(self, call: Call, method: str, path: str, **parts: Any) -> dict[str, Any]:
        started = time.monotonic()
        try:
            body = self._checked(self._sent(call, method, path, **parts), call)
        except PlatformError as error:
            network.log_call(log, call, started, error.code)
            raise
        network.log_call(log, call, started, f"ok {body.get('id', '')}".strip())
        return body

    def _sent(self, call: Call, method: str, path: str, **parts: Any) -> requests.Response:
        limits = (network.CONNECT_SECONDS, call.seconds)
        network.refuse_forbidden(self._base, call)
        try:
            # Closed after each call: a kept connection the other side has dropped would make a
            # post's outcome unknown for nothing.
            with self._session:
                response = self._session.request(
                    method, f"{self._base}/{path}", timeout=limits, allow_redirects=False, **parts
                )
        except requests.RequestException as error:
            raise network.failed(error, call) from error
        self.usage, self.status = usage(response.headers), response.status_code
        return response

    def _checked(self, response: requests.Response, call: Call) -> dict[str, Any]:
        body = network.json_object(response)
        error = (body or {}).get("error")
        if isinstance(error, dict) or response.status_code >= 500:
            raise self._refusal(error if isinstance(error, dict) else {}, response.status_code, call)
        if body is None or not 200 <= response.status_code < 300:
            raise network.unreadable(response.status_code, call)
        return body

    def _refusal(self, error: Mapping[str, Any], status: int, call: Call) -> PlatformError:
        rule = rule_for(error, status)
        rest = self.usage.regain if rule.action is Action.WAIT else 0.0
        said = network.harmless(error.get("message"), self._token)
        return PlatformError(rule, call, Answer(status, rest or None, said))


def _session(token: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return session
