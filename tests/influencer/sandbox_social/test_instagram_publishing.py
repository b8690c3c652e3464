"""Instagram's way from an image address to a post, over real HTTP."""

from __future__ import annotations

import json
import time

import pytest
import requests

from tests.influencer.sandbox_social.conftest import TIMEOUT, Box, Dashboard, Graph


def ready(graph: Graph, container: str) -> str:
    deadline = time.monotonic() + TIMEOUT
    while (status := graph.status(container)) == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.005)
    return status


def post(graph: Graph, url: str, caption: str = "", **fields: object) -> str:
    container = graph.container(url, caption=caption, **fields)
    assert ready(graph, container) == "FINISHED"
    answer = graph.publish(container)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def error(answer: requests.Response) -> tuple[int, int | None]:
    body = answer.json()["error"]
    assert body["type"] == "OAuthException"
    assert body["fbtrace_id"]
    return body["code"], body.get("error_subcode")


def test_an_image_goes_through_container_and_publish_to_a_page_that_opens(graph: Graph, photo: str) -> None:
    media = post(graph, photo, "Hello #crystal", is_ai_generated="true", alt_text="A teal square")

    found = graph.get(
        media, fields="id,caption,permalink,shortcode,timestamp,media_type,media_product_type,alt_text"
    ).json()

    assert found["id"] == media and media.isdigit() and len(media) == 17
    assert found["caption"] == "Hello #crystal"
    assert found["media_type"] == "IMAGE" and found["media_product_type"] == "FEED"
    assert found["permalink"].endswith(f"/instagram/p/{found['shortcode']}/")
    page = requests.get(found["permalink"], timeout=TIMEOUT)
    assert page.status_code == 200
    assert "Hello #crystal" in page.text and "AI info" in page.text and "A teal square" in page.text


def test_a_container_is_in_progress_then_finished_then_published(box: Box, graph: Graph, photo: str) -> None:
    box.set_limits(instagram_ready_seconds=1_000_000)
    container = graph.container(photo)

    assert graph.get(container, fields="status_code,status").json() == {
        "status_code": "IN_PROGRESS",
        "status": "In Progress: Media is still being processed.",
        "id": container,
    }
    assert error(graph.publish(container)) == (9007, 2207027)
    box.advance(2000)
    assert graph.status(container) == "FINISHED"
    assert graph.publish(container).status_code == 200
    assert graph.status(container) == "PUBLISHED"


def test_a_container_can_be_published_only_once(box: Box, graph: Graph, photo: str) -> None:
    container = graph.container(photo, caption="once")
    ready(graph, container)
    graph.publish(container)

    assert error(graph.publish(container)) == (24, 2207008)
    found = box.posts("instagram", "once")
    assert len(found["posts"]) == 1
    assert found["calls"][0]["count"] == 2


def test_a_container_expires_after_a_day(box: Box, graph: Graph, photo: str) -> None:
    container = graph.container(photo)
    box.advance(86_401)

    assert graph.status(container) == "EXPIRED"
    assert error(graph.publish(container)) == (24, 2207008)


def test_another_accounts_container_is_not_there(box: Box, graph: Graph, photo: str) -> None:
    container = graph.container(photo)
    other = Graph(box, token="IGAA-other", account="17841400000000002")

    assert error(other.get(container)) == (100, 33)
    assert error(other.publish(container)) == (24, 2207008)


def test_the_quota_counts_published_posts_of_the_last_day(box: Box, graph: Graph, photo: str) -> None:
    box.set_limits(instagram_quota=2)
    post(graph, photo, "one")
    post(graph, photo, "two")
    third = graph.container(photo, caption="three")
    ready(graph, third)

    assert graph.get(f"{graph.account}/content_publishing_limit").json() == {"data": [{"quota_usage": 2}]}
    full = graph.get(f"{graph.account}/content_publishing_limit", fields="quota_usage,config").json()
    assert full == {"data": [{"quota_usage": 2, "config": {"quota_total": 2, "quota_duration": 86400}}]}
    assert error(graph.publish(third)) == (9, 2207042)
    assert len(box.posts("instagram")["posts"]) == 2


def test_an_old_post_no_longer_counts_against_the_quota(box: Box, graph: Graph, photo: str) -> None:
    box.set_limits(instagram_quota=1)
    post(graph, photo, "yesterday")
    box.advance(86_401)

    post(graph, photo, "today")


def test_a_carousel_is_one_post_with_its_childrens_images(box: Box, graph: Graph, photo: str) -> None:
    children = [graph.container(photo, is_carousel_item="true", alt_text=f"part {n}") for n in (1, 2)]
    for child in children:
        ready(graph, child)
    answer = graph.post(
        f"{graph.account}/media", media_type="CAROUSEL", children=",".join(children), is_ai_generated="true"
    )
    parent = answer.json()["id"]
    ready(graph, parent)
    media = graph.publish(parent).json()["id"]

    assert graph.get(media, fields="media_type").json()["media_type"] == "CAROUSEL_ALBUM"
    shown = box.posts("instagram")["posts"]
    assert [picture["alt"] for picture in shown[0]["pictures"]] == ["part 1", "part 2"]
    assert shown[0]["ai_label"] is True


def test_a_carousel_needs_two_to_ten_items_that_are_children(graph: Graph, photo: str) -> None:
    single = graph.container(photo)
    media = f"{graph.account}/media"

    assert error(graph.post(media, media_type="CAROUSEL", children=single)) == (100, 2207028)
    assert error(graph.post(media, media_type="CAROUSEL", children=f"{single},{single}")) == (100, None)


def test_a_child_takes_neither_caption_nor_ai_label(graph: Graph, photo: str) -> None:
    for field in ({"is_ai_generated": "true"}, {"caption": "no"}):
        answer = graph.post(f"{graph.account}/media", image_url=photo, is_carousel_item="true", **field)
        assert error(answer) == (100, None)


def test_the_account_lists_its_media_newest_first_in_pages(graph: Graph, photo: str) -> None:
    ids = [post(graph, photo, f"number {n}") for n in range(3)]

    first = graph.get(f"{graph.account}/media", fields="id,caption", limit=2).json()
    assert [item["id"] for item in first["data"]] == [ids[2], ids[1]]
    assert first["data"][0]["caption"] == "number 2"
    after = first["paging"]["cursors"]["after"]
    second = graph.get(f"{graph.account}/media", limit=2, after=after).json()
    assert [item["id"] for item in second["data"]] == [ids[0]]
    assert "next" not in second["paging"]


def test_posts_containers_and_quota_survive_a_restart(box: Box, graph: Graph, photo: str) -> None:
    media = post(graph, photo, "kept")
    waiting = graph.container(photo, caption="waiting")
    box.restart()

    assert graph.get(media, fields="caption").json()["caption"] == "kept"
    assert graph.publish(waiting).status_code == 200
    usage = graph.get(f"{graph.account}/content_publishing_limit").json()["data"][0]["quota_usage"]
    assert usage == 2
    picture = box.posts("instagram", "kept")["posts"][0]["pictures"][0]["file"]
    assert box.page(f"/instagram/images/{picture}").headers["Content-Type"] == "image/jpeg"


def test_parameters_may_come_as_json_or_in_the_query(box: Box, graph: Graph, photo: str) -> None:
    url = f"{box.url}/instagram/{graph.account}/media"
    body = {"image_url": photo, "is_ai_generated": True, "access_token": graph.token}

    as_json = requests.post(url, json=body, timeout=TIMEOUT)
    in_query = requests.post(
        url, params={"image_url": photo, "access_token": graph.token, "caption": "#1"}, timeout=TIMEOUT
    )

    assert as_json.status_code == in_query.status_code == 200


def test_a_body_that_is_no_json_object_is_refused(box: Box, graph: Graph) -> None:
    headers = {"Authorization": f"Bearer {graph.token}", "Content-Type": "application/json"}
    for body in (b"[1]", b"{", b"\xff"):
        answer = requests.post(
            f"{box.url}/instagram/{graph.account}/media", data=body, headers=headers, timeout=TIMEOUT
        )
        assert error(answer) == (100, None)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("x" * 2201, (36004, 2207010)),
        (" ".join(f"#tag{n}" for n in range(31)), (36004, 2207010)),
        (" ".join(f"@name{n}" for n in range(21)), (100, 2207040)),
    ],
)
def test_a_caption_beyond_the_limits_is_refused(
    graph: Graph, photo: str, caption: str, expected: tuple[int, int]
) -> None:
    assert error(graph.post(f"{graph.account}/media", image_url=photo, caption=caption)) == expected


def test_a_caption_at_the_limits_is_taken(graph: Graph, photo: str) -> None:
    tags = " ".join(f"#t{n}" for n in range(30)) + " " + " ".join(f"@n{n}" for n in range(20))
    graph.container(photo, caption=tags.ljust(2200, "x"))


@pytest.mark.parametrize(
    "fields",
    [
        {"alt_text": "x" * 1001},
        {"is_ai_generated": "maybe"},
        {"is_ai_genrated": "true"},
        {"collaborators": "a,b,c,d"},
        {"user_tags": "[not json"},
    ],
)
def test_a_parameter_that_is_wrong_or_misspelt_is_refused(
    graph: Graph, photo: str, fields: dict[str, str]
) -> None:
    assert error(graph.post(f"{graph.account}/media", image_url=photo, **fields)) == (100, None)


def test_half_a_surrogate_pair_is_refused_and_not_stored(box: Box, graph: Graph, photo: str) -> None:
    body = json.dumps({"image_url": photo, "caption": "\ud800"})
    headers = {"Authorization": f"Bearer {graph.token}", "Content-Type": "application/json"}
    answer = requests.post(
        f"{box.url}/instagram/{graph.account}/media", data=body, headers=headers, timeout=TIMEOUT
    )
    assert error(answer) == (100, None)


def test_a_video_is_no_known_media_type(graph: Graph, photo: str) -> None:
    answer = graph.post(f"{graph.account}/media", media_type="REELS", image_url=photo)
    assert error(answer) == (100, 2207023)


def test_publishing_without_or_with_an_unknown_container_is_refused(graph: Graph) -> None:
    assert error(graph.post(f"{graph.account}/media_publish")) == (100, None)
    assert error(graph.publish("17880000000000000")) == (24, 2207008)
    assert error(graph.publish("nothing né")) == (24, 2207008)


def test_images_are_asked_of_the_dashboard_exactly_once(
    graph: Graph, photo: str, dashboard: Dashboard
) -> None:
    post(graph, photo)
    assert dashboard.asked == ["/m/photo.jpg"]
