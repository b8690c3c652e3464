"""Secrets: masked in print, sealed at rest."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from influencer import vault
from influencer.errors import Unavailable
from influencer.jsondb.secret import Secret, is_plain, named_variable, seal_row, sealed

PATHS = {("key",), ("inner", "token")}


def test_a_secret_never_prints_itself() -> None:
    secret = Secret("open-sesame")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", f"{[secret]}", "%s" % secret]  # noqa: UP031
    assert not [text for text in shown if "sesame" in text]
    assert str(secret) == "********"


def test_an_unset_secret_is_empty_and_false() -> None:
    assert str(Secret()) == ""
    assert not Secret()


def test_only_reveal_gives_it_away() -> None:
    assert Secret("plain").reveal() == "plain"
    assert Secret(vault.seal("closed")).reveal() == "closed"


def test_a_secret_sealed_with_another_key_says_so(settings: Any) -> None:
    secret = Secret(vault.seal("closed"))
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, master_key="another" * 8)
    with pytest.raises(Unavailable) as caught:
        secret.reveal()
    assert caught.value.code == "wrong_key"


def test_secrets_are_equal_by_what_is_stored_and_can_be_pickled() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize(
    ("value", "variable"),
    [
        ("INSTAGRAM_API_KEY", "INSTAGRAM_API_KEY"),
        ("env:TWITTER_APP_KEY", "TWITTER_APP_KEY"),
        ("INSTAGRAM_", ""),
        ("instagram_api_key", ""),
        ("env:HOME", ""),
        ("XINSTAGRAM_KEY", ""),
        ("INSTAGRAM_KEY extra", ""),
        ("INSTAGRAM_KEY\n", ""),
        ("", ""),
    ],
)
def test_only_two_families_of_variables_are_names(value: str, variable: str) -> None:
    assert named_variable(value) == variable
    assert Secret(value).variable == variable


@pytest.mark.parametrize("value", ["INSTAGRAM_API_KEY", "env:TWITTER_X", "env:HOME", "", vault.PREFIX + "x"])
def test_names_of_variables_and_sealed_values_stay_as_they_are(value: str) -> None:
    assert not is_plain(value)
    assert sealed(value) == value


def test_sealing_a_row_leaves_the_given_one_untouched() -> None:
    row = {"id": "a", "key": "plain", "inner": {"token": "t", "other": 1}}
    closed = seal_row(row, PATHS)
    assert row["key"] == "plain"
    assert vault.unseal(closed["key"]) == "plain"
    assert vault.is_sealed(closed["inner"]["token"])
    assert closed["inner"]["other"] == 1


def test_a_row_with_nothing_to_seal_is_given_back_itself() -> None:
    row = {"id": "a", "key": "INSTAGRAM_API_KEY"}
    assert seal_row(row, PATHS) is row
