"""The credentials of a character, opened here and nowhere else: nothing of them is kept or shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings

from characters.models import INSTAGRAM_CREDENTIALS, X_CREDENTIALS, Character
from characters.publishing.accounts import marks
from influencer import vault
from influencer.clients import credentials
from influencer.clients.platform import Platform
from influencer.errors import Problem
from influencer.jsondb import Secret

FIELDS = {Platform.INSTAGRAM: INSTAGRAM_CREDENTIALS, Platform.X: X_CREDENTIALS}


def token(character: Character, platform: Platform) -> str:
    """What the account is reached with: never store, show or log it. Raises `Conflict`, `Unavailable`."""
    name = "instagram_api_key" if platform is Platform.INSTAGRAM else "twitter_access_token"
    return credentials.resolve(stored(character, name), environment())


def app_key(character: Character) -> str:
    """The key of the X app the character posts by, as secret as a token."""
    return credentials.resolve(stored(character, "twitter_app_key"), environment())


def mark_of(character: Character, platform: Platform) -> str:
    """Tells the character's token from others; "" where it can't be read."""
    try:
        return marks.mark(token(character, platform))
    except Problem:
        return ""


def unset_variable(character: Character, platform: Platform) -> str:
    """Says which variable a credential names that is not set; empty when there is none."""
    for name in FIELDS[platform]:
        variable = credentials.names_variable(_sealed(getattr(character, name)))
        if variable and not environment().get(variable, "").strip():
            return f"{variable} names a variable that is not set."
    return ""


def are_set(values: Iterable[Secret | str], environment: Mapping[str, str]) -> bool:
    """Whether there are all keys. Sealed ones need not be opened for that: this is asked of everyone."""
    kept = [_sealed(value) for value in values]
    return all(kept) and all(vault.is_sealed(one) or credentials.is_set(one, environment) for one in kept)


def stored(character: Character, name: str) -> str:
    """A credential as it was typed: the key itself or the name of a variable. Raises `Unavailable`."""
    value = getattr(character, name)
    return value.reveal() if hasattr(value, "reveal") else str(value)


def environment() -> Mapping[str, str]:
    """Where named variables are looked up, `.env` included."""
    named: Mapping[str, str] = settings.INFLUENCER.credentials
    return named


def _sealed(value: Secret | str) -> str:
    return value.stored if isinstance(value, Secret) else value
