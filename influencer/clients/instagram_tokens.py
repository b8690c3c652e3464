"""Instagram's tokens: how long they live, and how they are renewed.

Documentation: developers.facebook.com/docs/instagram-platform/reference/refresh_access_token,
…/docs/facebook-login/guides/access-tokens/get-long-lived and …/docs/graph-api/reference/debug_token.
Neither a token nor the app's secret is ever in a log line or an error; of the calls, only
`debug_token` has one in its address, as it has no other form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from influencer.clients import network
from influencer.clients.instagram_graph import Graph, host_for
from influencer.clients.platform import Action, Call, PlatformError, Rule

SERVICE = "Instagram"
LIFE = timedelta(days=60)
SECONDS = 20.0
APP_REFUSED = Rule(
    "app_secret",
    Action.GIVE_UP,
    "Facebook refused the app's id or secret",
    "Check INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET against the app's basic settings at Meta.",
)
# How Meta words what is wrong with the app, not with the token.
ABOUT_THE_APP = ("client secret", "app access token", "validating application")


class Login(StrEnum):
    """How a token came about; it decides how it is renewed."""

    INSTAGRAM = "Instagram Login"
    FACEBOOK = "Facebook Login"


@dataclass(frozen=True)
class App:
    """A Meta app's own credentials, needed for what Facebook Login does with tokens."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Renewed:
    """A token that replaces another."""

    token: str = field(repr=False)
    expires_at: datetime | None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examined:
    """What `debug_token` says; `expires_at` is None for a token that does not end by time."""

    valid: bool
    expires_at: datetime | None
    scopes: tuple[str, ...]


def login_of(token: str) -> Login:
    """Raises `Invalid` for what is neither kind of token."""
    return Login.FACEBOOK if "facebook" in host_for(token) else Login.INSTAGRAM


class Tokens:
    """Calls about one token. Each raises `PlatformError`."""

    def __init__(self, token: str, *, base_url: str = "", api_version: str = "v25.0") -> None:
        self._token = token
        self._base_url = base_url
        self._version = api_version

    def refresh(self) -> Renewed:
        """`ig_refresh_token`: for a living token of Instagram Login that is at least 24 h old."""
        graph = Graph(self._token, base_url=self._base_url, api_version="")
        call = Call(SERVICE, "refresh", seconds=SECONDS)
        return _renewed(graph.get(call, "refresh_access_token", {"grant_type": "ig_refresh_token"}), call)

    def exchange(self, app: App) -> Renewed:
        """`fb_exchange_token`: a living user token of Facebook Login for one of another 60 days."""
        call = Call(SERVICE, "exchange", seconds=SECONDS)
        form = {
            "grant_type": "fb_exchange_token",
            "client_id": app.id,
            "client_secret": app.secret,
            "fb_exchange_token": self._token,
        }
        with _as_problem_of_the_app(call):
            return _renewed(self._as_app(app).post(call, "oauth/access_token", form), call)

    def examine(self, app: App) -> Examined:
        """`debug_token`: only for Facebook Login, and only as the app the token is of."""
        call = Call(SERVICE, "debug", seconds=SECONDS)
        with _as_problem_of_the_app(call):
            body = self._as_app(app).get(call, "debug_token", {"input_token": self._token})
        data = body.get("data")
        if not isinstance(data, dict):
            raise network.unreadable(200, call)
        return Examined(
            bool(data.get("is_valid")), _moment(data.get("expires_at")), _scopes(data.get("scopes"))
        )

    def _as_app(self, app: App) -> Graph:
        base = self._base_url or host_for(self._token)
        return Graph(f"{app.id}|{app.secret}", base_url=base, api_version=self._version)


@contextmanager
def _as_problem_of_the_app(call: Call) -> Iterator[None]:
    """What is wrong with the app comes under codes that mean something else elsewhere."""
    try:
        yield
    except PlatformError as error:
        said = str(error.details.get("said", "")).lower()
        if any(words in said for words in ABOUT_THE_APP):
            raise PlatformError(APP_REFUSED, call) from error
        raise


def _renewed(body: Mapping[str, Any], call: Call) -> Renewed:
    token, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not token:
        raise network.unreadable(200, call)
    lasts = timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else None
    # Without a time it is a Page token or one that was told to last.
    return Renewed(token, datetime.now(UTC) + lasts if lasts else None, _scopes(body.get("permissions")))


def _scopes(given: Any) -> tuple[str, ...]:
    """Permissions come as a list here and as a text with commas there."""
    names = given.split(",") if isinstance(given, str) else given
    return tuple(str(name).strip() for name in names) if isinstance(names, list) else ()


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds > 0 else None
