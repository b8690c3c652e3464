"""Credentials: named by a variable or given, and never shown."""

from __future__ import annotations

import pytest

from influencer.clients.credentials import (
    InstagramCredentials,
    XCredentials,
    check,
    is_set,
    names_variable,
    resolve,
)
from influencer.errors import Conflict, Invalid

ENVIRON = {
    "INSTAGRAM_API_KEY": "IGAAsecret",
    "TWITTER_APP_KEY": " key ",
    "HOME": "/root",
    "TWITTER_EMPTY": " ",
}


def test_a_plain_key_is_itself() -> None:
    assert resolve(" IGAAsecret ", {}) == "IGAAsecret"
    assert names_variable("IGAAsecret") == ""


@pytest.mark.parametrize("value", ["INSTAGRAM_API_KEY", "env:INSTAGRAM_API_KEY", " env:INSTAGRAM_API_KEY "])
def test_a_variable_is_named_bare_or_with_env(value: str) -> None:
    assert names_variable(value) == "INSTAGRAM_API_KEY"
    assert resolve(value, ENVIRON) == "IGAAsecret"
    assert is_set(value, ENVIRON)


def test_a_variables_value_is_trimmed() -> None:
    assert resolve("TWITTER_APP_KEY", ENVIRON) == "key"


@pytest.mark.parametrize("value", ["TWITTER_GONE", "env:TWITTER_GONE", "TWITTER_EMPTY"])
def test_a_variable_that_is_not_set_is_no_credential(value: str) -> None:
    assert not is_set(value, ENVIRON)
    with pytest.raises(Conflict) as caught:
        resolve(value, ENVIRON)
    assert caught.value.code == "no_credentials"
    assert caught.value.message == f"{names_variable(value)} names a variable that is not set."


@pytest.mark.parametrize("value", ["env:HOME", "env:", "env:INSTAGRAM_api", "env:INFLUENCER_SECRET_KEY"])
def test_no_other_variable_is_ever_read(value: str) -> None:
    assert not is_set(value, ENVIRON)
    for refuse in (check, lambda value: resolve(value, ENVIRON)):
        with pytest.raises(Invalid) as caught:
            refuse(value)
        assert caught.value.status == 400
        assert "/root" not in str(caught.value)


@pytest.mark.parametrize("value", ["instagram_api_key", "INSTAGRAM_", "XINSTAGRAM_A", "INSTAGRAM_A-B"])
def test_a_lookalike_is_a_key(value: str) -> None:
    assert names_variable(value) == ""
    assert resolve(value, {}) == value


def test_nothing_is_no_credential() -> None:
    assert resolve("", {}) == ""
    assert not is_set("  ", {})


def test_credentials_are_resolved_from_what_is_stored() -> None:
    instagram = InstagramCredentials.resolved("17841400000000000", "env:INSTAGRAM_API_KEY", ENVIRON)
    assert instagram.token == "IGAAsecret"
    x = XCredentials.resolved(("TWITTER_APP_KEY", "b", "c", "d"), ENVIRON)
    assert (x.app_key, x.app_secret, x.access_token, x.access_secret) == ("key", "b", "c", "d")


def test_a_representation_shows_no_key() -> None:
    assert repr(InstagramCredentials("178", "IGAAsecret")) == "InstagramCredentials(account_id='178')"
    assert repr(XCredentials("a", "b", "c", "d")) == "XCredentials()"


def test_half_filled_credentials_name_what_is_missing() -> None:
    with pytest.raises(Conflict, match="The Instagram account has no access token") as caught:
        InstagramCredentials("178", "")
    assert caught.value.code == "no_credentials"
    with pytest.raises(Conflict, match="no app secret and no access secret"):
        XCredentials("a", "", "c", "")


@pytest.mark.parametrize("token", ["IGAA\nsecret", "IGAA secret", "IGAAß", "IGAA\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(Invalid) as caught:
        InstagramCredentials("178", token)
    assert "IGAA" not in str(caught.value)


@pytest.mark.parametrize("account_id", ["../me", "178/media", "178?x", "luna"])
def test_an_account_id_can_not_change_the_address(account_id: str) -> None:
    with pytest.raises(Invalid):
        InstagramCredentials(account_id, "IGAAsecret")
