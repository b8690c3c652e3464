"""Who asks and with what: parameters, tokens, usage headers."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from influencer.sandbox.instagram.answers import (
    APP_LIMIT,
    BAD_TOKEN,
    INVALID,
    RESTRICTED,
    REVOKED,
    Reason,
    Refused,
    expired,
)
from influencer.sandbox.store import DAY, Account, Store

SERVICE = "instagram"
TOKEN = re.compile(r"[\x21-\x7e]{1,1000}")
# A token may carry the id of its account: IGAA-17841400000000001-anything.
OWN_ID = re.compile(r"(?:IGAA|EAA)[A-Za-z0-9.-]*?-(1784\d{13})\b")
INSTAGRAM_SCOPES = "instagram_business_basic,instagram_business_content_publish"
CALLS_PER_DAY = 4_800
# Ordinary use never looks like throttling; only a fault or the token IGAA-RATE does.
MOST_SHOWN = 60

Params = Mapping[str, Any]


async def read_params(request: web.Request, *, bearer: bool = False) -> dict[str, Any]:
    """Query, form or JSON body as one mapping; the body wins. Raises `Refused`.

    `bearer`: a token in the header counts as the parameter `access_token`.
    """
    params: dict[str, Any] = dict(request.query)
    if bearer and (token := request.headers.get("Authorization", "").partition("Bearer ")[2]):
        params["access_token"] = token
    if request.content_type == "application/json":
        params |= await _json(request)
    elif request.can_read_body:
        params |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return params


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(INVALID, text="The request body must be a JSON object.")
    return body


def token_of(request: web.Request, params: Params) -> str:
    """The access token of header, query or body. Raises `Refused` (190)."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = given.strip() if scheme.lower() == "bearer" else params.get("access_token", "")
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise Refused(BAD_TOKEN)
    return token


def check_magic(token: str, *, writes: bool, store: Store) -> None:
    """Refuse what the magic tokens ask for. Raises `Refused`."""
    if is_magic(token, "EXPIRED"):
        raise expired(store.now())
    if is_magic(token, "REVOKED"):
        raise Refused(REVOKED)
    if is_magic(token, "RATE"):
        raise Refused(throttled(account_of_token(token)))
    if writes and is_magic(token, "RESTRICTED"):
        raise Refused(RESTRICTED)


def is_magic(token: str, word: str) -> bool:
    """Whether the token asks for that refusal: `IGAA-EXPIRED…`, `EAA-EXPIRED…`."""
    return token.startswith((f"IGAA-{word}", f"EAA-{word}"))


def throttled(account_id: str) -> Reason:
    """Code 4 with the headers that say when it ends."""
    usage = {"type": SERVICE, "call_count": 100, "total_cputime": 25, "total_time": 25}
    usage["estimated_time_to_regain_access"] = 19
    headers = {
        "X-App-Usage": json.dumps({"call_count": 100, "total_time": 25, "total_cputime": 25}),
        "X-Business-Use-Case-Usage": json.dumps({account_id: [usage]}),
    }
    return replace(APP_LIMIT, headers=headers)


def account_of_token(token: str) -> str:
    """The account id a token stands for until it is used with another."""
    own = OWN_ID.match(token)
    return own[1] if own else f"1784{_digits(token)[:13]}"


def app_scoped_id(account_id: str) -> str:
    return f"2{_digits(account_id)[:16]}"


def _digits(text: str) -> str:
    return f"{int(hashlib.sha256(text.encode()).hexdigest(), 16):078d}"[-20:]


def account_for(store: Store, token: str, wanted: str) -> Account:
    """The account behind `wanted` (an id or `me`); any id is accepted as the token's own."""
    if wanted == "me":
        wanted = next(iter(store.claimed(SERVICE, token)), account_of_token(token))
    return store.claim(SERVICE, token, wanted)


class Usage:
    """Counts calls for `X-App-Usage`."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque(maxlen=CALLS_PER_DAY)

    def header(self) -> str:
        now = time.monotonic()
        self._calls.append(now)
        while self._calls[0] < now - DAY:
            self._calls.popleft()
        percent = min(MOST_SHOWN, len(self._calls) * 100 // CALLS_PER_DAY)
        return json.dumps({"call_count": percent, "total_time": percent // 2, "total_cputime": percent // 2})
