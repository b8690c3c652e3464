"""The page of a post, and the lists of posts, as a browser gets them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from characters.images.models import Image
from characters.models import Character
from characters.publishing import services
from characters.publishing.models import Attempt, Post, PostState
from influencer.jobs.models import Job
from tests.characters.answers import said
from tests.characters.people import someone

pytestmark = pytest.mark.django_db


# --- the page of a post ----------------------------------------------------------------------


def a_post(luna: Character, image: Image | None = None, **fields: Any) -> Post:
    given = {"platform": "x", "account": "sandbox:x", "sandbox": True, "caption": "Good morning", **fields}
    return Post.objects.create(
        key=str(Post.objects.count()), character_id=luna.pk, image_id=image.pk if image else "", **given
    )


def show(client: Client, post: Post, query: str = "") -> str:
    answer = client.get(reverse("publishing:show", args=[post.pk]) + query)
    assert answer.status_code == 200
    return said(answer)


def test_a_published_post_has_its_link_and_words(client: Client, luna: Character, image: Image) -> None:
    post = a_post(
        luna, image, state=PostState.PUBLISHED, permalink="https://x.com/1", sandbox=False, alt_text="A"
    )
    text = show(client, post)
    assert 'href="https://x.com/1"' in text
    assert "published" in text
    assert image.url in text
    assert "labelled as AI-generated" in text


def test_a_sandbox_post_never_reads_published(client: Client, luna: Character) -> None:
    text = show(client, a_post(luna, state=PostState.PUBLISHED, permalink="http://127.0.0.1:1/x/1"))
    assert "published" not in text
    assert "sandbox" in text


def test_an_unknown_outcome_says_what_to_look_at_and_asks_what_was_found(
    client: Client, luna: Character
) -> None:
    error = {"code": "outcome_unknown", "message": "X did not say whether the post went out.", "fix": ""}
    post = a_post(luna, state=PostState.UNKNOWN, sandbox=False, error=error)
    text = show(client, post)
    assert "Nobody knows whether this post went out." in text
    assert 'href="https://x.com/luna_x"' in text
    for answer in ("It is there", "It is not there, post again", "It is not there, leave it"):
        assert answer in text
    assert "Retry" not in text
    assert "every 3s" not in text


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        ("there", "published", "Noted: the post is there."),
        ("post", "reserved", "Posting it now."),
        ("leave", "failed", "Noted: the post did not go out."),
    ],
)
def test_what_was_found_settles_it(client: Client, start: Any, found: str, state: str, words: str) -> None:
    post = start("x")
    Post.objects.update(state=PostState.UNKNOWN)
    Job.objects.update(state="failed")
    answer = client.post(
        reverse("publishing:resolve", args=[post.pk]), {"found": found, "permalink": "https://x.com/1"}
    )
    assert answer.status_code == 303
    post.refresh_from_db()
    assert post.state == state
    assert post.permalink == ("https://x.com/1" if found == "there" else "")
    assert words in show(client, post)


def test_an_answer_that_makes_no_sense_settles_nothing(client: Client, luna: Character) -> None:
    post = a_post(luna, state=PostState.UNKNOWN)
    url = reverse("publishing:resolve", args=[post.pk])
    assert client.post(url, {"found": "maybe"}).status_code == 422
    assert client.post(url, {"found": "there", "permalink": "javascript:alert(1)"}).status_code == 422
    assert client.get(url).status_code == 405
    post.refresh_from_db()
    assert post.state == PostState.UNKNOWN


def test_the_log_names_each_step_in_words(client: Client, luna: Character) -> None:
    post = a_post(luna, state=PostState.FAILED)
    Attempt.objects.create(post=post, step="container", milliseconds=5)
    Attempt.objects.create(
        post=post, step="publish", milliseconds=5, code="190", message="The token has expired."
    )
    Attempt.objects.create(post=post, step="look_up", milliseconds=5, code="not_found", message="Not there.")
    Attempt.objects.create(post=post, step="upload")
    text = show(client, post)
    for words in (
        "Hand over the image",
        "The token has expired.",
        "Ask whether it exists",
        "never came here",
    ):
        assert words in text
    assert "not_found" not in text


def test_a_post_of_a_deleted_character_can_be_looked_at(client: Client) -> None:
    assert "Good morning" in show(client, a_post(Character(id="char_gone")))


def test_a_post_that_is_gone_is_404(client: Client) -> None:
    assert client.get(reverse("publishing:show", args=["post_gone"])).status_code == 404


def test_a_part_of_the_page_is_sent_for_htmx(client: Client, luna: Character) -> None:
    text = show(client, a_post(luna), "?part=body")
    assert "<html" not in text
    assert 'id="post"' in text


# --- lists -----------------------------------------------------------------------------------


def test_the_characters_page_lists_its_posts_by_pages(client: Client, luna: Character) -> None:
    for number in range(12):
        a_post(luna, caption=f"Post number {number}", state=PostState.PUBLISHED)
    text = said(client.get(reverse("characters:detail", args=[luna.pk])))
    assert "Post number 11" in text
    assert "Post number 1<" not in text
    older = said(client.get(reverse("publishing:posts", args=[luna.pk]) + "?posts=2", follow=True))
    assert "Post number 1<" in older
    assert "11–12 of 12" in older


def test_a_card_tells_the_last_post_and_what_is_wrong_with_it(client: Client, luna: Character) -> None:
    a_post(luna, state=PostState.FAILED, error={"code": "190/463", "message": "Expired", "fix": ""})
    text = said(client.get(reverse("characters:list")))
    assert "Failed, 190/463" in text
    a_post(luna, state=PostState.UNKNOWN, error={"code": "outcome_unknown", "message": "?", "fix": ""})
    assert "Outcome not known" in said(client.get(reverse("characters:list")))


def test_cards_and_lists_ask_a_fixed_number_of_questions(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    people = [someone(f"P{number}") for number in range(6)]
    for person in people:
        for _ in range(3):
            a_post(person)
    with django_assert_max_num_queries(2):
        figures = services.card_posts([person.pk for person in people])
    assert all(figures[person.pk].count == 3 for person in people)
    with django_assert_max_num_queries(1):
        services.card_accounts([person.pk for person in people])
    with django_assert_max_num_queries(2):
        services.rows(list(Post.objects.none()) or [Post(image_id="x", job_id="y")])
