"""Where a character posts: a real account, the sandbox, or nowhere, and why."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from django.conf import settings

from characters.models import INSTAGRAM_CREDENTIALS, X_CREDENTIALS, Character
from characters.publishing import marks
from characters.publishing.standing import many
from characters.publishing.standing_models import URGENT_DAYS, AccountStanding
from influencer import effective, endpoints, vault
from influencer.clients import credentials
from influencer.clients.credentials import InstagramCredentials, XCredentials
from influencer.clients.instagram import Instagram
from influencer.clients.platform import Platform, Publisher
from influencer.clients.x import X
from influencer.errors import Conflict, Problem, Unavailable
from influencer.jsondb import Secret

NAMES = {Platform.INSTAGRAM: "Instagram", Platform.X: "X"}
FIELDS = {Platform.INSTAGRAM: INSTAGRAM_CREDENTIALS, Platform.X: X_CREDENTIALS}
HANDLES = {Platform.INSTAGRAM: "instagram_handle", Platform.X: "twitter_handle"}
NOT_IN_HANDLE = re.compile(r"[^A-Za-z0-9_.]")
SANDBOX = "sandbox:"
Kind = Literal["real", "sandbox", "none"]
CHIPS: dict[Kind, tuple[str, str]] = {
    "real": ("set", "ok"),
    "sandbox": ("sandbox", "sandbox"),
    "none": ("no account", "warn"),
}


@dataclass(frozen=True)
class Account:
    """One character on one platform. `key` tells accounts apart in the ledger, `note` says why."""

    platform: Platform
    kind: Kind
    handle: str
    key: str = ""
    note: str = ""
    standing: AccountStanding | None = None

    @property
    def name(self) -> str:
        return NAMES[self.platform]

    @property
    def sandbox(self) -> bool:
        return self.kind == "sandbox"

    @property
    def bare_handle(self) -> str:
        return self.handle.lstrip("@")

    @property
    def icon(self) -> str:
        return "x-platform" if self.platform is Platform.X else "instagram"

    @property
    def chip(self) -> tuple[str, str]:
        """Word and kind of the chip on a card."""
        trouble = self._trouble(self.standing) if self.standing else None
        return trouble or CHIPS[self.kind]

    def _trouble(self, standing: AccountStanding) -> tuple[str, str] | None:
        """The chip of an account that is not simply there; practice knows no tokens."""
        if standing.is_paused:
            return "paused", "bad"
        if self.kind == "real" and standing.is_broken:
            return "broken", "bad"
        if standing.held():
            return "waits", "warn"
        if self.kind != "real":
            return None
        if standing.expires_soon:
            days = standing.days_left or 0
            word = f"expires in {days} d{standing.guess}" if days > 0 else "may have expired"
            return word, "bad" if days == URGENT_DAYS else "warn"
        return ("ok", "ok") if standing.last_ok_at else None


def account(character: Character, platform: Platform, *, any_real: bool | None = None) -> Account:
    """Where the character would post now. Nothing is asked of the platform."""
    handle = getattr(character, HANDLES[platform])
    practises = effective.config().sandbox == "on" or character.practise_in_sandbox
    if not practises and has_credentials(character, platform):
        return _real_account(character, platform)
    if any_real is None:
        any_real = not practises and any_account_is_real()
    if not endpoints.sandbox_allowed() or (any_real and not practises):
        return Account(platform, "none", handle, note=_why_none(character, platform))
    key = f"{SANDBOX}{platform}:{character.pk}"
    return Account(platform, "sandbox", handle, key, _unset_variable(character, platform))


def _real_account(character: Character, platform: Platform) -> Account:
    handle = getattr(character, HANDLES[platform])
    try:
        return Account(platform, "real", handle, _real_key(character, platform))
    except Unavailable as locked:  # the data came here without the key that sealed it
        return Account(platform, "none", handle, note=locked.message)


def accounts_of(characters: Iterable[Character]) -> dict[str, list[Account]]:
    """Both accounts of every character, with how they stand, for chips."""
    any_real = any_account_is_real()
    pairs = [
        (character, account(character, platform, any_real=any_real))
        for character in characters
        for platform in Platform
    ]
    found: dict[str, list[Account]] = {}
    for (character, _), place in zip(pairs, with_standing(pairs), strict=True):
        found.setdefault(character.pk, []).append(place)
    return found


def with_standing(pairs: Sequence[tuple[Character, Account]]) -> list[Account]:
    """The accounts with how they stand, each by the token of its character; a few queries for all."""
    asked = [(place.key, partial(mark_of, one, place.platform)) for one, place in pairs]
    return [replace(place, standing=known) for (_, place), known in zip(pairs, many(asked), strict=True)]


def sharing(platform: Platform, key: str) -> list[Character]:
    """The characters that post to this account."""
    return [one for one in Character.objects.all() if account(one, platform, any_real=True).key == key]


def platform_of(key: str) -> str:
    """The name of the platform of an account, or of an app, by its key."""
    words = key.split(":")
    return next((name for platform, name in NAMES.items() if str(platform) in words), "X")


def called(key: str) -> str:
    """What people call an account: its platform and the characters that post to it."""
    name = platform_of(key)
    if key.startswith(SANDBOX):
        people = Character.objects.filter(pk=key.rpartition(":")[2])
        return f"{name} of {', '.join(one.name for one in people) or 'nobody'} (sandbox)"
    platforms = [platform for platform in Platform if NAMES[platform] == name]
    people = [one.name for platform in platforms for one in sharing(platform, key)]
    return f"{name} of {', '.join(people)}" if people else name


def require(character: Character, platform: Platform) -> Account:
    """The account to post to. Raises `Conflict` (`no_credentials`)."""
    found = account(character, platform)
    if found.kind == "none":
        raise Conflict(found.note, code="no_credentials")
    return found


def has_credentials(character: Character, platform: Platform) -> bool:
    return _are_set([getattr(character, name) for name in FIELDS[platform]], _environment())


def any_account_is_real() -> bool:
    """Whether any character posts for real: then practising has to be said."""
    if effective.config().sandbox == "on":
        return False
    environment = _environment()
    return any(
        _are_set(values, environment)
        for names in FIELDS.values()
        for practises, *values in Character.objects.values_list("practise_in_sandbox", *names).iterator()
        if not practises and values[0]
    )


def address_of(target: Account) -> str:
    """Where the account's platform is asked; empty: where the token leads."""
    instagram = target.platform is Platform.INSTAGRAM
    if target.sandbox:
        return (endpoints.instagram_sandbox() if instagram else endpoints.x_sandbox()).url
    config = effective.config()
    return str(config.instagram_graph_url if instagram else config.x_api_url)


def mark_of(character: Character, platform: Platform) -> str:
    """Tells the character's token from others; "" where it can't be read."""
    try:
        return marks.mark(token(character, platform))
    except Problem:
        return ""


def app_key(character: Character) -> str:
    """The key of the X app the character posts by, as secret as a token."""
    return credentials.resolve(_stored(character, "twitter_app_key"), _environment())


def token(character: Character, platform: Platform) -> str:
    """What the account is reached with: never store, show or log it. Raises `Conflict`, `Unavailable`."""
    name = "instagram_api_key" if platform is Platform.INSTAGRAM else "twitter_access_token"
    return credentials.resolve(_stored(character, name), _environment())


def publisher(character: Character, target: Account, *, seconds: float | None = None) -> Publisher:
    """The client for an account. Secrets are opened here and live as long as it does.

    `seconds` is how long an answer may take, where it is not to be the client's own limit.
    """
    limit: dict[str, Any] = {} if seconds is None else {"seconds": seconds}
    if target.sandbox:
        return _sandbox_publisher(character, target, limit)
    values = [_stored(character, name) for name in FIELDS[target.platform]]
    config = effective.config()
    if target.platform is Platform.INSTAGRAM:
        account_id, token = values
        return Instagram(
            InstagramCredentials.resolved(account_id, token, _environment()),
            base_url=config.instagram_graph_url,
            api_version=config.instagram_api_version,
            **limit,
        )
    keys = XCredentials.resolved((values[0], values[1], values[2], values[3]), _environment())
    return X(keys, base_url=config.x_api_url, **limit)


PROFILES = {Platform.INSTAGRAM: "https://www.instagram.com/{}/", Platform.X: "https://x.com/{}"}


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


X_POST = re.compile(r"/status(?:es)?/(\d{1,19})(?!\d)")


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
    keys = XCredentials("sandbox", "sandbox", token, "sandbox")
    return X(keys, base_url=place.url, web_url=place.url, **limit)


def _are_set(values: Iterable[Secret | str], environment: Mapping[str, str]) -> bool:
    """Whether there are all keys. Sealed ones need not be opened for that: this is asked of everyone."""
    stored = [_sealed(value) for value in values]
    return all(stored) and all(vault.is_sealed(one) or credentials.is_set(one, environment) for one in stored)


def _sealed(value: Secret | str) -> str:
    return value.stored if isinstance(value, Secret) else value


def _environment() -> Mapping[str, str]:
    """Where named variables are looked up, `.env` included."""
    named: Mapping[str, str] = settings.INFLUENCER.credentials
    return named


def _stored(character: Character, name: str) -> str:
    value = getattr(character, name)
    return value.reveal() if hasattr(value, "reveal") else str(value)


def _real_key(character: Character, platform: Platform) -> str:
    """Tells accounts apart without holding a secret: two characters may share one."""
    if platform is Platform.INSTAGRAM:
        return f"instagram:{credentials.resolve(character.instagram_account_id, _environment())}"
    key = token(character, platform)
    # An OAuth 1.0a access token begins with the account's own id.
    owner = key.partition("-")[0]
    return f"x:{owner if owner.isdigit() else hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _unset_variable(character: Character, platform: Platform) -> str:
    for name in FIELDS[platform]:
        variable = credentials.names_variable(_sealed(getattr(character, name)))
        if variable and not _environment().get(variable, "").strip():
            return f"{variable} names a variable that is not set."
    return ""


def _why_none(character: Character, platform: Platform) -> str:
    name = NAMES[platform]
    if character.practise_in_sandbox and has_credentials(character, platform):
        practising = f"{character.name} practises in the sandbox, which is off."
        return f"{practising} Switch practising off to post to {name}."
    start = f"{character.name} has no {name} account. {_unset_variable(character, platform)}".strip()
    if endpoints.sandbox_allowed():
        return f"{start} Add credentials, or switch on “practise in sandbox” for this character."
    return f"{start} Add credentials to the character."
