"""The life of tokens at the Instagram stand-in: refreshed, exchanged, examined, over."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from PIL import Image

from tests.influencer.sandbox_social.conftest import TIMEOUT, Box, Graph, Tweeter
from tests.influencer.sandbox_social.test_instagram_access import error

DAY = 86_400
ACCOUNT = "17841400000000001"
APP = {"client_id": "1234", "client_secret": "app-secret"}


def refresh(graph: Graph) -> requests.Response:
    return graph.get("refresh_access_token", grant_type="ig_refresh_token")


def as_app(box: Box, path: str, method: str = "GET", **params: str) -> requests.Response:
    sent = {"params": params} if method == "GET" else {"data": params}
    return requests.request(method, f"{box.url}/instagram/v25.0/{path}", timeout=TIMEOUT, **sent)


def test_a_day_old_token_is_refreshed_for_60_days(box: Box, graph: Graph) -> None:
    graph.get("me")
    box.advance(DAY)
    fresh = refresh(graph).json()
    assert fresh["token_type"] == "bearer" and fresh["expires_in"] == 5_183_944
    assert "instagram_business_content_publish" in fresh["permissions"]
    box.advance(59.9 * DAY)
    assert Graph(box, token=fresh["access_token"]).get("me").status_code == 200
    assert error(graph.get("me")) == (190, 463)


def test_the_new_token_is_another_one_of_the_same_accounts(box: Box, graph: Graph) -> None:
    graph.get(graph.account)
    box.advance(DAY)
    fresh = refresh(graph).json()["access_token"]
    assert fresh != graph.token and fresh.startswith("IGAA")
    assert Graph(box, token=fresh).get("me", fields="user_id").json()["user_id"] == graph.account
    box.advance(DAY)
    assert refresh(Graph(box, token=fresh)).json()["access_token"] not in {fresh, graph.token}


def test_a_younger_token_is_refused(graph: Graph) -> None:
    answer = refresh(graph)
    assert error(answer) == (100, None)
    assert "24 hours" in answer.json()["error"]["message"]


def test_an_expired_token_cannot_be_revived(box: Box, graph: Graph) -> None:
    graph.get("me")
    box.advance(61 * DAY)
    assert error(refresh(graph)) == (190, 463)


@pytest.mark.parametrize(("word", "expected"), [("EXPIRED", (190, 463)), ("REVOKED", (190, 458))])
def test_magic_tokens_are_refused_at_a_refresh_too(box: Box, word: str, expected: Any) -> None:
    assert error(refresh(Graph(box, token=f"IGAA-{word}"))) == expected
    exchanged = as_app(
        box, "oauth/access_token", grant_type="fb_exchange_token", fb_exchange_token=f"EAA-{word}", **APP
    )
    assert error(exchanged) == expected


def test_a_refresh_needs_its_grant_type(graph: Graph) -> None:
    assert error(graph.get("refresh_access_token")) == (100, None)
    assert error(graph.get("access_token", grant_type="ig_exchange_token")) == (100, None)


def test_a_short_token_becomes_a_long_one(graph: Graph) -> None:
    long = graph.get("access_token", grant_type="ig_exchange_token", client_secret="s").json()
    assert (long["access_token"], long["expires_in"]) == (graph.token, 5_183_944)


def test_a_practice_token_never_ends(box: Box) -> None:
    graph = Graph(box, token="IGAA-SANDBOX-luna")
    graph.get("me")
    box.advance(400 * DAY)
    assert graph.get("me").status_code == 200


def test_a_token_may_carry_the_id_of_its_account(box: Box) -> None:
    assert Graph(box, token=f"IGAA-{ACCOUNT}-x").get("me", fields="user_id").json()["user_id"] == ACCOUNT


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_facebook_token_is_exchanged_by_its_app(box: Box, method: str) -> None:
    token = f"EAA-{ACCOUNT}-x"
    fresh = as_app(
        box, "oauth/access_token", method, grant_type="fb_exchange_token", fb_exchange_token=token, **APP
    ).json()
    assert fresh["access_token"] != token and fresh["expires_in"] == 5_183_944


def test_an_exchange_with_a_wrong_secret_is_refused(box: Box) -> None:
    wanted = {"grant_type": "fb_exchange_token", "fb_exchange_token": "EAA-x", "client_id": "1"}
    answer = as_app(box, "oauth/access_token", **wanted, client_secret="WRONG")
    assert answer.json()["error"]["message"] == "Error validating client secret."
    assert error(as_app(box, "oauth/access_token", **wanted)) == (100, None)


def test_a_token_is_examined_by_its_app(box: Box) -> None:
    user = as_app(box, "debug_token", input_token="EAA-x", access_token="1|s").json()["data"]
    page = as_app(box, "debug_token", input_token="EAA-PAGE-x", access_token="1|s").json()["data"]
    dead = as_app(box, "debug_token", input_token="EAA-EXPIRED", access_token="1|s").json()["data"]
    assert (user["type"], user["is_valid"], page["type"], page["expires_at"]) == ("USER", True, "PAGE", 0)
    assert user["expires_at"] - user["issued_at"] == 5_183_944
    assert "instagram_content_publish" in user["scopes"]
    assert not dead["is_valid"]
    assert error(as_app(box, "debug_token", input_token="EAA-x", access_token="no-app")) == (100, None)


def test_pages_bring_a_token_that_does_not_end(box: Box) -> None:
    graph = Graph(box, token=f"EAA-{ACCOUNT}-x")
    [page] = graph.get(
        "me/accounts", fields="id,name,access_token,instagram_business_account{id,username}"
    ).json()["data"]
    assert page["instagram_business_account"]["id"] == ACCOUNT
    box.advance(400 * DAY)
    assert Graph(box, token=page["access_token"]).get(ACCOUNT).status_code == 200


@pytest.mark.parametrize("fault", ["refresh.error_before", "exchange.error_before", "debug.error_before"])
def test_each_of_these_calls_can_fail(box: Box, graph: Graph, fault: str) -> None:
    graph.get("me")
    box.advance(DAY)
    box.order("instagram", fault, times=1)
    calls = {
        "refresh": lambda: refresh(graph),
        "exchange": lambda: as_app(box, "oauth/access_token"),
        "debug": lambda: as_app(box, "debug_token"),
    }
    assert calls[fault.partition(".")[0]]().status_code == 500


def test_accounts_have_an_image(box: Box, graph: Graph, tweeter: Tweeter) -> None:
    addresses = [
        graph.get("me", fields="profile_picture_url").json()["profile_picture_url"],
        tweeter.call("GET", "/2/users/me", params={"user.fields": "profile_image_url"}).json()["data"][
            "profile_image_url"
        ],
    ]
    for address in addresses:
        answer = requests.get(address, timeout=TIMEOUT)
        assert Image.open(io.BytesIO(answer.content)).size == (96, 96)
