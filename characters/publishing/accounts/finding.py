"""Where a character posts: a real account, the sandbox, or nowhere, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from characters.models import Character
from characters.publishing.accounts import keys
from characters.publishing.accounts.account import NAMES, SANDBOX, Account
from characters.publishing.accounts.standing import many
from influencer import effective, endpoints
from influencer.clients import credentials
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Unavailable
from influencer.jsondb import while_unchanged

HANDLES = {Platform.INSTAGRAM: "instagram_handle", Platform.X: "twitter_handle"}


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
    return Account(platform, "sandbox", handle, key, keys.unset_variable(character, platform))


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
    asked = [(place.key, partial(keys.mark_of, one, place.platform)) for one, place in pairs]
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
    return keys.are_set([getattr(character, name) for name in keys.FIELDS[platform]], keys.environment())


def any_account_is_real() -> bool:
    """Whether any character posts for real: then practising has to be said."""
    if effective.config().sandbox == "on":
        return False
    return _any_is_real(keys.environment())


@while_unchanged(Character.Store.file)
def _any_is_real(environment: Mapping[str, str]) -> bool:
    return any(
        keys.are_set(values, environment)
        for names in keys.FIELDS.values()
        for practises, *values in Character.objects.values_list("practise_in_sandbox", *names).iterator()
        if not practises and values[0]
    )


def _real_key(character: Character, platform: Platform) -> str:
    """Tells accounts apart without holding a secret: two characters may share one."""
    if platform is Platform.INSTAGRAM:
        return f"instagram:{credentials.resolve(character.instagram_account_id, keys.environment())}"
    key = keys.token(character, platform)
    # An OAuth 1.0a access token begins with the account's own id.
    owner = key.partition("-")[0]
    return f"x:{owner if owner.isdigit() else hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _why_none(character: Character, platform: Platform) -> str:
    name = NAMES[platform]
    if character.practise_in_sandbox and has_credentials(character, platform):
        practising = f"{character.name} practises in the sandbox, which is off."
        return f"{practising} Switch practising off to post to {name}."
    start = f"{character.name} has no {name} account. {keys.unset_variable(character, platform)}".strip()
    if endpoints.sandbox_allowed():
        return f"{start} Add credentials, or switch on “practise in sandbox” for this character."
    return f"{start} Add credentials to the character."
