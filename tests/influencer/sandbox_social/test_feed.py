"""The feed pages: what was posted can be looked at, and nothing in it runs."""

from __future__ import annotations

import pytest

from influencer.sandbox.feed.pages import ago
from tests.influencer.sandbox_social.conftest import Box, Graph, Tweeter, image_bytes

NASTY = "<script>alert(1)</script> & \"quoted\" 'single' $body ${text}"


def published(graph: Graph, url: str, **fields: str) -> str:
    container = graph.container(url, **fields)
    graph.box.advance(5)
    media = graph.publish(container).json()["id"]
    return graph.get(media, fields="permalink").json()["permalink"].removeprefix(graph.box.url)


@pytest.mark.parametrize("service", ["instagram", "x"])
def test_an_empty_feed_says_what_to_do_and_links_to_the_other(box: Box, service: str) -> None:
    page = box.page(f"/{service}/feed/")

    assert page.status_code == 200
    assert "No posts on" in page.text and "press Post" in page.text
    assert 'href="/instagram/feed/"' in page.text and 'href="/x/feed/"' in page.text
    assert "Sandbox" in page.text
    assert f'href="{box.settings.app_url}/"' in page.text


@pytest.mark.parametrize("path", ["/instagram/", "/instagram/feed", "/x/", "/x/feed"])
def test_short_addresses_lead_to_the_feed(box: Box, path: str) -> None:
    page = box.page(path)
    assert page.url.endswith("/feed/") and page.status_code == 200


@pytest.mark.parametrize("service", ["instagram", "x"])
def test_pages_forbid_everything_but_their_own_style_and_images(box: Box, service: str) -> None:
    page = box.page(f"/{service}/feed/")

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text and "style=" not in page.text
    assert box.page(f"/{service}/feed/feed.css").headers["Content-Type"].startswith("text/css")


def test_everything_in_an_instagram_post_is_escaped(box: Box, graph: Graph, photo: str) -> None:
    link = published(graph, photo, caption=NASTY, alt_text=f'" onerror="x {NASTY}')

    for path in (link, "/instagram/feed/"):
        page = box.page(path).text
        assert "<script>" not in page and 'onerror="x' not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot;" in page
        assert "$body ${text}" in page


def test_everything_in_an_x_post_is_escaped(box: Box, tweeter: Tweeter) -> None:
    post_id = tweeter.tweet(NASTY).json()["data"]["id"]

    for path in (f"/x/anyone/status/{post_id}", "/x/feed/"):
        page = box.page(path).text
        assert "<script>" not in page and "&lt;script&gt;" in page


def test_the_feed_shows_image_account_label_alt_text_and_time(box: Box, photo: str) -> None:
    graph = Graph(box, token="IGAA-SANDBOX-luna_mystic")
    link = published(graph, photo, caption="Hello", alt_text="A square", is_ai_generated="true")

    page = box.page("/instagram/feed/").text
    assert "luna_mystic" in page and "AI info" in page and "A square" in page
    assert f'href="{link}"' in page and "<time datetime=" in page
    picture = box.posts("instagram")["posts"][0]["pictures"][0]["file"]
    assert f'src="/instagram/images/{picture}"' in page
    image = box.page(f"/instagram/images/{picture}")
    assert image.content == image_bytes() and image.headers["X-Content-Type-Options"] == "nosniff"


def test_a_post_without_the_label_shows_none(box: Box, tweeter: Tweeter) -> None:
    tweeter.tweet("by hand")
    assert "Made with AI" not in box.page("/x/feed/").text


def test_posts_are_newest_first_and_older_ones_on_the_next_page(box: Box, tweeter: Tweeter) -> None:
    for number in range(26):
        tweeter.tweet(f"post number {number:02d}")

    first = box.page("/x/feed/").text
    assert first.index("number 25") < first.index("number 02")
    assert "number 01" not in first and "Older" in first
    older = first.split('href="?before=')[1].split('"')[0]
    second = box.page(f"/x/feed/?before={older}").text
    assert "number 01" in second and "number 02" not in second and "Newest" in second


@pytest.mark.parametrize(
    "path",
    [
        "/instagram/p/AAAAAAAAAAA/",
        "/x/luna/status/1",
        "/instagram/images/..%2fsocial.sqlite3",
        "/x/images/a.jpg",
    ],
)
def test_what_is_not_there_is_not_found(box: Box, path: str) -> None:
    assert box.page(path).status_code in {400, 404}


def test_a_strange_page_number_is_the_first_page(box: Box, tweeter: Tweeter) -> None:
    tweeter.tweet("here")
    for before in ("x", "-1", "9" * 40, "²"):
        assert "here" in box.page(f"/x/feed/?before={before}").text


def test_a_foreign_host_does_not_see_the_feed(box: Box) -> None:
    import requests

    headers = {"Host": "evil.example"}
    assert requests.get(f"{box.url}/x/feed/", headers=headers, timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (42, "42 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (3 * 86_400, "3 d ago")],
)
def test_times_are_told_in_words(seconds: float, words: str) -> None:
    assert ago(seconds) == words
