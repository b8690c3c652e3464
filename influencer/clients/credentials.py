"""Keys of real accounts: named or plain, resolved only when a client is built for a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from influencer.errors import Conflict, Invalid

PREFIX = "env:"
_VARIABLE = re.compile(r"(INSTAGRAM|TWITTER)_[A-Z0-9_]+")
_ACCOUNT = re.compile(r"[0-9]{1,32}|me")
_KEY = re.compile(r"[!-~]+")


def names_variable(value: str) -> str:
    """The environment variable a stored credential names, bare or as `env:…`; "" for a key itself."""
    name = value.strip().removeprefix(PREFIX)
    return name if _VARIABLE.fullmatch(name) else ""


def check(value: str) -> None:
    """Refuse an `env:` that may not be read. Raises `Invalid`."""
    if value.strip().startswith(PREFIX) and not names_variable(value):
        raise Invalid(
            "After env: only a name that starts with INSTAGRAM_ or TWITTER_ is read "
            "(capitals, digits and underscores).",
            code="variable_refused",
        )


def is_set(value: str, environ: Mapping[str, str]) -> bool:
    """Whether there is a credential at all: a key, or the name of a variable that is set."""
    name = names_variable(value)
    if name:
        return bool(environ.get(name, "").strip())
    return bool(value.strip()) and not value.strip().startswith(PREFIX)


def resolve(value: str, environ: Mapping[str, str]) -> str:
    """The key itself, "" when there is none. Never store, show or log what this returns.

    Raises `Conflict` ("no_credentials") for a variable that is not set, `Invalid` for an `env:`
    that may not be read.
    """
    check(value)
    name = names_variable(value)
    if not name:
        return value.strip()
    key = environ.get(name, "").strip()
    if not key:
        raise Conflict(f"{name} names a variable that is not set.", code="no_credentials")
    return key


@dataclass(frozen=True)
class InstagramCredentials:
    """One professional account and its token. Raises `Conflict` or `Invalid` when unusable."""

    account_id: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require("Instagram", {"account id": self.account_id, "access token": self.token})
        if not _ACCOUNT.fullmatch(self.account_id):
            raise Invalid("An Instagram account id is a number, like 17841400000000000.")

    @classmethod
    def resolved(cls, account_id: str, token: str, environ: Mapping[str, str]) -> InstagramCredentials:
        return cls(resolve(account_id, environ), resolve(token, environ))


@dataclass(frozen=True)
class XCredentials:
    """The four OAuth 1.0a keys of one X account. Raises `Conflict` or `Invalid` when unusable."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        keys = ("app key", "app secret", "access token", "access secret")
        values = (self.app_key, self.app_secret, self.access_token, self.access_secret)
        _require("X", dict(zip(keys, values, strict=True)))

    @classmethod
    def resolved(cls, values: tuple[str, str, str, str], environ: Mapping[str, str]) -> XCredentials:
        """From stored values: app key, app secret, access token, access secret."""
        return cls(*(resolve(value, environ) for value in values))


def _require(service: str, parts: Mapping[str, str]) -> None:
    """Characters beside printable ASCII would end in a header's error message, key included."""
    if missing := [name for name, value in parts.items() if not value]:
        raise Conflict(f"The {service} account has no {' and no '.join(missing)}.", code="no_credentials")
    if odd := [name for name, value in parts.items() if not _KEY.fullmatch(value)]:
        raise Invalid(f"The {service} {odd[0]} holds a character no key has. Copy it again.")
