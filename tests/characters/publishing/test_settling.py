"""A person settles what is unknown, and wakes what waits: pages and API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from characters import services as characters
from characters.models import Character
from characters.publishing import services, settling
from characters.publishing.models import Post, PostState
from influencer.errors import Invalid
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from tests.characters.stage import Stage, attempt, see_through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def address(name: str, post: Post) -> str:
    return reverse(f"publishing:{name}", args=[post.pk])


@pytest.fixture
def hidden(stage: Stage, start: Any) -> Post:
    """It is out, and X has not shown it while it was asked."""
    stage.control("POST", "limits", {"x_timeline_lag": 400 * 3600})
    stage.order("x", "error_after")
    post = start("x", "Good morning & good night")
    see_through(post.job_id)
    stage.control("POST", "limits", {"x_timeline_lag": 0})
    post.refresh_from_db()
    assert post.state == PostState.UNKNOWN
    return post


# --- picking it among the latest posts -------------------------------------------------------


def test_the_accounts_latest_posts_are_offered_and_one_is_picked(
    stage: Stage, client: Client, hidden: Post
) -> None:
    answer = client.get(address("candidates", hidden))
    [candidate] = answer.context["candidates"]
    assert "Good morning &amp; good night" in answer.content.decode()
    assert candidate.found.id == stage.posts("x")[0]["id"]
    answer = client.post(address("resolve", hidden), {"found": "there", "pick": candidate.pick})
    assert answer.status_code == 303
    hidden.refresh_from_db()
    assert (hidden.state, hidden.remote_id) == (PostState.PUBLISHED, candidate.found.id)
    assert hidden.permalink == candidate.found.permalink


def test_htmx_gets_the_list_alone(client: Client, hidden: Post) -> None:
    answer = client.get(address("candidates", hidden), headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<div class="stack tight" id="candidates">')
    assert "<html" not in answer.content.decode()


def test_the_page_itself_asks_nobody(client: Client, hidden: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "candidates", lambda post: pytest.fail("It asked."))
    text = client.get(address("show", hidden)).content.decode()
    assert "Show the account's latest posts" in text or "Show the account&#x27;s latest posts" in text
    assert address("candidates", hidden) in text


def test_a_post_the_ledger_knows_as_another_is_not_offered(stage: Stage, hidden: Post, start: Any) -> None:
    other = start("x", "Another", force=True)
    see_through(other.job_id)
    ids = [candidate.found.id for candidate in settling.candidates(hidden)]
    other.refresh_from_db()
    assert len(stage.posts("x")) == 2
    assert other.remote_id not in ids
    assert len(ids) == 1


def test_instagrams_posts_are_offered_with_their_own_address(stage: Stage, start: Any) -> None:
    other = start("instagram", "Known")
    see_through(other.job_id)
    other.refresh_from_db()
    Post.objects.filter(pk=other.pk).update(remote_id="")
    [candidate] = settling.candidates(other)
    assert candidate.found.permalink == other.permalink
    assert settling.picked(candidate.pick) == (candidate.found.id, other.permalink)


@pytest.mark.parametrize("trouble", ["me.error_before", "me.token_expired", "timeline.html"])
def test_when_they_can_not_be_read_the_link_can_still_be_pasted(
    stage: Stage, client: Client, hidden: Post, trouble: str
) -> None:
    stage.order("x", trouble, times=0)
    answer = client.get(address("candidates", hidden))
    assert answer.context["candidates"] is None
    assert "can't be read now" in answer.content.decode()
    assert "Link to the post" in answer.content.decode()


def test_the_posts_of_a_deleted_character_or_another_account_are_not_read(
    stage: Stage, hidden: Post, luna: Character
) -> None:
    Post.objects.filter(pk=hidden.pk).update(account="x:another")
    hidden.refresh_from_db()
    assert settling.candidates(hidden) is None
    characters.delete(luna.pk)
    assert settling.candidates(hidden) is None


def test_a_pick_nobody_has_signed_is_refused(client: Client, unknown: Post) -> None:
    with pytest.raises(Invalid):
        settling.picked("WyIxIiwiaHR0cHM6Ly94LmNvbSJd:forged")
    answer = client.post(address("resolve", unknown), {"found": "there", "pick": "forged"})
    assert answer.status_code == 422
    unknown.refresh_from_db()
    assert unknown.state == PostState.UNKNOWN


def test_a_post_that_is_settled_has_nothing_to_pick(client: Client, unknown: Post) -> None:
    services.resolve(unknown.pk, published=False)
    answer = client.get(address("candidates", unknown))
    assert answer.headers["Location"] == address("show", unknown)


@pytest.mark.parametrize(
    ("link", "remote_id"),
    [
        ("https://x.com/luna/status/1445880548472328192", "1445880548472328192"),
        ("https://x.com/i/web/status/1445880548472328192?s=20", "1445880548472328192"),
        ("https://x.com/luna/status/14458805484723281921445", ""),
        ("https://x.com/luna", ""),
        ("", ""),
    ],
)
def test_the_id_is_read_from_the_link_where_it_tells_it(unknown: Post, link: str, remote_id: str) -> None:
    post = services.resolve(unknown.pk, published=True, permalink=link)
    assert (post.state, post.remote_id) == (PostState.PUBLISHED, remote_id)


# --- waking what waits -----------------------------------------------------------------------


@pytest.fixture
def held(stage: Stage, start: Any) -> Post:
    stage.order("x", "upload.credits")
    post = start("x", "Held")
    attempt(post.job_id)
    return post


def test_a_post_that_waits_for_its_account_can_be_tried_now(stage: Stage, client: Client, held: Post) -> None:
    text = client.get(address("show", held)).content.decode()
    assert "The X developer account has no credits left" in text
    assert "Try Now" in text
    assert "It goes on by itself" in text
    assert client.post(address("try_now", held)).status_code == 303
    assert Job.objects.get().state == "queued"
    see_through(held.job_id)
    assert stage.publish_calls("x") == 1
    assert "Try Now" not in client.get(address("show", held)).content.decode()


def test_where_none_waits_there_is_nothing_to_try(client: Client, unknown: Post) -> None:
    assert client.post(address("try_now", unknown)).status_code == 409
    assert client.get(address("try_now", unknown)).status_code == 405


def test_the_same_by_api(stage: Stage, client: Client, held: Post, start: Any) -> None:
    stage.order("x", "upload.credits")
    other = start("x", "Another", force=True)
    attempt(other.job_id)
    answer = client.post(f"/api/posts/{held.pk}/try", "{}", content_type="application/json")
    assert answer.json()["waiting"] == 2
    assert see_through(held.job_id).state == see_through(other.job_id).state == "succeeded"


def test_an_unknown_post_is_settled_by_its_id_over_the_api(client: Client, unknown: Post) -> None:
    body = '{"outcome": "published", "remoteId": "17920238422030506", "permalink": "https://x.com/p/1"}'
    answer = client.post(f"/api/posts/{unknown.pk}/resolve", body, content_type="application/json")
    assert answer.json()["post"]["remoteId"] == "17920238422030506"
    assert jobs.get(unknown.job_id).state == "failed"
