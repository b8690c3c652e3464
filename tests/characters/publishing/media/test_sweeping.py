"""What a link led to is taken away once nobody may fetch it any more: here, and in the bucket."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from characters.publishing.media import links, sweeping
from characters.publishing.models import MediaLink, Post
from influencer.clients.platform import PlatformError
from influencer.jobs import clock
from tests.characters.publishing.bucket import S3, s3
from tests.running import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(settings: Any) -> Iterator[S3]:
    with s3() as found:
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, media_s3_url=found.url)
        yield found


def post(*, sandbox: bool = False) -> Post:
    key = str(Post.objects.count())
    return Post.objects.create(
        key=key, character_id="char_1", platform="instagram", account="a", sandbox=sandbox
    )


def files(data_dir: Path) -> list[Path]:
    return list((data_dir / "media").rglob("*.jpg"))


# --- in the bucket ---------------------------------------------------------------------------


def test_a_real_post_s_jpeg_goes_to_the_bucket_and_is_gone_after_the_sweep(
    bucket: S3, data_dir: Path
) -> None:
    made = post()
    url = links.create(made, b"a jpeg")
    answer = requests.get(url, timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (b"a jpeg", "image/jpeg")
    assert url.isascii()
    assert (len(bucket.names), files(data_dir)) == (1, [])
    links.revoke(made)
    assert sweeping.sweep(made) == 1
    assert bucket.names == []
    assert requests.get(url, timeout=10).status_code == 404


def test_the_sandbox_s_stays_on_this_machine(bucket: S3, data_dir: Path) -> None:
    assert links.create(post(sandbox=True), b"a jpeg").startswith("http://127.0.0.1")
    assert (bucket.names, len(files(data_dir))) == ([], 1)


def test_a_link_to_the_bucket_does_not_open_here(bucket: S3) -> None:
    links.create(post(), b"a jpeg")
    link = MediaLink.objects.get()
    assert link.host == "s3"
    assert link.file not in bucket.names  # a prefix stands before it
    assert bucket.names == [f"posts/{link.file}"]


def test_what_can_t_be_taken_away_is_tried_again(
    bucket: S3, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made, there = post(), settings.INFLUENCER
    links.create(made, b"a jpeg")
    links.revoke(made)
    away = f"http://KEY:SE%2FCRET@127.0.0.1:{free_port()}/images"
    settings.INFLUENCER = dataclasses.replace(there, media_s3_url=away)
    assert sweeping.sweep() == 0
    assert "could not be taken away" in caplog.text
    assert "SE/CRET" not in caplog.text and "SE%2FCRET" not in caplog.text
    settings.INFLUENCER = there
    assert sweeping.sweep() == 1
    assert bucket.names == []


def test_a_bucket_that_was_unset_meanwhile_harms_nobody(bucket: S3, settings: Any) -> None:
    made = post()
    links.create(made, b"a jpeg")
    links.revoke(made)
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, media_s3_url="")
    assert sweeping.sweep() == 0
    assert MediaLink.objects.get().file


def test_a_bucket_that_gives_nothing_up_keeps_no_own_file_here(
    bucket: S3, settings: Any, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 1)
    kept, own = post(), post(sandbox=True)
    links.create(kept, b"a jpeg")
    links.create(own, b"a jpeg")
    MediaLink.objects.filter(post=kept).update(token_hash="0" * 64)  # it stands first
    MediaLink.objects.update(revoked_at=timezone.now())
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, media_s3_url="")
    assert sweeping.sweep() == 1
    assert files(data_dir) == []


def test_a_bucket_that_refuses_leaves_no_open_link(bucket: S3, settings: Any) -> None:
    wrong = bucket.url.replace("/images/", "/other/")
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, media_s3_url=wrong)
    with pytest.raises(PlatformError) as caught:
        links.create(post(), b"a jpeg")
    assert caught.value.code == "no_such_bucket"
    assert "MEDIA_S3_URL" in caught.value.sentence
    assert not MediaLink.objects.filter(revoked_at=None).exists()


# --- here ------------------------------------------------------------------------------------


def test_an_own_link_s_file_goes_once_the_link_is_closed_or_over(data_dir: Path) -> None:
    closed, over, still = post(), post(), post()
    for one in (closed, over, still):
        links.create(one, b"a jpeg")
    links.revoke(closed)
    MediaLink.objects.filter(post=over).update(expires_at=timezone.now())
    assert sweeping.sweep() == 2
    assert [file.name for file in files(data_dir)] == [Path(MediaLink.objects.get(post=still).file).name]
    assert sweeping.sweep() == 0


def test_a_new_link_s_file_outlives_the_old_one_s(data_dir: Path) -> None:
    made = post()
    links.create(made, b"old")
    links.create(made, b"new")
    assert sweeping.sweep(made) == 1
    assert [file.read_bytes() for file in files(data_dir)] == [b"new"]


@pytest.mark.django_db(transaction=True)
def test_the_clock_sweeps_and_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    assert any(turn.name == "tick" and turn.every == sweeping.EVERY for turn in clock._ticks)
    links.revoke(made := post())
    links.create(made, b"a jpeg")
    links.revoke(made)
    going = threading.Event()
    real = sweeping.sweep
    monkeypatch.setattr(sweeping, "sweep", lambda: going.wait(10) and real())
    sweeping.tick(timezone.now())
    [thread] = [one for one in threading.enumerate() if one.name == "links"]
    assert files(data_dir)
    sweeping.tick(timezone.now())
    assert [one.name for one in threading.enumerate()].count("links") == 1
    going.set()
    thread.join(10)
    assert not files(data_dir)


def test_when_there_is_nothing_to_do_no_thread_is_started() -> None:
    sweeping.tick(timezone.now())
    assert "links" not in [one.name for one in threading.enumerate()]
