"""An S3-compatible bucket that holds the JPEG of a post while its platform fetches it.

Private throughout: each object is reached by a presigned address only (AWS's "Sharing objects with
presigned URLs"; R2, B2 and MinIO take the same). The SDK is imported with the first call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from influencer.clients import network
from influencer.clients.bucket_address import BucketAddress
from influencer.clients.platform import Action, Answer, Call, PlatformError, Rule

log = logging.getLogger(__name__)

SERVICE = "The image bucket"
SECONDS = 10.0
CHECK = "Check MEDIA_S3_URL: key, secret, bucket and region."
NOT_ALLOWED = Rule("bucket_refused", Action.GIVE_UP, "{service} refuses the keys in MEDIA_S3_URL", CHECK)
NOT_THERE = Rule("no_such_bucket", Action.GIVE_UP, "{service} named in MEDIA_S3_URL does not exist", CHECK)
TROUBLED = Rule(
    "bucket_failed", Action.RETRY, "{service} did not take the image", "It is tried again.", tries=3, wait=20
)
REFUSED = Rule("bucket_refused_call", Action.GIVE_UP, "{service} refuses the call", CHECK)
RULES = (NOT_ALLOWED, NOT_THERE, TROUBLED, REFUSED)
BY_CODE = {
    "AccessDenied": NOT_ALLOWED,
    "InvalidAccessKeyId": NOT_ALLOWED,
    "SignatureDoesNotMatch": NOT_ALLOWED,
    "NoSuchBucket": NOT_THERE,
    "SlowDown": TROUBLED,
}


class Bucket:
    """One bucket. Every call raises `PlatformError`."""

    def __init__(self, address: BucketAddress, *, seconds: float = SECONDS) -> None:
        self._address = address
        self._seconds = seconds

    def put(self, name: str, jpeg: bytes, *, seconds: int) -> str:
        """Keep the JPEG; the address under which it can be fetched for so many seconds."""
        place = self._place(name)
        with self._calling("put"):
            self._client.put_object(**place, Body=jpeg, ContentType="image/jpeg", CacheControl="no-store")
            url: str = self._client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)
        return url

    def remove(self, name: str) -> None:
        """Take the object away; one that is not there is no error."""
        with self._calling("remove"):
            self._client.delete_object(**self._place(name))

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._address.bucket, "Key": self._address.prefix + name}

    @contextmanager
    def _calling(self, name: str) -> Iterator[None]:
        """Logs the call; botocore's errors become ours."""
        call, started = Call(SERVICE, name, seconds=self._seconds), time.monotonic()
        errors = self._client_errors
        try:
            yield
        except errors as error:
            failure = _failure(error, call)
            network.log_call(log, call, started, failure.code)
            raise failure from error
        network.log_call(log, call, started, "ok")

    @cached_property
    def _client_errors(self) -> tuple[type[Exception], ...]:
        from botocore import exceptions  # noqa: PLC0415

        return exceptions.BotoCoreError, exceptions.ClientError

    @cached_property
    def _client(self) -> Any:
        # 0.5 s to import and 30 MB, for those who have a bucket.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        session = boto3.session.Session(
            aws_access_key_id=self._address.key,
            aws_secret_access_key=self._address.secret,
            region_name=self._address.region,
        )
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=self._seconds,
            read_timeout=self._seconds,
            retries={"total_max_attempts": 2},
            # Providers beside Amazon don't know its newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
        )
        return session.client("s3", endpoint_url=self._address.endpoint, config=config)


def _failure(error: Exception, call: Call) -> PlatformError:
    answer: dict[str, Any] = getattr(error, "response", {})
    if not answer:
        return PlatformError(network.UNREACHABLE, call)
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    code = str(answer.get("Error", {}).get("Code", ""))
    rule = BY_CODE.get(code) or (TROUBLED if status >= 500 else REFUSED)
    return PlatformError(rule, call, Answer(status or None, said=network.harmless(code)))
