"""What Instagram says about an image address."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from influencer.sandbox.instagram import fetching
from tests.influencer.sandbox_social.conftest import Dashboard, Graph, image_bytes

NOT_FETCHED = (9004, 2207052)


def verdict(graph: Graph, url: str, **fields: str) -> tuple[int, int]:
    answer = graph.post(f"{graph.account}/media", image_url=url, **fields)
    assert answer.status_code == 400, answer.text
    body = answer.json()["error"]
    assert body["is_transient"] is False and body["error_user_title"]
    return body["code"], body["error_subcode"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/m/photo.jpg",
        "http://192.168.0.1/photo.jpg",
        "https://example.com/photo.jpg",
        "file:///etc/passwd",
        "http://127.0.0.1:notaport/x.jpg",
        "ftp://127.0.0.1/x.jpg",
        "photo.jpg",
    ],
)
def test_nothing_is_fetched_but_from_the_dashboard(graph: Graph, dashboard: Dashboard, url: str) -> None:
    assert verdict(graph, url) == NOT_FETCHED
    assert dashboard.asked == []


def test_the_dashboards_address_must_match_to_the_last_part(
    graph: Graph, dashboard: Dashboard, photo: str
) -> None:
    for url in (
        photo.replace("http:", "https:"),
        photo.replace("127.0.0.1", "127.0.0.1.example.com"),
        photo.replace("http://", "http://127.0.0.1@example.com:80/"),
        photo.replace("http://", "http://user:word@"),
        f"{photo}?né",
    ):
        assert verdict(graph, url) == NOT_FETCHED
    assert dashboard.asked == []


def test_localhost_is_the_same_machine(graph: Graph, photo: str) -> None:
    graph.container(photo.replace("127.0.0.1", "localhost"))


def test_a_missing_image_or_a_page_instead_of_one_was_not_fetched(graph: Graph, dashboard: Dashboard) -> None:
    page = dashboard.add("/m/page.jpg", b"<html>log in</html>", "text/html")
    fake = dashboard.add("/m/fake.jpg", b"<html>log in</html>", "image/jpeg")
    cut = dashboard.add("/m/cut.jpg", image_bytes()[:300])

    for url in (f"{dashboard.url}/m/none.jpg", page, fake, cut):
        assert verdict(graph, url) == NOT_FETCHED


def test_a_redirect_is_not_followed(graph: Graph, dashboard: Dashboard, photo: str) -> None:
    dashboard.files["/m/moved.jpg"] = lambda: web.Response(status=302, headers={"Location": photo})

    assert verdict(graph, f"{dashboard.url}/m/moved.jpg") == NOT_FETCHED
    assert dashboard.asked == ["/m/moved.jpg"]


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_only_jpeg_is_taken(graph: Graph, dashboard: Dashboard, image_format: str) -> None:
    url = dashboard.add("/m/other", image_bytes(image_format=image_format), f"image/{image_format.lower()}")
    assert verdict(graph, url) == (36001, 2207005)


@pytest.mark.parametrize(("width", "height"), [(400, 520), (800, 400), (100, 1000)])
def test_an_aspect_outside_the_limits_is_refused(
    graph: Graph, dashboard: Dashboard, width: int, height: int
) -> None:
    url = dashboard.add("/m/odd.jpg", image_bytes(width, height))
    assert verdict(graph, url) == (36003, 2207009)


@pytest.mark.parametrize(("width", "height"), [(1080, 1350), (1080, 1080), (1080, 566)])
def test_the_usual_sizes_fit(graph: Graph, dashboard: Dashboard, width: int, height: int) -> None:
    graph.container(dashboard.add("/m/usual.jpg", image_bytes(width, height)))


def test_a_story_may_be_tall(graph: Graph, dashboard: Dashboard) -> None:
    graph.container(dashboard.add("/m/tall.jpg", image_bytes(90, 160)), media_type="STORIES")


def test_more_than_8_mib_is_too_large(graph: Graph, dashboard: Dashboard) -> None:
    url = dashboard.add("/m/large.jpg", image_bytes() + b"\0" * (8 * 1024 * 1024))
    assert verdict(graph, url) == (36000, 2207004)


def test_a_dashboard_that_does_not_answer_takes_too_long(
    graph: Graph, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.1)

    async def late() -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    dashboard.files["/m/slow.jpg"] = late

    assert verdict(graph, f"{dashboard.url}/m/slow.jpg") == (-2, 2207003)
