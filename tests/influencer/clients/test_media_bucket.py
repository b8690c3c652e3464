"""The bucket: what is kept, how it is reached, what is said when it does not take it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from influencer.clients.bucket_address import BucketAddress
from influencer.clients.media_bucket import Bucket
from influencer.clients.platform import Action, PlatformError
from tests.characters.publishing.bucket import S3, s3
from tests.running import free_port


@pytest.fixture(scope="module")
def service() -> Iterator[S3]:
    with s3() as found:
        yield found


def bucket(service: S3, **changed: str) -> Bucket:
    url = service.url
    for old, new in changed.items():
        url = url.replace(old, new)
    return Bucket(BucketAddress.parse(url), seconds=5)


# --- the address -----------------------------------------------------------------------------


def test_one_address_says_everything() -> None:
    found = BucketAddress.parse(
        "https://KEY:SE%2FCRET@s3.eu-west-1.amazonaws.com/images/a/b?region=eu-west-1"
    )
    assert (found.endpoint, found.bucket, found.prefix) == (
        "https://s3.eu-west-1.amazonaws.com",
        "images",
        "a/b/",
    )
    assert (found.region, found.key, found.secret) == ("eu-west-1", "KEY", "SE/CRET")
    assert "CRET" not in repr(found)


def test_without_a_prefix_and_region_it_is_the_provider_s_own() -> None:
    found = BucketAddress.parse("http://KEY:SECRET@127.0.0.1:9000/images/")
    assert (found.endpoint, found.prefix, found.region) == ("http://127.0.0.1:9000", "", "auto")


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.example.org/images",
        "https://KEY@s3.example.org/images",
        "https://KEY:SECRET@s3.example.org",
        "s3://KEY:SECRET@s3.example.org/images",
        "https://KEY:SECRET@s3.example.org:port/images",
        "nonsense",
    ],
)
def test_one_that_can_not_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        BucketAddress.parse(url)
    assert "SECRET@s3" not in str(caught.value)


# --- what is kept ----------------------------------------------------------------------------


def test_an_object_is_reached_by_its_signed_address_alone(service: S3) -> None:
    url = bucket(service).put("a.jpg", b"a jpeg", seconds=60)
    whole = requests.get(url, timeout=10)
    assert (whole.content, whole.headers["Content-Type"]) == (b"a jpeg", "image/jpeg")
    assert "X-Amz-Signature" in url and "X-Amz-Expires=60" in url
    assert requests.head(bucket(service).put("a.jpg", b"x", seconds=60), timeout=10).status_code in {200, 403}
    part = requests.get(url, timeout=10, headers={"Range": "bytes=0-0"})
    assert (part.status_code, part.content) == (206, b"x")


def test_what_is_removed_is_gone_and_may_be_removed_again(service: S3) -> None:
    place = bucket(service)
    url = place.put("b.jpg", b"a jpeg", seconds=60)
    place.remove("b.jpg")
    place.remove("b.jpg")
    assert requests.get(url, timeout=10).status_code == 404


def test_the_address_is_good_for_as_long_as_a_container_lives(service: S3) -> None:
    day = int(timedelta(hours=24).total_seconds())
    assert f"X-Amz-Expires={day}" in bucket(service).put("c.jpg", b"x", seconds=day)


# --- what goes wrong -------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_named_with_the_setting(service: S3) -> None:
    with pytest.raises(PlatformError) as caught:
        bucket(service, images="other").put("a.jpg", b"x", seconds=60)
    assert (caught.value.code, caught.value.action) == ("no_such_bucket", Action.GIVE_UP)
    assert "MEDIA_S3_URL" in caught.value.fix
    assert caught.value.http_status == 404


def test_one_that_can_not_be_reached_may_be_tried_again() -> None:
    away = BucketAddress.parse(f"http://KEY:SECRET@127.0.0.1:{free_port()}/images")
    with pytest.raises(PlatformError) as caught:
        Bucket(away, seconds=1).put("a.jpg", b"x", seconds=60)
    assert (caught.value.code, caught.value.retryable) == ("unreachable", True)
    assert "The image bucket can't be reached" in caught.value.message


def test_each_call_is_one_line_without_keys_or_address(service: S3, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "influencer")
    url = bucket(service).put("d.jpg", b"x", seconds=60)
    assert "The image bucket put: ok" in caplog.text
    assert url not in caplog.text and "CRET" not in caplog.text


def test_the_sdk_is_imported_by_nobody_who_has_no_bucket() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'influencer.settings';"
        "import django; django.setup(); import influencer.urls, characters.publishing.running;"
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
