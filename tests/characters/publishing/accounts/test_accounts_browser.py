"""Accounts and posts in a real Chromium: connect, check, renew, resume, find, try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from characters import services as characters
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import standing, tokens
from characters.publishing.models import Attempt, Post, PostState
from characters.publishing.standing_models import AccountStanding
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.opening import SCREENS, OpenPage, look
from tests.characters.people import someone
from tests.characters.publishing.course import refusal
from tests.characters.publishing.realm import ID, TOKEN, X_KEYS, advance, owner_of, place, pretend
from tests.characters.stage import Stage, see_through

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def real(settings: Any, stage: Stage) -> None:
    pretend(settings, stage)


def page_of(character: Character) -> str:
    return reverse("characters:detail", args=[character.pk])


def ending(character: Character, days: float = 5.5) -> None:
    """Its token has so many days left."""
    tokens.note(character, place(character))
    AccountStanding.objects.filter(pk=place(character).key).update(
        token_since=timezone.now() - tokens.LIFE + timedelta(days=days),
        expires_at=timezone.now() + timedelta(days=days),
        last_ok_at=timezone.now(),
    )


def connections(page: Page) -> Any:
    return page.get_by_role("list", name="Connections")


def said(page: Page, words: str) -> Any:
    """A toast."""
    return page.get_by_role("status").filter(has_text=words)


@pytest.mark.parametrize("screen", SCREENS)
def test_accounts_guide_and_question_are_accessible(open_product: OpenPage, screen: str) -> None:
    luna = owner_of(f"EAA-{ID}-user", **X_KEYS)
    ending(luna)
    standing.refused(place(luna).key, refusal(4, 2207051))
    page = open_product(page_of(luna), screen=screen)
    expect(connections(page)).to_contain_text("Better not before")
    look(page)
    page.get_by_role("link", name="How to connect Instagram").click()
    expect(page.get_by_role("heading", name="Make the account professional")).to_be_visible()
    look(page)


def test_an_account_is_connected_by_the_guide(open_product: OpenPage) -> None:
    luna = someone()
    page = open_product(page_of(luna))
    page.get_by_role("link", name="How to connect Instagram").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("link", name="Facebook Login").click()
    expect(dialog.get_by_role("heading", name="Make it last")).to_be_visible()
    dialog.get_by_role("link", name="Instagram Login").click()
    expect(dialog.get_by_role("heading", name="Let the account test the app")).to_be_visible()
    dialog.get_by_label("Instagram account id").fill(ID)
    dialog.get_by_label("Instagram access token").fill("IGAA-REVOKED")
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog).to_contain_text("The owner of the account has removed the app (code 190/458).")
    dialog.get_by_label("Instagram access token").fill(f"IGAA-{ID}-SANDBOX-luna_mystic")
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog).to_contain_text("Instagram answers: @luna_mystic.")
    dialog.get_by_role("link", name="Close").click()
    expect(connections(page)).to_contain_text("Instagram @luna_mystic · Luna Mystic")
    expect(connections(page).get_by_text("ok", exact=True)).to_be_visible()


def test_a_check_shows_name_and_image_where_it_was_asked(open_product: OpenPage) -> None:
    luna = owner_of(f"IGAA-{ID}-SANDBOX-luna_mystic")
    page = open_product(page_of(luna))
    page.get_by_role("button", name="Check connection to Instagram").click()
    expect(said(page, "Instagram answers: @luna_mystic.")).to_be_visible()
    expect(connections(page).locator("img")).to_be_visible()
    expect(page.locator("#hero")).to_contain_text("Instagram: ok")


def test_a_token_about_to_expire_is_renewed(open_product: OpenPage, stage: Stage) -> None:
    luna = owner_of()
    accounts.publisher(luna, place(luna)).account()
    advance(stage, 54)
    ending(luna)
    page = open_product("/characters/")
    expect(page.get_by_role("list", name="Accounts")).to_contain_text("expires in 6 d")
    page.get_by_role("link", name="Luna", exact=True).click()
    expect(connections(page)).to_contain_text("The token expires in 6 d (estimated).")
    page.get_by_role("button", name="Renew token").click()
    expect(connections(page)).to_contain_text("renewing the token")
    see_through(Job.objects.get().pk)
    expect(connections(page)).to_contain_text("The token expires in 60 d. Renewed")
    assert characters.get(luna.pk).instagram_api_key.reveal() != TOKEN


def test_a_token_that_could_not_be_renewed_says_what_to_do(open_product: OpenPage) -> None:
    luna = owner_of(f"EAA-{ID}-user")
    ending(luna, 0.5)
    page = open_product(page_of(luna))
    expect(connections(page)).to_contain_text("expires in 1 d")
    page.get_by_role("button", name="Renew token").click()
    expect(said(page, "Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET")).to_be_visible()


def test_a_paused_account_is_resumed_after_a_question(open_product: OpenPage) -> None:
    luna = owner_of()
    standing.refused(place(luna).key, refusal(4, 2207051))
    page = open_product(page_of(luna))
    page.get_by_role("link", name="Resume Instagram").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It should rest for 24 h")
    expect(dialog.get_by_role("link", name="Leave it paused")).to_be_focused()
    dialog.get_by_role("button", name="Resume").click()
    expect(said(page, "Instagram is open again for Luna.")).to_be_visible()
    expect(connections(page)).not_to_contain_text("Paused")


def posts_of(luna: Character) -> None:
    """Twelve that are out, and one that failed."""
    for number in range(12):
        words = {"caption": f"Number {number}.", "state": PostState.PUBLISHED}
        Post.objects.create(key=f"k{number}", character_id=luna.pk, platform="x", account="x:1", **words)
    job = jobs.start("publish_post", character_id=luna.pk, request={"postId": "p"})
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, error={"code": "2"})
    post = Post.objects.create(
        key="f",
        character_id=luna.pk,
        platform="instagram",
        account="i",
        caption="Broken",
        state=PostState.FAILED,
        job_id=job.pk,
    )
    Attempt.objects.create(
        post=post, step="publish", milliseconds=9, http_status=500, code="2", message="Down."
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_posts_are_found_looked_into_and_tried_again(open_product: OpenPage, screen: str) -> None:
    luna = someone()
    posts_of(luna)
    page = open_product(page_of(luna), screen=screen)
    posts = page.get_by_role("region", name="Posts")
    posts.get_by_role("link", name="Older").click()
    expect(posts).to_contain_text("11–13 of 13")
    posts.get_by_label("State").select_option("Failed")
    expect(posts).to_contain_text("1 post")
    page.wait_for_url("**posts-state=failed#posts")
    posts.get_by_text("What happened").click()
    expect(posts).to_contain_text("HTTP 500")
    look(page)
    page.reload()
    expect(posts.get_by_label("State")).to_have_value("failed")
    posts.get_by_role("button", name="Retry").click()
    expect(said(page, "Trying again from the step that failed.")).to_be_visible()
    posts.get_by_label("State").select_option("Every state")
    posts.get_by_label("Search posts").fill("number 7")
    expect(posts).to_contain_text("Number 7.")
    expect(posts).not_to_contain_text("Number 8.")
    with page.expect_download() as download:
        posts.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "posts-luna.csv"
