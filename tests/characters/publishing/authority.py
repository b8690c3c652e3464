"""A certificate authority of the tests' own, and a certificate that may sign C2PA manifests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


def certified(folder: Path) -> tuple[str, str]:
    """The files of a fresh chain and its key."""
    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    top = _unsigned("Root", "Root", root).add_extension(x509.BasicConstraints(True, None), critical=True)
    top = top.add_extension(_usage(signs_certificates=True), critical=True)
    mine = _unsigned("Studio", "Root", leaf).add_extension(x509.BasicConstraints(False, None), critical=True)
    mine = mine.add_extension(_usage(signs_certificates=False), critical=True)
    mine = mine.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    mine = mine.add_extension(issuer, critical=False)
    chain = [
        made.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) for made in (mine, top)
    ]
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in (("chain.pem", b"".join(chain)), ("key.pem", key)):
        (folder / name).write_bytes(content)
    return str(folder / "chain.pem"), str(folder / "key.pem")


def _unsigned(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now, public = datetime.now(UTC), key.public_key()
    made = x509.CertificateBuilder(_name(issuer), _name(subject), public, x509.random_serial_number())
    made = made.not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _name(common: str) -> x509.Name:
    pairs = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, "Tests"))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in pairs])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
