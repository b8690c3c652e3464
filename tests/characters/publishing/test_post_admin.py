"""Posts in the real admin: the ledger is looked at, and what is unknown is settled."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client

from characters.publishing.models import Attempt, Post, PostState
from tests.characters.people import someone

pytestmark = pytest.mark.django_db

LIST = "/admin/publishing/post/"


@pytest.fixture
def owner(db: None) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    return client


def a_post(key: str = "k", **fields: Any) -> Post:
    given = {"character_id": "char_1", "platform": "x", "account": "x:1", "caption": "Hello", **fields}
    return Post.objects.create(key=key, **given)


def found(client: Client, query: str) -> list[str]:
    return [post.pk for post in client.get(LIST + query).context["cl"].result_list]


def settle(client: Client, action: str, *posts: Post) -> str:
    sent = {"action": action, "_selected_action": [post.pk for post in posts]}
    return client.post(LIST, sent, follow=True).content.decode()


def test_the_list_shows_picture_words_and_link(owner: Client) -> None:
    luna = someone()
    a_post(character_id=luna.pk, image_id="img_1", permalink="https://x.com/i/web/status/1")
    page = owner.get(LIST).content.decode()
    assert 'src="/images/img_1/thumbnail"' in page
    assert '<a href="https://x.com/i/web/status/1">' in page
    assert ">Luna</a>" in page
    assert ' style="' not in page


def test_what_happened_in_the_sandbox_never_reads_published(owner: Client) -> None:
    a_post(state=PostState.PUBLISHED, sandbox=True)
    page = owner.get(LIST).content.decode()
    assert '<td class="field-standing">sandbox</td>' in page


def test_posts_are_found_by_their_words_and_state(owner: Client) -> None:
    first = a_post("a", caption="By the sea", state=PostState.PUBLISHED)
    second = a_post("b", character_id=someone("Nova").pk, platform="instagram")
    assert found(owner, "?q=sea") == [first.pk]
    assert found(owner, "?q=nova") == [second.pk]
    assert found(owner, "?state__exact=published") == [first.pk]
    assert found(owner, "?platform__exact=instagram") == [second.pk]


def test_one_shows_every_attempt(owner: Client) -> None:
    post = a_post()
    Attempt.objects.create(post=post, step="publish", http_status=503, code="503", message="try later")
    page = owner.get(f"{LIST}{quote(post.pk)}/change/").content.decode()
    assert "try later" in page
    assert "503" in page


def test_nothing_is_deleted_or_changed(owner: Client) -> None:
    post = a_post()
    assert owner.get(f"{LIST}{post.pk}/delete/").status_code == 403
    assert owner.post(f"{LIST}{quote(post.pk)}/change/", {"caption": "x"}).status_code == 403
    assert "delete_selected" not in owner.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("action", "state"),
    [("settle_published", PostState.PUBLISHED), ("settle_not_published", PostState.FAILED)],
)
def test_an_unknown_outcome_is_settled_by_the_service(owner: Client, action: str, state: PostState) -> None:
    unknown, published = a_post("a", state=PostState.UNKNOWN), a_post("b", state=PostState.PUBLISHED)
    said = settle(owner, action, unknown, published)
    assert f"{unknown.pk} is {state}".capitalize() in said
    assert f"{published.pk}: ".capitalize() + "Only a post whose outcome is unknown" in said
    unknown.refresh_from_db()
    assert unknown.state == state
