"""A link that proves that a public address leads here: signed, good for a minute, under any host name."""

from __future__ import annotations

import secrets

from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import salted_hmac

SECONDS = 60
PATH = "/m/trial/"
PURPOSE = "influencer.web.link_trial"


def make(base_url: str) -> tuple[str, str]:
    """A new link below the address, and what only this product answers there."""
    token = secrets.token_urlsafe(16)
    return f"{base_url}{PATH}{TimestampSigner(salt=PURPOSE).sign(token)}", _proof(token)


def answer(path: str) -> str:
    """The answer to a link of our own; empty for every other path."""
    if not path.startswith(PATH):
        return ""
    try:
        return _proof(TimestampSigner(salt=PURPOSE).unsign(path.removeprefix(PATH), max_age=SECONDS))
    except BadSignature:
        return ""


def _proof(token: str) -> str:
    return salted_hmac(PURPOSE, token, algorithm="sha256").hexdigest()
