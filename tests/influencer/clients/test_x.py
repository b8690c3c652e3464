"""The X client against real HTTP answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest

from influencer.clients.credentials import XCredentials
from influencer.clients.platform import (
    Account,
    Draft,
    PlatformError,
    Stage,
    Verdict,
    next_step,
)
from influencer.clients.x import Post, X
from tests.influencer.clients.scripted_server import Asked, ScriptedServer, closed_port

KEYS = XCredentials("appkey-s3cret", "appsecret-s3cret", "777-token-s3cret", "tokensecret-s3cret")
DRAFT = Draft(b"\xff\xd8jpeg", caption="Morning light & <coffee> example.com", alt_text="A woman")
SINCE = datetime(2026, 11, 22, 10, tzinfo=UTC)
ME = {"data": {"id": "777", "name": "Luna", "username": "luna"}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


def client(server: ScriptedServer) -> X:
    return X(KEYS, base_url=server.url, seconds=5)


def tweet(id: str, text: str, at: str = "2026-11-22T10:00:30.000Z", key: str = "") -> dict[str, Any]:
    return {"id": id, "text": text, "created_at": at} | (
        {"attachments": {"media_keys": [key]}} if key else {}
    )


def oauth(asked: Asked) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', asked.headers["Authorization"]))


def test_a_post_runs_from_upload_to_permalink(server: ScriptedServer) -> None:
    x, ids, stages = client(server), {}, []
    server.answer({"data": {"id": "1880028106020515840", "media_key": "3_1880028106020515840"}})
    server.answer({"data": {"id": "1880028106020515840"}})
    server.answer({"data": {"id": "1445880548472328192", "text": "… https://t.co/a"}}, status=201)
    while step := next_step(x.steps, ids):
        stages.append(step.before)
        ids |= step.call(DRAFT, ids).ids
    assert ids == {
        "media_id": "1880028106020515840",
        "alt_text": "set",
        "remote_id": "1445880548472328192",
        "permalink": "https://x.com/i/web/status/1445880548472328192",
    }
    assert stages == [Stage.RESERVED, Stage.PREPARED, Stage.PUBLISHING, Stage.PUBLISHED]
    assert [asked.target for asked in server.asked] == ["/2/media/upload", "/2/media/metadata", "/2/tweets"]


def test_the_image_is_uploaded_as_it_is_with_its_category(server: ScriptedServer) -> None:
    server.answer({"data": {"id": "1"}})
    assert client(server).upload(b"\xff\xd8jpeg") == "1"
    assert server.last.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="media_category"\r\n\r\ntweet_image\r\n' in server.last.body
    assert b'filename="image.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8jpeg\r\n' in server.last.body


def test_alt_text_is_set_on_the_upload(server: ScriptedServer) -> None:
    server.answer({"data": {"id": "1"}})
    client(server).set_alt_text("1", " A woman\r\n")
    assert server.last.json == {"id": "1", "metadata": {"alt_text": {"text": "A woman"}}}


def test_without_alt_text_nothing_is_asked(server: ScriptedServer) -> None:
    outcome = client(server).steps[1].call(Draft(b"", alt_text=" "), {"media_id": "1"})
    assert outcome.ids == {"alt_text": "none"}
    assert server.asked == []


def test_a_post_has_text_image_and_label(server: ScriptedServer) -> None:
    server.answer({"data": {"id": "1", "text": "Hi https://t.co/a"}}, status=201)
    post = client(server).create_post("Hi\r\nthere ", ("5", "6"))
    assert post == Post("1", "Hi https://t.co/a")
    assert server.last.json == {
        "text": "Hi\nthere",
        "media": {"media_ids": ["5", "6"]},
        "made_with_ai": True,
    }


def test_the_label_is_left_out_when_switched_off(server: ScriptedServer) -> None:
    server.answer({"data": {"id": "1", "text": "Hi"}}, status=201)
    client(server).create_post("Hi", ("5",), made_with_ai=False)
    assert "made_with_ai" not in server.last.json


def test_the_signature_is_right_for_the_address_really_sent(server: ScriptedServer) -> None:
    server.answer({"data": {"id": "1"}})
    client(server).set_alt_text("1", "a")
    words = oauth(server.last)
    signature = base64.b64decode(unquote(words.pop("oauth_signature")))
    pairs = "&".join(f"{name}={value}" for name, value in sorted(words.items()))
    base = "&".join(quote(part, safe="") for part in ("POST", f"{server.url}/2/media/metadata", pairs))
    key = f"{KEYS.app_secret}&{KEYS.access_secret}".encode()
    assert signature == hmac.new(key, base.encode(), hashlib.sha1).digest()
    assert (words["oauth_consumer_key"], words["oauth_token"]) == (KEYS.app_key, KEYS.access_token)


def test_production_is_asked_at_api_x_com() -> None:
    assert X(KEYS)._client.base_url == "https://api.x.com"


def test_proxies_of_the_environment_are_not_used(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    server.answer(ME)
    assert client(server).account().id == "777"


def test_the_account_is_read(server: ScriptedServer) -> None:
    server.answer(ME)
    assert client(server).account() == Account("777", "luna", "Luna")


def test_the_days_quota_is_known_after_a_post(server: ScriptedServer) -> None:
    x = client(server)
    assert x.quota() is None
    headers = {"x_user_limit_24hour_limit": "17", "x_user_limit_24hour_remaining": "5"}
    server.answer({"data": {"id": "1"}}, status=201, **headers)
    x.create_post("Hi", ("5",))
    known = x.quota()
    assert known and (known.used, known.limit) == (12, 17)
    assert known.until and known.until > datetime.now(UTC), "without a time, a day at most"


def test_of_the_users_and_the_apps_limit_the_nearer_counts(server: ScriptedServer) -> None:
    x, reset = client(server), int(time.time()) + 600
    headers = {
        f"x_{whose}_limit_24hour_{name}": str(value)
        for whose, left in (("user", 80), ("app", 3))
        for name, value in {"limit": 100, "remaining": left, "reset": reset}.items()
    }
    server.answer({"data": {"id": "1"}}, status=201, **headers)
    x.create_post("Hi", ("5",))
    known = x.allowance()
    assert known and (known.used, known.limit) == (97, 100)
    assert known.until and 590 < (known.until - datetime.now(UTC)).total_seconds() < 610


def test_the_permalink_leads_where_people_read(server: ScriptedServer) -> None:
    x = X(KEYS, base_url=server.url, web_url=f"{server.url}/x/")
    assert x.permalink("1") == f"{server.url}/x/i/web/status/1"


def test_the_newest_posts_are_read(server: ScriptedServer) -> None:
    server.answer(ME)
    server.answer({"data": [tweet("2", "a", key="3_9"), {"id": "1", "created_at": "once"}]})
    posts = client(server).recent()
    assert posts[0] == Post("2", "a", datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC), ("3_9",))
    assert posts[1] == Post("1", "")
    assert server.last.path == "/2/users/777/tweets"
    assert server.last.query == {"max_results": "10", "tweet.fields": "created_at,attachments"}


def test_an_account_without_posts_has_no_newest(server: ScriptedServer) -> None:
    server.answer(ME)
    server.answer({"meta": {"result_count": 0}})
    assert client(server).recent() == []


# The look-up after an unknown outcome

SHOWN = "Morning light &amp; &lt;coffee&gt; https://t.co/abc https://t.co/img"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (tweet("1", SHOWN), True),
        (tweet("1", "anything", at="2020-01-01T00:00:00.000Z", key="3_5"), True),
        (tweet("1", SHOWN, key="3_6"), True),
        (tweet("1", SHOWN, at="2026-11-22T09:00:00.000Z"), False),
        (tweet("1", "Evening light"), False),
        ({"id": "1", "text": SHOWN}, False),
    ],
)
def test_a_post_is_found_by_its_image_or_by_its_new_text(
    server: ScriptedServer, row: dict[str, Any], found: bool
) -> None:
    server.answer(ME)
    server.answer({"data": [tweet("9", "another"), row]})
    answer = client(server).look_up(DRAFT, {"media_id": "5"}, since=SINCE)
    if found:
        assert answer.verdict is Verdict.PUBLISHED
        assert answer.ids == {"remote_id": "1", "permalink": "https://x.com/i/web/status/1"}
    else:
        assert (answer.verdict, answer.ids) == (Verdict.UNCLEAR, {})


def test_a_post_without_text_is_found_by_its_image_only(server: ScriptedServer) -> None:
    server.answer(ME)
    server.answer({"data": [tweet("2", "https://t.co/img"), tweet("1", "https://t.co/img", key="3_5")]})
    answer = client(server).look_up(Draft(b""), {"media_id": "5"}, since=SINCE)
    assert answer.ids["remote_id"] == "1"


# Secrets and cost


def test_no_secret_is_in_logs_or_errors(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    x, shown = client(server), []
    server.answer({"data": {"id": "1"}})
    server.answer({"title": "Unauthorized", "detail": f"bad {KEYS.app_key} {KEYS.access_token}"}, status=401)
    server.reset()
    x.upload(b"jpeg")
    for _ in range(2):
        with pytest.raises(PlatformError) as caught:
            x.create_post(DRAFT.caption, ("1",))
        error = caught.value
        shown += [repr(error), str(error), repr(error.__cause__), repr(vars(error)), repr(x), repr(x._client)]
    signature = oauth(server.last)["oauth_signature"]
    for text in (caplog.text, "".join(shown)):
        assert text
        for secret in ("s3cret", signature, "Morning light"):
            assert secret not in text


def test_each_call_leaves_one_line(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "influencer")
    server.answer({"data": {"id": "1445880548472328192"}}, status=201)
    server.answer({"title": "CreditsDepleted"}, status=402)
    x = client(server)
    x.create_post("Hi", ("5",))
    with pytest.raises(PlatformError):
        x.account()
    good, bad = [record.message for record in caplog.records if record.name.startswith("influencer")]
    assert good.startswith("X publish: ok 1445880548472328192, ") and good.endswith(" ms")
    assert bad.startswith("X account: credits, ")


def test_the_slow_libraries_are_imported_only_when_needed() -> None:
    program = (
        "import sys, influencer.clients.x, influencer.clients.captions as captions;"
        "captions.check('instagram', 'a'); assert not {'tweepy', 'twitter_text'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
