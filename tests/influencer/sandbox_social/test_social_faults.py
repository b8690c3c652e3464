"""Ordered faults: each comes before or after the effect it names, once."""

from __future__ import annotations

import pytest
import requests

from tests.influencer.sandbox_social.conftest import Box, Graph, Tweeter

LOST = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def container(graph: Graph, photo: str) -> str:
    container = graph.container(photo, caption="a caption")
    graph.box.advance(10)
    return container


def count(box: Box, service: str) -> int:
    return len(box.posts(service)["posts"])


def test_an_error_before_publishing_leaves_nothing(box: Box, graph: Graph, container: str) -> None:
    box.order("instagram", "error_before")

    answer = graph.publish(container)
    assert answer.status_code == 500
    assert answer.json()["error"]["is_transient"] is True
    assert count(box, "instagram") == 0
    assert graph.publish(container).status_code == 200


def test_an_error_after_publishing_leaves_the_post(box: Box, graph: Graph, container: str) -> None:
    box.order("instagram", "error_after", status=503)

    assert graph.publish(container).status_code == 503
    assert count(box, "instagram") == 1
    assert graph.status(container) == "PUBLISHED"


@pytest.mark.parametrize(("moment", "posts"), [("before", 0), ("after", 1)])
def test_a_publish_call_that_hangs_may_have_posted(
    box: Box, graph: Graph, container: str, moment: str, posts: int
) -> None:
    box.order("instagram", f"timeout_{moment}")

    with pytest.raises(requests.Timeout):
        graph.publish(container, timeout=0.3)
    assert count(box, "instagram") == posts


@pytest.mark.parametrize(("moment", "posts"), [("before", 0), ("after", 1)])
def test_a_publish_call_that_is_cut_off_may_have_posted(
    box: Box, graph: Graph, container: str, moment: str, posts: int
) -> None:
    box.order("instagram", f"reset_{moment}")

    with pytest.raises(LOST):
        graph.publish(container)
    assert count(box, "instagram") == posts
    assert box.posts("instagram", "a caption")["calls"][0]["count"] == 1


def test_a_fault_can_be_ordered_for_one_call(box: Box, graph: Graph, photo: str) -> None:
    box.order("instagram", "container.error_after")
    box.order("instagram", "status.html")

    assert graph.post(f"{graph.account}/media", image_url=photo).status_code == 500
    container = graph.container(photo)
    page = graph.get(container)
    assert page.status_code == 502 and page.headers["Content-Type"].startswith("text/html")
    assert graph.get(container).status_code == 200


def test_an_after_fault_waits_for_a_call_that_succeeds(box: Box, graph: Graph, container: str) -> None:
    box.order("instagram", "error_after")

    assert graph.publish("17880000000000000").status_code == 400
    assert graph.publish(container).status_code == 500


def test_a_container_can_stay_unready_or_fail(box: Box, graph: Graph, photo: str) -> None:
    box.order("instagram", "never_ready")
    stuck = graph.container(photo)
    box.order("instagram", "container_error", subcode=2207076)
    failed = graph.container(photo)
    box.advance(3600)

    assert graph.status(stuck) == "IN_PROGRESS"
    found = graph.get(failed, fields="status_code,status").json()
    assert found["status_code"] == "ERROR"
    assert found["status"] == "Error: Media upload has failed with error code 2207076"


@pytest.mark.parametrize(
    ("name", "code", "subcode"),
    [
        ("token_expired", 190, 463),
        ("token_revoked", 190, 458),
        ("rate", 4, None),
        ("restricted", 25, 2207050),
        ("quota", 9, 2207042),
        ("spam", 4, 2207051),
    ],
)
def test_publishing_can_be_refused(
    box: Box, graph: Graph, container: str, name: str, code: int, subcode: int | None
) -> None:
    box.order("instagram", name)

    body = graph.publish(container).json()["error"]
    assert (body["code"], body.get("error_subcode")) == (code, subcode)
    assert count(box, "instagram") == 0


def test_any_error_of_instagram_can_be_ordered(box: Box, graph: Graph) -> None:
    box.order("instagram", "me.refuse", code=368, message="Blocked", status=403)
    answer = graph.get("me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 368)


def test_a_slow_answer_still_comes(box: Box, graph: Graph) -> None:
    box.order("instagram", "slow", seconds=0.05)
    assert graph.get("me").status_code == 200


def test_an_unknown_fault_is_refused_with_the_names_there_are(box: Box) -> None:
    answer = box.control("POST", "faults", json={"service": "x", "name": "earthquake"})
    assert answer.status_code == 400
    assert "upload.error_before" in answer.json()["error"]


@pytest.mark.parametrize(("name", "posts"), [("error_before", 0), ("error_after", 1)])
def test_x_answers_503_before_or_after_it_stored_the_post(
    box: Box, tweeter: Tweeter, name: str, posts: int
) -> None:
    box.order("x", name)

    answer = tweeter.tweet("a post")
    assert answer.status_code == 503
    assert answer.json()["title"] == "Service Unavailable"
    assert "x-rate-limit-reset" in answer.headers
    assert count(box, "x") == posts


def test_x_may_have_posted_when_it_hangs_or_hangs_up(box: Box, tweeter: Tweeter) -> None:
    box.order("x", "timeout_after")
    with pytest.raises(requests.Timeout):
        tweeter.tweet("hanging", timeout=0.3)
    box.order("x", "reset_after")
    with pytest.raises(LOST):
        tweeter.tweet("cut off")
    box.order("x", "reset_before")
    with pytest.raises(LOST):
        tweeter.tweet("never said")

    assert [post["text"] for post in box.posts("x")["posts"]] == ["cut off", "hanging"]
    assert {call["text"]: call["count"] for call in box.posts("x")["calls"]} == {
        "hanging": 1,
        "cut off": 1,
        "never said": 1,
    }


def test_the_second_try_after_an_unseen_success_is_a_duplicate(box: Box, tweeter: Tweeter) -> None:
    box.order("x", "error_after")
    tweeter.tweet("twice")

    answer = tweeter.tweet("twice")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "You are not allowed to create a Tweet with duplicate content."
    found = box.posts("x", "twice")
    assert (len(found["posts"]), found["calls"][0]["count"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("token_expired", 401),
        ("credits", 402),
        ("spend_cap", 403),
        ("read_only", 403),
        ("duplicate", 403),
        ("rate", 429),
        ("quota", 429),
        ("html", 502),
    ],
)
def test_x_can_refuse_a_post(box: Box, tweeter: Tweeter, name: str, status: int) -> None:
    box.order("x", name)

    assert tweeter.tweet("no").status_code == status
    assert count(box, "x") == 0
    assert tweeter.tweet("yes").status_code == 201


def test_a_fault_of_the_upload_leaves_posting_alone(box: Box, tweeter: Tweeter) -> None:
    box.order("x", "upload.error_before")

    assert tweeter.tweet("fine").status_code == 201
    assert tweeter.upload().status_code == 503
    assert tweeter.upload().status_code == 200


def test_any_error_of_x_can_be_ordered(box: Box, tweeter: Tweeter) -> None:
    box.order("x", "refuse", status=403, detail="This request looks automated")
    answer = tweeter.tweet("beep")
    assert (answer.status_code, answer.json()["detail"]) == (403, "This request looks automated")
