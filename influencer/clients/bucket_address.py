"""`MEDIA_S3_URL`: which bucket, and the keys to it, in one address."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

SHAPE = "https://KEY:SECRET@HOST/BUCKET, with ?region=… where the provider has regions"


@dataclass(frozen=True)
class BucketAddress:
    """A bucket of an S3-compatible provider. `prefix` stands before every key, with its slash."""

    endpoint: str
    bucket: str
    prefix: str
    region: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> BucketAddress:
        """Raises `ValueError`, which repeats nothing of the address: it holds a secret."""
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        bucket, _, prefix = parts.path.strip("/").partition("/")
        if parts.scheme not in {"http", "https"} or not (
            host and bucket and parts.username and parts.password
        ):
            raise ValueError(SHAPE)
        place = f"[{host}]" if ":" in host else host
        return cls(
            endpoint=f"{parts.scheme}://{place}{f':{port}' if port else ''}",
            bucket=bucket,
            prefix=f"{prefix}/" if prefix else "",
            region=parse_qs(parts.query).get("region", ["auto"])[0],
            key=unquote(parts.username),
            secret=unquote(parts.password),
        )
