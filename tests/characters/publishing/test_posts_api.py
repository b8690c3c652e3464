"""`/api/posts…` as `docs/api.md` describes it: looked at and settled."""

from __future__ import annotations

import re
from typing import Any

import pytest

from characters.images.models import Image
from characters.models import Character
from characters.publishing.models import Post
from influencer.jobs import services as jobs
from tests.characters.stage import Stage, see_through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(stage: Stage, luna: Character, image: Image, start: Any) -> list[Post]:
    made = [start("instagram"), start("x")]
    for post in made:
        see_through(post.job_id)
    made.append(start("x", "Again", force=True))
    jobs.cancel(made[2].job_id)
    return made


def test_posts_are_listed_newest_first_with_what_was_tried(call: Any, three: list[Post]) -> None:
    body = call("get", "/api/posts").json()
    assert body["total"] == 3
    assert [post["id"] for post in body["posts"]] == [post.pk for post in reversed(three)]
    published = body["posts"][1]
    assert (published["status"], published["platform"], published["sandbox"]) == ("published", "x", True)
    assert published["imageIds"] == [three[1].image_id]
    assert published["remoteId"]
    assert [attempt["step"] for attempt in published["attempts"]] == ["upload", "alt_text", "publish", "link"]
    assert set(published["attempts"][0]) == {"step", "at", "httpStatus", "code", "message"}
    attempted = published["attempts"][0]["at"]
    times = [published["createdAt"], published["dueAt"], published["publishedAt"], attempted]
    assert all(re.fullmatch(r"[\dT:-]+\.\d{3}Z", time) for time in times), times


def test_a_page_beyond_the_last_post_is_empty(call: Any, three: list[Post]) -> None:
    pages = [call("get", f"/api/posts?page={page}&pageSize=2").json() for page in (1, 2, 3)]
    assert [len(page["posts"]) for page in pages] == [2, 1, 0]
    assert {page["total"] for page in pages} == {3}


@pytest.mark.parametrize("query", ["page=0", "page=x", "pageSize=0", "platform=myspace", "status=done"])
def test_a_filter_that_cant_be_used_is_400(call: Any, query: str) -> None:
    answer = call("get", f"/api/posts?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [query.partition("=")[0]])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("characterId={luna}", 3),
        ("characterId=char_else", 0),
        ("platform=x", 2),
        ("platform=twitter", 2),
        ("platform=instagram", 1),
        ("status=failed", 1),
        ("status=published&platform=x", 1),
    ],
)
def test_posts_are_found_by_character_platform_and_status(
    call: Any, luna: Character, three: list[Post], query: str, count: int
) -> None:
    assert call("get", f"/api/posts?{query.format(luna=luna.pk)}").json()["total"] == count


def test_one_post_is_given_by_its_id(call: Any, three: list[Post]) -> None:
    assert call("get", f"/api/posts/{three[0].pk}").json()["post"]["id"] == three[0].pk
    assert call("get", "/api/posts/post_gone").status_code == 404


def test_an_unknown_outcome_is_settled_as_published(call: Any, unknown: Post) -> None:
    body = {"outcome": "published", "permalink": "https://x.com/i/web/status/5"}
    answer = call("post", f"/api/posts/{unknown.pk}/resolve", body)
    assert answer.status_code == 200
    assert answer.json()["post"]["status"] == "published"
    assert answer.json()["post"]["permalink"] == "https://x.com/i/web/status/5"


def test_an_unknown_outcome_is_settled_as_not_published_and_posted_again(
    stage: Stage, call: Any, unknown: Post
) -> None:
    answer = call("post", f"/api/posts/{unknown.pk}/resolve", {"outcome": "not_published", "retry": True})
    assert answer.json()["post"]["status"] == "reserved"
    see_through(unknown.job_id)
    assert call("get", f"/api/posts/{unknown.pk}").json()["post"]["status"] == "published"
    assert len(stage.posts("x")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "maybe"},
        {"outcome": "published", "permalink": "javascript:alert(1)"},
        {"outcome": "published", "permalink": 5},
        {"outcome": "not_published", "retry": "yes"},
    ],
)
def test_a_word_that_can_not_be_understood_settles_nothing(
    call: Any, unknown: Post, body: dict[str, Any]
) -> None:
    assert call("post", f"/api/posts/{unknown.pk}/resolve", body).status_code == 400
    unknown.refresh_from_db()
    assert unknown.state == "unknown"


def test_only_what_is_unknown_can_be_settled(call: Any, three: list[Post]) -> None:
    answer = call("post", f"/api/posts/{three[0].pk}/resolve", {"outcome": "published"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_unknown")


def test_retrying_the_job_of_an_unknown_outcome_is_409(call: Any, unknown: Post) -> None:
    answer = call("post", f"/api/jobs/{unknown.job_id}/retry", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")
