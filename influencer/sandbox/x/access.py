"""Who asks: the OAuth 1.0a header, and the tokens that force an error."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from aiohttp import web

from influencer.sandbox.store import Store
from influencer.sandbox.x import problems
from influencer.sandbox.x.problems import Refused

SERVICE = "x"
REQUIRED = (
    "oauth_consumer_key",
    "oauth_token",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_signature_method",
    "oauth_signature",
)
PAIR = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*')
# Bytes of a signature by method. The stand-in has no secrets, so the form is all it can check.
SIGNATURES = {"HMAC-SHA1": 20, "HMAC-SHA256": 32}
CLOCK_SKEW_SECONDS = 300
OWN_ID = re.compile(r"(\d{5,19})-")


@dataclass(frozen=True)
class Caller:
    """Whose token it is; `account_id` is empty for an app-only bearer."""

    token: str
    consumer_key: str
    account_id: str

    @property
    def name(self) -> str:
        """What rate limits are counted by."""
        return self.account_id or "app"


def identify(request: web.Request) -> Caller:
    """Raises `Refused` (401) without well-formed credentials."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer" and rest.strip():
        return Caller(token=rest.strip(), consumer_key="", account_id="")
    if scheme != "OAuth":
        raise problems.unauthorized()
    words = _words(rest)
    if not all(words.get(name) for name in REQUIRED) or not _timely(words) or not _signed(words):
        raise problems.unauthorized()
    return Caller(words["oauth_token"], words["oauth_consumer_key"], account_of_token(words["oauth_token"]))


def account_of_token(token: str) -> str:
    """A real token starts with its account's id; any other stands for an account of its own."""
    own = OWN_ID.match(token)
    return own[1] if own else f"1{int(hashlib.sha256(token.encode()).hexdigest(), 16) % 10**18:018d}"


def _words(header: str) -> dict[str, str]:
    pairs = (PAIR.fullmatch(part) for part in header.split(","))
    return {unquote(pair[1]): unquote(pair[2]) for pair in pairs if pair}


def _timely(words: Mapping[str, str]) -> bool:
    stamp = words["oauth_timestamp"]
    return stamp.isdecimal() and abs(time.time() - int(stamp[:12])) <= CLOCK_SKEW_SECONDS


def _signed(words: Mapping[str, str]) -> bool:
    try:
        signature = base64.b64decode(words["oauth_signature"], validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(signature) == SIGNATURES.get(words["oauth_signature_method"], 0)


def check_magic(caller: Caller, *, writes: bool, store: Store) -> None:
    """Refuse what a magic access token (or consumer key) asks for. Raises `Refused`."""
    refusals: dict[str, Callable[[], Refused]] = {
        "X-UNAUTHORIZED": problems.unauthorized,
        "X-CREDITS": lambda: problems.no_credits(caller.account_id or "0"),
        "X-SPENDCAP": lambda: problems.spend_cap(caller.account_id or "0", next_cycle(store)),
        "X-SUSPENDED": problems.suspended,
        "X-RATE": lambda: problems.too_many(rate_headers(limit=100, remaining=0, reset=time.time() + 60)),
        "X-DOWN": problems.unavailable,
    }
    if writes:
        refusals["X-READONLY"] = problems.read_only_app
    for start, refusal in refusals.items():
        if caller.token.startswith(start) or caller.consumer_key.startswith(start):
            raise refusal()


def rate_headers(*, limit: int, remaining: int, reset: float) -> dict[str, str]:
    """The three headers of every answer; `reset` in seconds since 1970."""
    values = {"limit": limit, "remaining": remaining, "reset": int(reset)}
    return {f"x-rate-limit-{name}": str(value) for name, value in values.items()}


def day_headers(*, limit: int, remaining: int, reset: float) -> dict[str, str]:
    """The 24-hour headers X adds to the answer of a post."""
    values = {"limit": limit, "remaining": remaining, "reset": int(reset)}
    return {f"x-user-limit-24hour-{name}": str(value) for name, value in values.items()}


def next_cycle(store: Store) -> str:
    """The first day of the next month."""
    today = datetime.fromtimestamp(store.now(), UTC).date()
    return str((today.replace(day=1) + timedelta(days=32)).replace(day=1))
