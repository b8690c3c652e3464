"""Sign-in: who gets through, who is slowed down, where it leads."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import Client

from tests.influencer.web.addresses import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a sentence works well"


def sign_in(client: Client, password: str = PASSWORD, name: str = "owner", **more: Any) -> Any:
    return client.post("/login/", {"username": name, "password": password}, **more)


def test_the_right_password_opens_the_page_that_was_asked_for(owner: Any) -> None:
    client = Client()
    asked = client.get("/page/?q=luna")
    assert asked.status_code == 302
    assert asked["Location"] == "/login/?next=%2Fpage%2F%3Fq%3Dluna"
    answer = client.post(
        asked["Location"], {"username": "owner", "password": PASSWORD, "next": "/page/?q=luna"}
    )
    assert (answer.status_code, answer["Location"]) == (303, "/page/?q=luna")
    assert client.get("/page/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "javascript:alert(1)"],
)
def test_sign_in_never_leads_to_another_site(owner: Any, elsewhere: str) -> None:
    answer = Client().post("/login/", {"username": "owner", "password": PASSWORD, "next": elsewhere})
    assert answer["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_way_back(owner: Any) -> None:
    answer = Client().post("/login/", {"username": "owner", "password": "wrong", "next": "/page/"})
    assert answer.status_code == 422
    assert "User name or password is wrong" in answer.content.decode()
    assert 'name="next" value="/page/"' in answer.content.decode()


def test_an_unknown_name_is_answered_like_a_wrong_password(owner: Any) -> None:
    known, unknown = sign_in(Client(), "wrong"), sign_in(Client(), "wrong", "nobody")
    assert known.status_code == unknown.status_code == 422
    assert "User name or password is wrong" in unknown.content.decode()


def test_the_sixth_failure_in_five_minutes_is_refused_with_a_sentence(owner: Any) -> None:
    client = Client()
    assert [sign_in(client, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    refused = sign_in(client)
    assert refused.status_code == 429
    assert "Too many attempts failed. Wait" in refused.content.decode()
    assert 0 < int(refused["Retry-After"]) <= 300
    assert client.get("/page/").status_code == 302


def test_another_address_is_not_locked_out_with_it(owner: Any) -> None:
    for _ in range(6):
        sign_in(Client(), "wrong", REMOTE_ADDR="10.0.0.1")
    assert sign_in(Client(), REMOTE_ADDR="10.0.0.2").status_code == 303


def test_one_address_can_not_try_many_names(owner: Any) -> None:
    tried = [sign_in(Client(), "wrong", f"name{n}").status_code for n in range(31)]
    assert (tried[29], tried[30]) == (422, 429)


def test_the_right_password_clears_the_count(owner: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in(Client(), "wrong")
        assert sign_in(Client()).status_code == 303


def test_a_forwarded_address_counts_only_from_the_trusted_proxy(owner: Any, settings: Any) -> None:
    for n in range(6):
        sign_in(Client(), "wrong", HTTP_X_FORWARDED_FOR=f"10.1.1.{n}")
    assert sign_in(Client()).status_code == 429
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, trusted_proxy="127.0.0.1")
    assert sign_in(Client(), HTTP_X_FORWARDED_FOR="6.6.6.6, 10.1.1.9").status_code == 303


def test_who_is_signed_in_skips_the_sign_in_page(signed_in: Client) -> None:
    assert signed_in.get("/login/?next=/page/")["Location"] == "/page/"


def test_sign_out_is_a_post_and_ends_the_session(signed_in: Client) -> None:
    assert signed_in.get("/logout/").status_code == 405
    assert signed_in.post("/logout/")["Location"] == "/login/"
    assert signed_in.get("/page/").status_code == 302


def test_without_an_account_the_page_says_how_to_make_one() -> None:
    assert "There is no account yet" in Client().get("/login/").content.decode()


def test_the_admin_has_no_sign_in_of_its_own(owner: Any) -> None:
    assert Client().get("/admin/login/")["Location"].startswith("/login/?next=")
    editor = make_user("editor", is_staff=True)
    editor.is_superuser = editor.is_staff = False
    editor.save()
    client = Client()
    client.force_login(editor)
    denied = client.get("/admin/", follow=True)
    assert denied.status_code == 403
    assert b"password" not in denied.content
    assert client.post("/admin/login/", {"username": "owner", "password": PASSWORD}).status_code == 403


def test_a_form_without_its_token_is_refused_with_words(owner: Any) -> None:
    answer = sign_in(Client(enforce_csrf_checks=True))
    assert answer.status_code == 403
    assert "Reload it and send it again" in answer.content.decode()


@pytest.mark.parametrize("path", ["/login/", "/healthz", "/m/token", "/favicon.ico"])
def test_a_few_paths_are_open(path: str) -> None:
    assert "/login/?next" not in Client().get(path).get("Location", "")


@pytest.mark.parametrize("path", ["/", "/page/", "/admin/", "/styleguide/", "/nowhere/", "/restore/x.json/"])
def test_everything_else_needs_sign_in(path: str) -> None:
    assert Client().get(path)["Location"].startswith("/login/")


def test_a_fragment_asked_for_after_the_session_ended_takes_its_page_to_sign_in() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/page/?q=1"}
    answer = Client().get("/bug/", headers=headers)
    assert answer["HX-Redirect"] == "/login/?next=%2Fpage%2F%3Fq%3D1"


def test_head_is_answered_like_get(signed_in: Client) -> None:
    assert Client().head("/login/").status_code == 200
    assert signed_in.head("/").status_code == 302
