"""Content Credentials (C2PA 2): a signed statement inside the JPEG that a model made it.

Optional: `c2pa-python` is installed by `influencer/requirements/c2pa.txt` and imported with the first image.
It is the last step of all: whatever changes the file afterwards breaks the signature.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from influencer.clients.picture import AI_SOURCE
from influencer.errors import Unavailable

CHECK = "Check C2PA_CERT and C2PA_KEY, or unset both."
MANIFEST: dict[str, Any] = {
    "claim_generator_info": [{"name": "Influencer"}],
    "format": "image/jpeg",
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": AI_SOURCE}]},
        }
    ],
}


def sign(jpeg: bytes, *, certificate: str, key: str) -> bytes:
    """The JPEG with a manifest signed by that key; some 27 KB more. Both are names of PEM files.

    Raises `Unavailable` (`not_signed`).
    """
    c2pa = _library()
    chain, secret = _read(certificate), _read(key)
    signed = io.BytesIO()
    try:
        info = c2pa.C2paSignerInfo(_algorithm(secret), chain, secret, None)
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(MANIFEST) as builder:
            builder.sign(signer, "image/jpeg", io.BytesIO(jpeg), signed)
    except (c2pa.C2paError, ValueError, TypeError) as error:
        raise _not_signed("The certificate or its key can't be used.") from error
    return signed.getvalue()


def _library() -> Any:
    try:
        # 53 MB of native code, for those who have a certificate.
        import c2pa  # noqa: PLC0415
    except ImportError as error:
        raise _not_signed("c2pa-python is missing: install influencer/requirements/c2pa.txt.") from error
    return c2pa


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise _not_signed(f"{Path(name).name} can't be read: {error.strerror}.") from error


def _algorithm(secret: bytes) -> bytes:
    """Raises `ValueError` for a key C2PA has no algorithm for."""
    key = serialization.load_pem_private_key(secret, None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: b"es256", 384: b"es384", 521: b"es512"}.get(key.curve.key_size, b"")
    if isinstance(key, rsa.RSAPrivateKey):
        return b"ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    raise ValueError("no C2PA algorithm")


def _not_signed(why: str) -> Unavailable:
    return Unavailable(f"The image can't be signed. {why} {CHECK}", code="not_signed")
