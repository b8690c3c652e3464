"""Credentials and rate limits of the X stand-in."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
import requests

from tests.influencer.sandbox_social.conftest import TIMEOUT, Box, Tweeter, image_bytes

GOOD = {
    "oauth_consumer_key": "key",
    "oauth_token": "token",
    "oauth_nonce": "abc",
    "oauth_timestamp": "",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_signature": base64.b64encode(b"x" * 20).decode().replace("=", "%3D"),
    "oauth_version": "1.0",
}


def with_header(box: Box, header: str, method: str = "GET", path: str = "/2/users/me") -> requests.Response:
    return requests.request(
        method, f"{box.url}/x{path}", headers={"Authorization": header}, json={}, timeout=TIMEOUT
    )


def oauth(**changes: str) -> str:
    words = GOOD | {"oauth_timestamp": str(int(time.time()))} | changes
    return "OAuth " + ", ".join(f'{name}="{value}"' for name, value in words.items() if value)


def test_me_is_the_account_the_token_begins_with(tweeter: Tweeter) -> None:
    answer = tweeter.call("GET", "/2/users/me")
    assert answer.json() == {
        "data": {"id": "2244994945", "name": "Sandbox 994945", "username": "sandbox_994945"}
    }


def test_any_other_token_is_an_account_of_19_digits(box: Box) -> None:
    first, other = (
        Tweeter(box, token=name).call("GET", "/2/users/me").json()["data"]["id"] for name in ("one", "two")
    )
    assert len(first) == 19 and first.isdigit() and first != other


def test_a_token_may_name_its_account(box: Box) -> None:
    me = Tweeter(box, token="SANDBOX-luna_mystic").call(
        "GET", "/2/users/me", params={"user.fields": "verified,public_metrics,profile_image_url"}
    )
    data = me.json()["data"]
    assert (data["name"], data["username"]) == ("Luna Mystic", "luna_mystic")
    assert data["public_metrics"]["tweet_count"] == 0


def test_an_unknown_user_field_is_refused(tweeter: Tweeter) -> None:
    assert tweeter.call("GET", "/2/users/me", params={"user.fields": "mood"}).status_code == 400


def test_a_well_formed_header_is_taken(box: Box) -> None:
    assert with_header(box, oauth()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"oauth_token": ""},
        {"oauth_nonce": ""},
        {"oauth_timestamp": "1"},
        {"oauth_timestamp": "soon"},
        {"oauth_signature": "short"},
        {"oauth_signature": "???"},
        {"oauth_signature_method": "PLAINTEXT"},
    ],
)
def test_a_malformed_header_is_unauthorized(box: Box, changes: dict[str, str]) -> None:
    answer = with_header(box, oauth(**changes))
    assert answer.status_code == 401
    assert answer.json() == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer ", "OAuth"])
def test_no_credentials_are_unauthorized(box: Box, header: str) -> None:
    assert with_header(box, header).status_code == 401


def test_an_app_only_bearer_reads_but_does_not_write(box: Box, tweeter: Tweeter) -> None:
    post_id = tweeter.tweet("public").json()["data"]["id"]

    assert with_header(box, "Bearer AAAA", path=f"/2/tweets/{post_id}").json()["data"]["text"] == "public"
    for method, path in (("POST", "/2/tweets"), ("GET", "/2/users/me"), ("DELETE", f"/2/tweets/{post_id}")):
        answer = with_header(box, "Bearer AAAA", method, path)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/unsupported-authentication")


@pytest.mark.parametrize(
    ("token", "status", "title"),
    [
        ("X-UNAUTHORIZED", 401, "Unauthorized"),
        ("X-CREDITS", 402, "CreditsDepleted"),
        ("X-SPENDCAP", 403, "SpendCapReached"),
        ("X-SUSPENDED", 403, "Forbidden"),
        ("X-RATE", 429, "Too Many Requests"),
        ("X-DOWN", 503, "Service Unavailable"),
    ],
)
def test_a_magic_token_or_key_fails_at_every_call(box: Box, token: str, status: int, title: str) -> None:
    by_token, by_key = Tweeter(box, token=token), Tweeter(box, consumer=token)
    for answer in (by_token.call("GET", "/2/users/me"), by_key.tweet("hi")):
        assert (answer.status_code, answer.json()["title"]) == (status, title)
        assert "x-rate-limit-remaining" in answer.headers


def test_a_read_only_app_fails_only_at_writing(box: Box) -> None:
    tweeter = Tweeter(box, token="X-READONLY")
    assert tweeter.call("GET", "/2/users/me").status_code == 200
    answer = tweeter.upload()
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (403, "oauth1-permissions")


def test_a_spent_cap_says_when_the_next_cycle_begins(box: Box) -> None:
    body = Tweeter(box, token="X-SPENDCAP").tweet("hi").json()
    assert body["reset_date"].endswith("-01") and body["reset_date"] in body["detail"]


def test_rate_headers_count_down_per_account_and_call(box: Box, tweeter: Tweeter) -> None:
    left = [tweeter.call("GET", "/2/users/me").headers["x-rate-limit-remaining"] for _ in range(2)]
    other = Tweeter(box, token="99999-other").call("GET", "/2/users/me").headers

    assert left == ["74", "73"]
    assert other["x-rate-limit-remaining"] == "74" and other["x-rate-limit-limit"] == "75"
    assert int(other["x-rate-limit-reset"]) > time.time()
    assert tweeter.tweet("hi").headers["x-rate-limit-remaining"] == "99"


def test_a_used_up_window_is_429_until_it_has_passed(box: Box, tweeter: Tweeter) -> None:
    box.set_limits(x_posts_per_window=1)
    tweeter.tweet("one")

    refused = tweeter.tweet("two")
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert 0 < int(refused.headers["x-rate-limit-reset"]) - time.time() <= 900
    box.restart()
    assert tweeter.tweet("two").status_code == 429
    box.advance(901)
    assert tweeter.tweet("two").status_code == 201


def test_a_used_up_day_is_429_with_the_day_headers(box: Box, tweeter: Tweeter) -> None:
    box.set_limits(x_posts_per_day=1)
    assert tweeter.tweet("one").headers["x-user-limit-24hour-remaining"] == "0"

    refused = tweeter.tweet("two")
    assert refused.status_code == 429
    assert refused.headers["x-user-limit-24hour-limit"] == "1"
    assert int(refused.headers["x-user-limit-24hour-reset"]) > time.time() + 86_000
    assert refused.headers["x-rate-limit-limit"] == "100"


def test_other_paths_are_not_found_and_the_old_upload_is_gone(box: Box) -> None:
    assert with_header(box, oauth(), path="/2/trends").status_code == 404
    assert with_header(box, oauth(), "PUT", "/2/tweets").status_code == 404
    assert with_header(box, oauth(), "POST", "/1.1/media/upload.json").status_code == 410


def test_no_token_is_written_to_disk(box: Box) -> None:
    Tweeter(box, token="very-secret-token").tweet("hi")
    written = b"".join(path.read_bytes() for path in box.settings.data.rglob("*") if path.is_file())
    assert b"very-secret-token" not in written


def test_tweepy_itself_can_talk_to_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    import tweepy

    class Here(requests.adapters.HTTPAdapter):
        def send(self, request: Any, **more: Any) -> Any:
            request.url = request.url.replace("https://api.twitter.com", f"{box.url}/x")
            return super().send(request, **more)

    client = tweepy.Client(
        consumer_key="k", consumer_secret="s", access_token="2244994945-t", access_token_secret="s"
    )
    client.session.mount("https://api.twitter.com", Here())
    client.session.trust_env = False
    made = client.create_tweet(text="from tweepy")
    assert client.get_me().data.username == "sandbox_994945"
    assert client.get_tweet(made.data["id"], user_auth=True).data.text == "from tweepy"
    with pytest.raises(tweepy.Forbidden, match="duplicate content"):
        client.create_tweet(text="from tweepy")
    auth = tweepy.OAuth1UserHandler("k", "s", "2244994945-t", "s").apply_auth()
    uploaded = client.session.post(
        "https://api.twitter.com/2/media/upload",
        files={"media": ("a.jpg", image_bytes(), "image/jpeg")},
        data={"media_category": "tweet_image"},
        auth=auth,
        timeout=TIMEOUT,
    )
    assert uploaded.status_code == 200
