"""Secrets at rest: sealed with a key derived from the master key, opened only to be used."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from influencer.errors import Unavailable

PREFIX = "sealed:v1:"


def derive(master_key: str, purpose: str) -> bytes:
    """32 bytes for one purpose; knowing one purpose's key tells nothing of another's."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=b"influencer", info=purpose.encode())
    return kdf.derive(master_key.encode())


def seal(plain: str) -> str:
    """Encrypt a secret. A sealed one comes back unchanged, an empty one stays empty."""
    if not plain or is_sealed(plain):
        return plain
    return PREFIX + _box().encrypt(plain.encode()).decode()


def unseal(stored: str) -> str:
    """The secret itself. Plain text (a file edited by hand) is taken as it is.

    Raises `Unavailable` (`wrong_key`) when the key that sealed it is not at hand.
    """
    if not is_sealed(stored):
        return stored
    try:
        return _box().decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise Unavailable(
            "A stored credential was sealed with another key. Put the old key into "
            "INFLUENCER_OLD_SECRET_KEYS, or enter the credential again.",
            code="wrong_key",
        ) from error


def is_sealed(stored: str) -> bool:
    return stored.startswith(PREFIX)


def _box() -> MultiFernet:
    config = settings.INFLUENCER
    return _boxes((config.master_key, *config.old_master_keys))


@lru_cache(maxsize=4)
def _boxes(master_keys: tuple[str, ...]) -> MultiFernet:
    keys = [base64.urlsafe_b64encode(derive(key, "secrets at rest")) for key in master_keys]
    return MultiFernet([Fernet(key) for key in keys])
