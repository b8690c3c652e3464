"""An S3 bucket in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

NAME = "images"
KEYS = {"aws_access_key_id": "KEY", "aws_secret_access_key": "SE/CRET"}


@dataclass(frozen=True)
class S3:
    """The running service; `url` is what `MEDIA_S3_URL` holds for it."""

    url: str
    client: Any

    @property
    def names(self) -> list[str]:
        """The keys of what lies in the bucket."""
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=NAME).get("Contents", [])]


@contextmanager
def s3() -> Iterator[S3]:
    """An empty bucket, gone afterwards."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # What it holds outlives the server.
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **KEYS)
        client.create_bucket(Bucket=NAME)
        yield S3(f"http://KEY:SE%2FCRET@{host}:{port}/{NAME}/posts?region=us-east-1", client)
    finally:
        server.stop()
