"""The control endpoint's view of what was posted."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.influencer.sandbox_social.conftest import Box, Graph, Tweeter


def test_the_key_is_needed(box: Box) -> None:
    for path in ("posts", "limits"):
        assert requests.get(f"{box.url}/control/{path}", timeout=5).status_code == 403


def test_posts_and_calls_are_counted_by_text(box: Box, tweeter: Tweeter) -> None:
    tweeter.tweet("one", made_with_ai=True)
    tweeter.tweet("one")
    tweeter.tweet("two")

    found = box.posts("x", "one")
    assert [(post["text"], post["ai_label"], post["username"]) for post in found["posts"]] == [
        ("one", True, "sandbox_994945")
    ]
    assert [(call["text"], call["count"], call["account"]) for call in found["calls"]] == [
        ("one", 2, "2244994945")
    ]
    assert len(box.posts("x")["posts"]) == 2


def test_both_services_are_told_apart(box: Box, tweeter: Tweeter) -> None:
    tweeter.tweet("on x")

    assert box.posts("instagram") == {"posts": [], "calls": []}
    assert len(box.control("GET", "posts").json()["posts"]) == 1
    assert box.control("GET", "posts", params={"service": "comfyui"}).status_code == 400


def test_everything_posted_can_be_forgotten(box: Box, graph: Graph, photo: str, tweeter: Tweeter) -> None:
    container = graph.container(photo)
    tweeter.tweet("gone")

    box.control("DELETE", "posts")
    assert box.control("GET", "posts").json() == {"posts": [], "calls": []}
    assert graph.get(container).status_code == 400
    assert list((box.settings.data / "images").iterdir()) == []


def test_limits_can_be_read_and_set(box: Box) -> None:
    box.set_limits(x_posts_per_day=17)

    limits = box.control("GET", "limits").json()["limits"]
    assert limits["x_posts_per_day"] == 17 and limits["instagram_quota"] == 100


@pytest.mark.parametrize(
    "body", [{"speed_of_light": 1}, {"instagram_quota": -1}, {"instagram_quota": "2"}, []]
)
def test_a_wrong_limit_is_refused(box: Box, body: Any) -> None:
    assert box.control("POST", "limits", json=body).status_code == 400


@pytest.mark.parametrize("body", [{"advance": -1}, {}, {"advance": True}, {"advance": 1, "more": 1}])
def test_a_wrong_clock_is_refused(box: Box, body: Any) -> None:
    assert box.control("POST", "clock", json=body).status_code == 400


def test_the_speed_shortens_waits(box: Box, graph: Graph, photo: str) -> None:
    box.set_limits(instagram_ready_seconds=1_000)
    box.control("POST", "speed", json={"speed": 0.1})
    slow = graph.container(photo)
    box.control("POST", "speed", json={"speed": 10_000})
    fast = graph.container(photo)
    box.advance(1_000)

    assert (graph.status(slow), graph.status(fast)) == ("IN_PROGRESS", "FINISHED")
