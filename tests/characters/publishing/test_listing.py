"""The list of posts: filtered, searched, in pages, tried again, carried off."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from characters.models import Character
from characters.publishing import export, listing
from characters.publishing.models import Attempt, Post, PostState
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from influencer.web import tokens
from tests.characters.browsing import htmx, text, toast
from tests.characters.people import someone

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="owner", is_staff=True, is_superuser=True))
    return client


def a_post(character: Character, caption: str = "Hello", **fields: Any) -> Post:
    number = Post.objects.count()
    given = {"platform": "x", "account": "x:1", "state": PostState.PUBLISHED, **fields}
    post: Post = Post.objects.create(key=f"k{number}", character_id=character.pk, caption=caption, **given)
    Post.objects.filter(pk=post.pk).update(created_at=timezone.now() + timedelta(seconds=number))
    return post


def failed(character: Character, caption: str = "Broken") -> Post:
    """A post whose job has failed at its second step."""
    job = jobs.start("publish_post", character_id=character.pk, request={"postId": "p"})
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, error={"code": "2", "message": "Down."})
    error = {"code": "2", "message": "Instagram is out of order.", "fix": ""}
    post = a_post(
        character, caption, state=PostState.FAILED, platform="instagram", error=error, job_id=job.pk
    )
    Attempt.objects.create(post=post, step="container", milliseconds=120, http_status=200)
    Attempt.objects.create(
        post=post, step="publish", milliseconds=80, http_status=500, code="2", message="Out of order."
    )
    return post


def page(character: Character, query: str = "") -> str:
    return reverse("characters:detail", args=[character.pk]) + query


def fragment(client: Client, character: Character, query: str = "") -> Any:
    return client.get(reverse("publishing:posts", args=[character.pk]) + query, headers=htmx("post-list"))


@pytest.fixture
def luna() -> Character:
    """With a post in each state."""
    luna = someone()
    a_post(luna, "Out on X")
    a_post(luna, "Out on Instagram", platform="instagram", alt_text="A grey harbour")
    a_post(luna, "On its way", state=PostState.PREPARED)
    a_post(luna, "Who knows", state=PostState.UNKNOWN)
    failed(luna)
    return luna


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Broken", "Who knows", "On its way", "Out on Instagram", "Out on X"]),
        ("?posts-state=failed", ["Broken"]),
        ("?posts-state=open", ["On its way"]),
        ("?posts-state=unknown", ["Who knows"]),
        ("?posts-platform=instagram", ["Broken", "Out on Instagram"]),
        ("?posts-state=published&posts-platform=x", ["Out on X"]),
        ("?posts-q=HARBOUR", ["Out on Instagram"]),
        ("?posts-state=nonsense", ["Broken", "Who knows", "On its way", "Out on Instagram", "Out on X"]),
    ],
)
def test_the_list_is_filtered_by_what_stands_in_the_address(
    client: Client, luna: Character, query: str, shown: list[str]
) -> None:
    for answer in (client.get(page(luna, query)), fragment(client, luna, query)):
        words = text(answer)
        positions = [words.find(caption) for caption in shown]
        assert positions == sorted(positions) and positions[0] >= 0
        others = {"Broken", "Who knows", "On its way", "Out on Instagram", "Out on X"} - set(shown)
        assert not [caption for caption in others if f" {caption} " in words]


def test_the_pages_address_follows_the_filter(client: Client, luna: Character) -> None:
    answer = fragment(client, luna, "?posts-q=&posts-state=failed&posts-platform=")
    assert answer["HX-Replace-Url"] == f"/characters/{luna.pk}/?posts-state=failed#posts"


def test_a_list_that_loads_itself_anew_leaves_the_pages_address_alone(
    client: Client, luna: Character
) -> None:
    by_itself = {**htmx("post-list"), "HX-Trigger": "post-list"}
    answer = client.get(reverse("publishing:posts", args=[luna.pk]), headers=by_itself)
    assert "HX-Replace-Url" not in answer


def test_without_htmx_the_filter_leads_to_the_page(client: Client, luna: Character) -> None:
    answer = client.get(reverse("publishing:posts", args=[luna.pk]) + "?posts-state=failed", follow=True)
    assert answer.redirect_chain == [(f"/characters/{luna.pk}/?posts-state=failed#posts", 303)]
    assert '<option value="failed" selected>' in answer.content.decode()


def test_the_pages_keep_the_filter(client: Client) -> None:
    luna = someone()
    for number in range(25):
        a_post(luna, f"Number {number}.")
    a_post(luna, "Another", platform="instagram")
    answer = fragment(client, luna, "?posts=2&posts-platform=x")
    words = text(answer)
    assert "11–20 of 25" in words and "Number 14." in words and "Number 15." not in words
    assert (
        "posts=3&amp;posts-platform=x" in fragment(client, luna, "?posts=2&posts-platform=x").content.decode()
    )


def test_a_filter_nothing_fits_offers_all(client: Client, luna: Character) -> None:
    assert "No post fits. Show all" in text(fragment(client, luna, "?posts-q=nothing+like+it"))


def test_the_menu_counts_all_posts_whatever_is_shown(client: Client, luna: Character) -> None:
    section = client.get(page(luna, "?posts-state=failed")).context["sections"]
    assert next(one.context["count"] for one in section if one.section.slug == "posts") == 5


def test_each_attempt_is_told_with_step_status_code_and_words(client: Client, luna: Character) -> None:
    words = text(fragment(client, luna, "?posts-state=failed"))
    assert "Hand over the image" in words and "HTTP 200 · 120 ms" in words
    assert "Publish 2 Out of order." in words and "HTTP 500 · 80 ms" in words


def test_a_long_list_asks_a_fixed_number_of_questions(
    client: Client, luna: Character, django_assert_max_num_queries: Any
) -> None:
    for _ in range(8):
        failed(luna)
    with django_assert_max_num_queries(9):
        fragment(client, luna)


# --- again -----------------------------------------------------------------------------------


def test_a_failed_post_is_tried_again_from_the_list(client: Client, luna: Character) -> None:
    post = Post.objects.get(state=PostState.FAILED)
    address = reverse("publishing:retry", args=[post.pk])
    answer = client.post(f"{address}?posts-state=failed", headers=htmx("post-list"))
    assert toast(answer) == "Trying again from the step that failed."
    assert Job.objects.get().state == JobState.QUEUED
    assert "Broken" in text(answer)


def test_a_post_that_has_not_failed_is_left_alone(client: Client, luna: Character) -> None:
    post = Post.objects.get(state=PostState.UNKNOWN)
    answer = client.post(reverse("publishing:retry", args=[post.pk]), headers=htmx("post-list"))
    assert toast(answer) == "Only a failed post can be tried again."


def test_without_htmx_a_retry_leads_back_to_the_list(client: Client, luna: Character) -> None:
    post = Post.objects.get(state=PostState.FAILED)
    answer = client.post(reverse("publishing:retry", args=[post.pk]) + "?posts-state=failed")
    assert answer["Location"] == f"/characters/{luna.pk}/?posts-state=failed#posts"


def test_a_post_somebody_said_was_not_there_can_be_posted_after_all(client: Client, luna: Character) -> None:
    post = Post.objects.get(state=PostState.FAILED)
    Post.objects.filter(pk=post.pk).update(error={"code": "not_published", "message": "", "fix": ""})
    Job.objects.update(error={"code": "outcome_unknown"})
    answer = client.post(reverse("publishing:retry", args=[post.pk]), headers=htmx("post-list"))
    assert toast(answer) == "Trying again from the step that failed."


# --- carried off -----------------------------------------------------------------------------


def lines(answer: Any) -> list[dict[str, str]]:
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_posts_are_exported_as_csv_with_the_filter(client: Client, luna: Character) -> None:
    answer = client.get(reverse("publishing:export", args=[luna.pk, "csv"]) + "?posts-state=failed")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"] == 'attachment; filename="posts-luna.csv"'
    [row] = lines(answer)
    assert (row["character"], row["caption"], row["status"], row["errorCode"], row["attempts"]) == (
        "Luna",
        "Broken",
        "failed",
        "2",
        "2",
    )


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1"])
def test_no_cell_is_a_formula(client: Client, start: str) -> None:
    luna = someone()
    a_post(luna, start, alt_text=f"{start}|cmd")
    [row] = lines(client.get(reverse("publishing:export", args=[luna.pk, "csv"])))
    assert (row["caption"], row["altText"]) == (f"'{start}", f"'{start}|cmd")


def test_quotes_lines_and_signs_survive_the_csv(client: Client) -> None:
    luna = someone()
    a_post(luna, 'She said "ah",\nthen left · 日本')
    [row] = lines(client.get(reverse("publishing:export", args=[luna.pk, "csv"])))
    assert row["caption"] == 'She said "ah",\nthen left · 日本'


def test_posts_are_exported_as_json_with_their_attempts(client: Client, luna: Character) -> None:
    answer = client.get(reverse("publishing:export", args=[luna.pk, "json"]))
    found = json.loads(b"".join(answer.streaming_content))
    assert [post["caption"] for post in found][:2] == ["Broken", "Who knows"]
    assert [attempt["httpStatus"] for attempt in found[0]["attempts"]] == [200, 500]


def test_no_posts_are_an_empty_list(client: Client) -> None:
    answer = client.get(reverse("publishing:export", args=[someone().pk, "json"]))
    assert json.loads(b"".join(answer.streaming_content)) == []


def test_many_posts_are_written_as_they_are_read(luna: Character, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 2)
    parts = export.csv_parts(listing.search(character_id=luna.pk))
    assert next(parts).startswith("\ufeffid,characterId")
    assert len(list(parts)) == 5


def test_another_kind_of_file_is_not_found(client: Client, luna: Character) -> None:
    assert client.get(reverse("publishing:export", args=[luna.pk, "xml"])).status_code == 404


# --- the API and the admin -------------------------------------------------------------------


@pytest.fixture
def api(client: Client) -> Any:
    headers = {"Authorization": f"Bearer {tokens.make('test', username='owner')}"}
    return lambda query: Client().get(f"/api/posts{query}", headers=headers)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 5),
        ("?status=open", 1),
        ("?platform=twitter&status=published", 1),
        ("?q=harbour", 1),
        ("?q=zzz", 0),
    ],
)
def test_the_api_filters_the_same_way(api: Any, luna: Character, query: str, total: int) -> None:
    assert api(query).json()["total"] == total


def test_the_api_gives_all_posts_as_a_file(api: Any, luna: Character) -> None:
    assert len(lines(api("?format=csv"))) == 5
    assert len(json.loads(b"".join(api("?format=json&status=failed").streaming_content))) == 1
    assert api("?format=xml").json()["code"] == "invalid"


def test_the_admin_exports_and_retries_what_is_chosen(client: Client, luna: Character) -> None:
    post = Post.objects.get(state=PostState.FAILED)
    sent = {"_selected_action": [post.pk]}
    listed = "/admin/publishing/post/"
    assert lines(client.post(listed, {"action": "export_csv", **sent}))[0]["id"] == post.pk
    exported = client.post(listed, {"action": "export_json", **sent})
    assert json.loads(b"".join(exported.streaming_content))[0]["id"] == post.pk
    assert "is tried again" in text(client.post(listed, {"action": "retry_posts", **sent}, follow=True))
    assert "Only a failed post" in text(
        client.post(
            listed,
            {
                "action": "retry_posts",
                "_selected_action": [Post.objects.get(state=PostState.UNKNOWN).pk],
            },
            follow=True,
        )
    )


def test_the_admin_shows_how_accounts_stand(client: Client) -> None:
    from characters.publishing.accounts import standing

    standing.pause("x:1", "looks_automated", "X takes the posting for automated.")
    shown = client.get("/admin/publishing/accountstanding/x_3A1/change/").content.decode()
    assert "X takes the posting for automated." in shown
    assert "token_mark" not in shown
