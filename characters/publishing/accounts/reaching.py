"""How an account is reached: the client for it, and where people look at it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from characters.models import Character
from characters.publishing.accounts import keys
from characters.publishing.accounts.account import Account
from influencer import effective, endpoints
from influencer.clients.credentials import InstagramCredentials, XCredentials
from influencer.clients.instagram import Instagram
from influencer.clients.platform import Platform, Publisher
from influencer.clients.x import X
from influencer.errors import Unavailable

NOT_IN_HANDLE = re.compile(r"[^A-Za-z0-9_.]")
PROFILES = {Platform.INSTAGRAM: "https://www.instagram.com/{}/", Platform.X: "https://x.com/{}"}
X_POST = re.compile(r"/status(?:es)?/(\d{1,19})(?!\d)")


def publisher(character: Character, target: Account, *, seconds: float | None = None) -> Publisher:
    """The client for an account. Secrets are opened here and live as long as it does.

    `seconds` is how long an answer may take, where it is not to be the client's own limit.
    """
    limit: dict[str, Any] = {} if seconds is None else {"seconds": seconds}
    if target.sandbox:
        return _sandbox_publisher(character, target, limit)
    values = [keys.stored(character, name) for name in keys.FIELDS[target.platform]]
    config = effective.config()
    if target.platform is Platform.INSTAGRAM:
        account_id, token = values
        return Instagram(
            InstagramCredentials.resolved(account_id, token, keys.environment()),
            base_url=config.instagram_graph_url,
            api_version=config.instagram_api_version,
            **limit,
        )
    app = XCredentials.resolved((values[0], values[1], values[2], values[3]), keys.environment())
    return X(app, base_url=config.x_api_url, **limit)


def address_of(target: Account) -> str:
    """Where the account's platform is asked; empty: where the token leads."""
    instagram = target.platform is Platform.INSTAGRAM
    if target.sandbox:
        return (endpoints.instagram_sandbox() if instagram else endpoints.x_sandbox()).url
    config = effective.config()
    return str(config.instagram_graph_url if instagram else config.x_api_url)


def profile_url(platform: Platform, handle: str, *, sandbox: bool) -> str:
    """Where an account's posts can be looked at; empty when that is not known."""
    if not sandbox:
        name = NOT_IN_HANDLE.sub("", handle.lstrip("@"))
        return PROFILES[platform].format(name) if name else ""
    stand_in = endpoints.instagram_sandbox if platform is Platform.INSTAGRAM else endpoints.x_sandbox
    try:
        return f"{stand_in().url}/feed/"
    except Unavailable:
        return ""


def id_in(platform: Platform, permalink: str) -> str:
    """The platform's own id of a post, where its address tells it; Instagram's does not."""
    found = X_POST.search(permalink) if platform is Platform.X else None
    return found[1] if found else ""


def _sandbox_publisher(character: Character, target: Account, limit: dict[str, Any]) -> Publisher:
    """The stand-ins take any well-formed keys; these carry the handle, so that the feed shows it."""
    handle = NOT_IN_HANDLE.sub("_", target.handle.lstrip("@")) or "sandbox"
    number = int(hashlib.sha256(target.key.encode()).hexdigest(), 16)
    if target.platform is Platform.INSTAGRAM:
        account_id = f"1784{number % 10**13:013d}"
        given = InstagramCredentials(account_id, f"IGAA-{number % 10**9:09d}-SANDBOX-{handle}")
        return Instagram(given, base_url=endpoints.instagram_sandbox().url, **limit)
    place = endpoints.x_sandbox()
    token = f"{number % 10**9:09d}-SANDBOX-{handle}"
    return X(
        XCredentials("sandbox", "sandbox", token, "sandbox"), base_url=place.url, web_url=place.url, **limit
    )
