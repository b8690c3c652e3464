"""X's posts, uploads and timelines, over real HTTP."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
import requests

from tests.influencer.sandbox_social.conftest import TIMEOUT, Box, Tweeter, image_bytes

ME = "2244994945"


def timeline(tweeter: Tweeter, **params: Any) -> dict[str, Any]:
    return tweeter.call("GET", f"/2/users/{ME}/tweets", params=params).json()


def seen(tweeter: Tweeter) -> dict[str, Any]:
    """The timeline once it has caught up."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := timeline(tweeter, **{"tweet.fields": "created_at,entities"})).get("data"):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def detail(answer: requests.Response) -> str:
    body = answer.json()
    assert "title" in body and "type" in body
    return body["errors"][0]["message"] if "errors" in body else body["detail"]


def test_an_image_with_alt_text_and_ai_label_becomes_a_post_that_opens(box: Box, tweeter: Tweeter) -> None:
    uploaded = tweeter.upload(image_bytes(800, 320)).json()["data"]
    body = {"id": uploaded["id"], "metadata": {"alt_text": {"text": "A teal band"}}}
    described = tweeter.call("POST", "/2/media/metadata", json=body)
    posted = tweeter.tweet("Hello", media={"media_ids": [uploaded["id"]]}, made_with_ai=True)

    assert uploaded["media_key"] == f"3_{uploaded['id']}"
    assert uploaded["image"] == {"image_type": "image/jpeg", "w": 800, "h": 320}
    assert uploaded["expires_after_secs"] == 86400
    assert described.json()["data"]["associated_metadata"]["alt_text"]["text"] == "A teal band"
    assert posted.status_code == 201
    data = posted.json()["data"]
    assert len(data["id"]) == 19 and data["edit_history_tweet_ids"] == [data["id"]]
    assert data["text"].startswith("Hello https://t.co/")
    page = box.page(f"/x/anyone/status/{data['id']}")
    assert page.status_code == 200
    assert "Made with AI" in page.text and "A teal band" in page.text
    assert box.page(f"/x/i/web/status/{data['id']}").status_code == 200


def test_addresses_become_short_links_and_signs_are_escaped(tweeter: Tweeter) -> None:
    data = tweeter.tweet("a < b & see https://example.com/?a=1 or example.org!").json()["data"]

    assert data["text"].startswith("a &lt; b &amp; see https://t.co/")
    assert "example" not in data["text"] and data["text"].endswith("!")
    found = tweeter.call("GET", f"/2/tweets/{data['id']}", params={"tweet.fields": "entities"}).json()
    urls = [link["expanded_url"] for link in found["data"]["entities"]["urls"]]
    assert urls == ["https://example.com/?a=1", "http://example.org"]


def test_the_timeline_lags_but_the_post_can_be_read_at_once(box: Box, tweeter: Tweeter) -> None:
    box.set_limits(x_timeline_lag=1_000_000)
    post_id = tweeter.tweet("hidden for now").json()["data"]["id"]

    assert tweeter.call("GET", f"/2/tweets/{post_id}").json()["data"]["text"] == "hidden for now"
    assert timeline(tweeter) == {"meta": {"result_count": 0}}
    box.advance(1001)
    found = timeline(tweeter)
    assert [item["id"] for item in found["data"]] == [post_id]
    assert found["meta"] == {"result_count": 1, "newest_id": post_id, "oldest_id": post_id}


def test_the_timeline_is_newest_first_and_can_be_narrowed(box: Box, tweeter: Tweeter) -> None:
    ids = [tweeter.tweet(f"number {n}").json()["data"]["id"] for n in range(6)]
    box.advance(10)

    assert [item["id"] for item in timeline(tweeter, max_results=5)["data"]] == ids[:0:-1]
    assert [item["id"] for item in timeline(tweeter, since_id=ids[4])["data"]] == [ids[5]]
    assert timeline(tweeter, start_time="2100-01-01T00:00:00Z") == {"meta": {"result_count": 0}}


def test_times_are_told_when_asked(tweeter: Tweeter) -> None:
    tweeter.tweet("when")
    assert seen(tweeter)["data"][0]["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "params",
    [
        {"max_results": "4"},
        {"max_results": "x"},
        {"since_id": "²"},
        {"since_id": "9" * 19},
        {"start_time": "now"},
    ],
)
def test_a_wrong_timeline_parameter_is_refused(box: Box, tweeter: Tweeter, params: dict[str, str]) -> None:
    assert tweeter.call("GET", f"/2/users/{ME}/tweets", params=params).status_code == 400


def test_an_unknown_tweet_field_is_refused(tweeter: Tweeter) -> None:
    post_id = tweeter.tweet("hi").json()["data"]["id"]
    answer = tweeter.call("GET", f"/2/tweets/{post_id}", params={"tweet.fields": "mood"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"text": "hi", "made_with_AI": True},
        {"text": 1},
        {"text": "hi", "made_with_ai": "yes"},
        {"text": "hi", "media": {"media_ids": []}},
        {"text": "hi", "media": {"media_ids": ["1", "2", "3", "4", "5"]}},
        {"text": "hi", "media": {"media_ids": ["né"]}},
        {"text": "hi", "media": {"media_ids": [1]}},
        {"text": "hi", "media": {"ids": ["1"]}},
        {"text": "hi", "media": "1"},
        {"text": "hi", "reply_settings": "nobody"},
        {"text": ""},
        {},
        [],
    ],
)
def test_a_wrong_body_is_refused(box: Box, tweeter: Tweeter, body: Any) -> None:
    answer = tweeter.call("POST", "/2/tweets", json=body)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Request"
    assert answer.json()["type"].endswith("/problems/invalid-request")
    assert box.posts("x")["posts"] == []


def test_a_body_that_is_no_json_is_refused(tweeter: Tweeter) -> None:
    headers = {"Content-Type": "application/json"}
    assert tweeter.call("POST", "/2/tweets", data=b"{", headers=headers).status_code == 400
    surrogate = b'{"text": "\\ud800"}'
    assert tweeter.call("POST", "/2/tweets", data=surrogate, headers=headers).status_code == 400
    assert (
        tweeter.call("POST", "/2/tweets", data=b"a", headers={"Content-Type": "text/plain"}).status_code
        == 400
    )


@pytest.mark.parametrize("text", ["x" * 281, "日" * 141, "👋" * 141, "$ABC and $XYZ"])
def test_a_text_too_heavy_for_x_is_not_permitted(tweeter: Tweeter, text: str) -> None:
    answer = tweeter.tweet(text)
    assert answer.status_code == 403
    assert detail(answer) == "You are not permitted to perform this action."


@pytest.mark.parametrize("text", ["x" * 280, "日" * 140, f"{'x' * 256} https://example.com/{'y' * 300}"])
def test_a_text_of_280_is_taken(tweeter: Tweeter, text: str) -> None:
    assert tweeter.tweet(text).status_code == 201


def test_what_a_plain_account_may_not_do_is_not_permitted(tweeter: Tweeter) -> None:
    assert tweeter.tweet("so", quote_tweet_id="1445880548472328192").status_code == 403


def test_the_same_text_again_is_a_duplicate_until_a_day_has_passed(box: Box, tweeter: Tweeter) -> None:
    other = Tweeter(box, token="99999-other")
    assert tweeter.tweet("same").status_code == 201
    again = tweeter.tweet("same ")
    assert (again.status_code, detail(again)) == (
        403,
        "You are not allowed to create a Tweet with duplicate content.",
    )
    assert other.tweet("same").status_code == 201
    box.advance(86_401)
    assert tweeter.tweet("same").status_code == 201


def test_an_unknown_foreign_or_expired_media_id_is_invalid(box: Box, tweeter: Tweeter) -> None:
    other = Tweeter(box, token="99999-other")
    foreign = other.upload().json()["data"]["id"]
    expired = tweeter.upload().json()["data"]["id"]
    box.advance(86_401)

    for media_id in ("1880028106020515840", foreign, expired):
        answer = tweeter.tweet("hi", media={"media_ids": [media_id]})
        assert (answer.status_code, detail(answer)) == (400, "Your media IDs are invalid.")


def test_an_upload_needs_its_category(tweeter: Tweeter) -> None:
    assert tweeter.upload(media_category="").status_code == 400
    assert tweeter.upload(media_category="tweet_video").status_code == 400
    assert tweeter.upload(mood="good").status_code == 400


def test_an_upload_must_be_an_image_of_at_most_5_mb(tweeter: Tweeter) -> None:
    assert tweeter.upload(b"<html>").status_code == 400
    assert tweeter.upload(image_bytes()[:300]).status_code == 400
    assert tweeter.upload(b"").status_code == 400
    assert tweeter.upload(image_bytes() + b"\0" * (5 * 1024 * 1024)).status_code == 413


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "WEBP"])
def test_x_takes_other_formats_too(tweeter: Tweeter, image_format: str) -> None:
    found = tweeter.upload(image_bytes(image_format=image_format)).json()["data"]["image"]
    assert found["image_type"] == f"image/{image_format.lower()}"


def test_an_upload_may_be_json(tweeter: Tweeter) -> None:
    content = image_bytes()
    body = {"media": base64.b64encode(content).decode(), "media_category": "tweet_image"}
    answer = tweeter.call("POST", "/2/media/upload", json=body)
    assert answer.json()["data"]["size"] == len(content)
    for wrong in ({"media": "no base64!"}, {"media": 1}, []):
        assert tweeter.call("POST", "/2/media/upload", json=wrong).status_code == 400


@pytest.mark.parametrize(
    "metadata",
    [{}, {"alt_text": {}}, {"alt_text": {"text": "x" * 1001}}, {"alt_text": {"text": ""}}, {"alt_text": "x"}],
)
def test_a_wrong_alt_text_is_refused(tweeter: Tweeter, metadata: dict[str, Any]) -> None:
    media_id = tweeter.upload().json()["data"]["id"]
    answer = tweeter.call("POST", "/2/media/metadata", json={"id": media_id, "metadata": metadata})
    assert answer.status_code == 400


def test_a_deleted_post_is_gone_everywhere(box: Box, tweeter: Tweeter) -> None:
    post_id = tweeter.tweet("soon gone").json()["data"]["id"]

    stranger = Tweeter(box, token="99999-other").call("DELETE", f"/2/tweets/{post_id}")
    assert stranger.status_code == 403
    assert tweeter.call("DELETE", f"/2/tweets/{post_id}").json() == {"data": {"deleted": True}}
    missing = tweeter.call("GET", f"/2/tweets/{post_id}")
    assert missing.status_code == 200
    assert missing.json()["errors"][0]["title"] == "Not Found Error"
    assert tweeter.call("DELETE", f"/2/tweets/{post_id}").status_code == 404
    assert box.page(f"/x/anyone/status/{post_id}").status_code == 404


def test_posts_and_uploads_survive_a_restart(box: Box, tweeter: Tweeter) -> None:
    media_id = tweeter.upload().json()["data"]["id"]
    tweeter.tweet("before")
    box.restart()

    assert tweeter.tweet("after", media={"media_ids": [media_id]}).status_code == 201
    assert tweeter.tweet("before").status_code == 403
    assert [post["text"] for post in box.posts("x")["posts"]] == ["after", "before"]
