"""The only thing the public host answers: a JPEG behind a link that can't be guessed."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from characters.publishing.media import links
from characters.publishing.models import MediaLink, Post
from influencer.errors import NotFound, Unavailable
from tests.characters.stage import drawn

pytestmark = pytest.mark.django_db

JPEG = drawn(kind="JPEG")


@pytest.fixture
def post() -> Post:
    return Post.objects.create(
        key="k", character_id="char_1", platform="instagram", account="a", sandbox=True
    )


@pytest.fixture
def path(post: Post) -> str:
    """The link's path."""
    return "/m/" + links.create(post, JPEG).rpartition("/")[2]


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_an_open_link_gives_the_jpeg_to_anybody_and_sets_no_cookie(path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Length"] == str(len(JPEG))
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


def test_head_is_answered_without_the_picture(path: str) -> None:
    answer = Client().head(path)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"", "image/jpeg")
    assert answer["Content-Length"] == str(len(JPEG))


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, len(JPEG)),
        ("bytes=-5", len(JPEG) - 5, len(JPEG)),
        (f"bytes=5-{len(JPEG) + 100}", 5, len(JPEG)),
        ("bytes=-999999", 0, len(JPEG)),
    ],
)
def test_a_part_is_given_when_it_is_asked_for(path: str, asked: str, start: int, stop: int) -> None:
    answer = get(path, Range=asked)
    assert (answer.status_code, answer.content) == (206, JPEG[start:stop])
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{len(JPEG)}"


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=0-1,4-5", ""])
def test_a_range_that_makes_no_sense_gets_the_whole(path: str, asked: str) -> None:
    answer = get(path, Range=asked)
    assert (answer.status_code, answer.content) == (200, JPEG)


def test_a_range_beyond_the_end_is_416(path: str) -> None:
    answer = get(path, Range=f"bytes={len(JPEG)}-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(JPEG)}")
    assert answer.content == b""


def test_only_reading_is_allowed(path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize("token", ["x", "a/b", "../../db.sqlite3", "a" * 43, "%2e%2e%2fsecret", "A\u00e9"])
def test_a_wrong_token_is_a_bare_404(path: str, token: str) -> None:
    answer = get(f"/m/{token}.jpg")
    assert answer.status_code == 404
    assert answer.content == b"Not found."
    assert not answer.cookies


def test_the_token_itself_is_kept_nowhere(post: Post, path: str, data_dir: Path) -> None:
    token = path[3:-4]
    assert len(token) >= 43
    row = MediaLink.objects.get()
    assert token not in str(vars(row))
    assert not any(token in found.name for found in data_dir.rglob("*"))


def test_each_link_is_another_and_a_new_one_closes_the_old(post: Post, path: str) -> None:
    new = "/m/" + links.create(post, JPEG).rpartition("/")[2]
    assert new != path
    assert (get(path).status_code, get(new).status_code) == (404, 200)


def test_a_closed_link_is_404(post: Post, path: str) -> None:
    links.revoke(post)
    assert get(path).status_code == 404


def test_a_link_ends_after_at_most_a_day(post: Post, path: str) -> None:
    link = MediaLink.objects.get()
    assert link.expires_at - link.created_at <= timedelta(hours=24, seconds=1)
    MediaLink.objects.update(expires_at=timezone.now())
    assert get(path).status_code == 404


def test_a_link_whose_file_is_gone_is_404(post: Post, path: str, data_dir: Path) -> None:
    (data_dir / "media" / MediaLink.objects.get().file).unlink()
    assert get(path).status_code == 404


def test_under_the_public_host_only_links_answer(settings: Any, post: Post) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, public_base_url="https://media.studio.net")
    settings.ALLOWED_HOSTS = ["media.studio.net", "localhost"]
    post.sandbox = False
    url = links.create(post, JPEG)
    assert url.startswith("https://media.studio.net/m/")
    public = Client(headers={"Host": "media.studio.net"})
    assert public.get(url.removeprefix("https://media.studio.net")).content == JPEG
    for closed in (
        "/",
        "/login/",
        "/api/posts",
        "/admin/",
        "/characters/",
        "/static/css/base.css",
        "/healthz",
    ):
        answer = public.get(closed)
        assert (answer.status_code, answer.content) == (404, b"Not found.")
        assert not answer.cookies


def test_a_full_disk_is_said(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Unavailable, match="No space left"):
        links.create(post, JPEG)
    assert not MediaLink.objects.filter(revoked_at=None).exists()


def test_a_trial_link_shows_a_dot_for_a_minute_and_is_kept_nowhere(data_dir: Path, monkeypatch: Any) -> None:
    host, name = links.trial(sandbox=True)
    url = host.put(name, b"", seconds=60)
    path = "/m/" + url.rpartition("/")[2]
    answer = get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as dot:
        assert dot.size == (1, 1)
    assert not MediaLink.objects.exists()
    assert get(path.replace(".jpg", "x.jpg")).status_code == 404
    monkeypatch.setattr(links, "TRIAL_LIFETIME", timedelta(0))
    assert get(path).status_code == 404


def test_all_that_is_not_open_answers_alike(post: Post, path: str) -> None:
    """Whoever tries out addresses learns nothing: not even that one was open once."""
    expired, closed = path, "/m/" + links.create(post, JPEG).rpartition("/")[2]
    MediaLink.objects.update(expires_at=timezone.now())
    links.revoke(post)
    found = [get(one) for one in (expired, closed, "/m/never.jpg", "/m/", "/m/a/b/c.jpg", "/m/.jpg")]
    assert len({(one.status_code, one.content, *sorted(one.items())) for one in found}) == 1


def test_one_question_to_the_database_whatever_is_asked(path: str, django_assert_num_queries: Any) -> None:
    for name in (path.removeprefix("/m/"), "never.jpg"):
        with django_assert_num_queries(1), contextlib.suppress(NotFound):
            links.open_jpeg(name)
