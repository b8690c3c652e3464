"""`manage.py api_token`: the token is the last word, and works."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from influencer.web.models import ApiToken
from tests.influencer.web.addresses import make_user

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("api_token", *words, stdout=out)
    return out.getvalue()


def status_with(token: str) -> int:
    return Client().get("/api/echo", headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_printed_token_works_until_revoked(owner: Any) -> None:
    token = run("laptop").split()[-1]
    assert status_with(token) == 200
    assert "laptop" in run("laptop", "--revoke")
    assert status_with(token) == 401


def test_only_its_hash_is_stored(owner: Any) -> None:
    token = run("laptop").split()[-1]
    assert token not in str(list(ApiToken.objects.values()))


def test_it_stands_for_the_named_user_and_may_end(owner: Any) -> None:
    editor = make_user("editor")
    run("laptop", "--user", "editor", "--expires", "30")
    token = ApiToken.objects.get()
    assert token.user == editor
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).days in {29, 30}


def test_a_name_is_used_by_one_live_token(owner: Any) -> None:
    run("laptop")
    with pytest.raises(CommandError, match="already"):
        run("laptop")
    run("laptop", "--revoke")
    run("laptop")


@pytest.mark.parametrize(
    "words", [("x", "--user", "nobody"), ("x", "--revoke"), (" ",), ("x" * 101,), ("x", "--expires", "0")]
)
def test_what_can_not_be_done_is_said(owner: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*words)


def test_without_an_owner_there_is_nobody_to_stand_for(db: None) -> None:
    with pytest.raises(CommandError, match="owner"):
        run("laptop")
