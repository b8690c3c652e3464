"""Tokens, fields and headers of the Instagram stand-in."""

from __future__ import annotations

import json

import pytest
import requests

from tests.influencer.sandbox_social.conftest import TIMEOUT, Box, Graph


def error(answer: requests.Response) -> tuple[int, int | None]:
    body = answer.json()["error"]
    return body["code"], body.get("error_subcode")


def test_a_call_without_a_token_is_refused(box: Box) -> None:
    answer = requests.get(f"{box.url}/instagram/me", timeout=TIMEOUT)
    assert answer.status_code == 400
    assert error(answer) == (190, None)


def test_me_names_an_account_of_17_digits_made_of_the_token(box: Box) -> None:
    first, again, other = (
        Graph(box, token=name).get("me").json() for name in ("a-token", "a-token", "b-token")
    )

    assert first == again
    assert first["user_id"].startswith("1784") and len(first["user_id"]) == 17
    assert first["id"] != first["user_id"]
    assert other["user_id"] != first["user_id"]


def test_me_names_the_account_the_token_was_last_used_for(graph: Graph) -> None:
    assert graph.get(graph.account, fields="username").json()["id"] == graph.account
    assert graph.get("me", fields="user_id").json()["user_id"] == graph.account


def test_a_token_may_name_its_account(box: Box) -> None:
    graph = Graph(box, token="IGAA-SANDBOX-luna_mystic")
    found = graph.get("me", fields="username,name,account_type,followers_count,media_count").json()

    assert found["username"] == "luna_mystic"
    assert found["account_type"] == "BUSINESS"


def test_an_unknown_field_is_refused_by_name(graph: Graph, photo: str) -> None:
    container = graph.container(photo)

    user = graph.get("me", fields="id,shoe_size").json()["error"]
    assert user["message"] == "(#100) Tried accessing nonexisting field (shoe_size) on node type (IGUser)"
    assert error(graph.get(container, fields="permalink")) == (100, None)
    assert error(graph.get(f"{graph.account}/content_publishing_limit", fields="rest")) == (100, None)


def test_nested_fields_are_understood(graph: Graph) -> None:
    assert graph.get("me", fields="username,media_count.limit(3){id,caption}").status_code == 200


def test_an_id_that_is_nothing_does_not_exist(graph: Graph) -> None:
    answer = graph.get("17900000000000000")
    assert error(answer) == (100, 33)
    assert "17900000000000000" in answer.json()["error"]["message"]


def test_an_unknown_path_says_so(graph: Graph) -> None:
    answer = graph.get("me/accounts_and_more")
    assert error(answer) == (2500, None)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("IGAA-EXPIRED", (190, 463)),
        ("IGAA-REVOKED", (190, 458)),
        ("IGAA-RATE", (4, None)),
    ],
)
def test_a_magic_token_fails_at_every_call(box: Box, token: str, expected: tuple[int, int | None]) -> None:
    graph = Graph(box, token=token)
    assert error(graph.get("me")) == expected
    assert error(graph.post(f"{graph.account}/media")) == expected


def test_a_restricted_account_can_read_but_not_write(box: Box, photo: str) -> None:
    graph = Graph(box, token="IGAA-RESTRICTED")
    assert graph.get("me").status_code == 200
    assert error(graph.post(f"{graph.account}/media", image_url=photo)) == (25, 2207050)


@pytest.mark.parametrize(("token", "expected"), [("IGAA-SPAM", (4, 2207051)), ("IGAA-QUOTA", (9, 2207042))])
def test_spam_and_quota_come_at_publishing(
    box: Box, photo: str, token: str, expected: tuple[int, int]
) -> None:
    graph = Graph(box, token=token)
    container = graph.container(photo)
    assert error(graph.publish(container)) == expected


def test_a_used_up_quota_shows_in_the_limit(box: Box) -> None:
    graph = Graph(box, token="IGAA-QUOTA")
    assert graph.get(f"{graph.account}/content_publishing_limit").json() == {"data": [{"quota_usage": 100}]}


def test_an_expired_token_says_since_when(box: Box) -> None:
    message = Graph(box, token="IGAA-EXPIRED").get("me").json()["error"]["message"]
    assert message.startswith("Error validating access token: Session has expired on ")


def test_usage_headers_are_on_every_answer_and_say_when_throttled(box: Box, graph: Graph) -> None:
    calm = json.loads(graph.get("me").headers["X-App-Usage"])
    throttled = Graph(box, token="IGAA-RATE").get("me").headers

    assert calm["call_count"] < 90
    assert json.loads(throttled["X-App-Usage"])["call_count"] == 100
    [[row]] = json.loads(throttled["X-Business-Use-Case-Usage"]).values()
    assert row["estimated_time_to_regain_access"] == 19


def test_no_token_is_written_to_disk(box: Box, graph: Graph, photo: str) -> None:
    graph.container(photo)
    written = b"".join(path.read_bytes() for path in box.settings.data.rglob("*") if path.is_file())
    assert graph.token.encode() not in written


def test_every_version_and_none_is_understood(box: Box, graph: Graph) -> None:
    headers = {"Authorization": f"Bearer {graph.token}"}
    for path in ("me", "v20.0/me", "v26.0/me"):
        answer = requests.get(f"{box.url}/instagram/{path}", headers=headers, timeout=TIMEOUT)
        assert answer.status_code == 200
