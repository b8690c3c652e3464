"""Composing and settling posts in a real Chromium: live, by keyboard, without scripts, accessible."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from characters.images.models import Image
from characters.models import Character
from characters.publishing.models import Post, PostState
from influencer.jobs import services as jobs
from tests.characters.opening import SCREENS, OpenPage, look, tab_to
from tests.characters.stage import Stage, attempt, see_through
from tests.influencer.jobs.factories import put

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Behind the third arch the air is colder, and it smells of snow. " * 5


def composer(luna: Character, platform: str = "instagram", image: Image | None = None) -> str:
    path = reverse("publishing:compose", args=[luna.pk, platform])
    return f"{path}?image={image.pk}" if image else path


def write(page: Page, text: str) -> None:
    page.get_by_label("Caption").fill(text)


def fail(post: Post) -> None:
    error = {"code": "2", "message": "X is out of order.", "fix": ""}
    put(jobs.get(post.job_id), state="failed", error=error, finished_at=timezone.now())
    Post.objects.filter(pk=post.pk).update(state=PostState.FAILED, error=error)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_of_composer_and_post_is_accessible(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image, screen: str, hurried: None
) -> None:
    page = open_product(composer(luna), screen=screen)
    look(page)
    page.goto(composer(luna, "x", image))
    write(page, LONG)
    expect(page.locator("mark")).to_be_visible()
    look(page)
    write(page, "Good morning")
    stage.order("x", "error_before", times=2)
    page.get_by_role("button", name="Post to X").click()
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    look(page)
    see_through(Post.objects.get().job_id)
    expect(page.get_by_text("Nobody knows whether this post went out.")).to_be_visible()
    look(page)
    page.goto(composer(luna, "x", image))
    page.get_by_role("button", name="Post to X").click()
    expect(page.get_by_role("button", name="Post the same again")).to_be_visible()
    look(page)


def test_counter_preview_and_checks_follow_the_words(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    page = open_product(composer(luna, "x", image))
    counter = page.locator("[data-count-of=id_caption]")
    write(page, "日本 https://example.com/a/long/way 👩‍👩‍👧")
    expect(counter).to_have_text("31 of 280")
    expect(page.locator("#live")).to_contain_text("https://example.com/a/long/way")
    expect(page.locator("#before")).to_contain_text("31 of 280 characters.")
    write(page, LONG)
    expect(counter).to_have_class(re.compile("bad"))
    expect(page.get_by_label("Caption")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#live mark")).to_be_visible()
    expect(page.locator("#before")).to_contain_text("characters too long for X.")
    expect(page.locator("#before")).to_contain_text("1 to fix, 1 to check")
    write(page, "Short")
    expect(page.get_by_label("Caption")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Alt text").fill("A tree")
    expect(page.locator("#before")).to_contain_text("All fine")
    page.locator(".pick input").first.check()
    expect(page.locator("#live .hole")).to_be_visible()
    expect(page.get_by_label("Prompt")).to_be_visible()
    page.get_by_label("Label as AI-generated").uncheck()
    expect(page.locator("#live")).not_to_contain_text("Made with AI")


def test_the_list_is_there_at_once_and_answers_fill_in_by_themselves(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    stage.order("instagram", "me.slow", seconds=1)
    page = open_product(composer(luna, "instagram", image))
    before = page.locator("#before")
    expect(before).to_contain_text("Does Instagram take the account?")
    expect(before).to_contain_text("Image is made to fit")
    write(page, "Typed while Instagram is asked")
    expect(before).to_contain_text("30 of 2\u202f200 characters.")
    expect(before).to_contain_text("answers as @luna_mystic")
    expect(before).to_contain_text("posts left today")
    expect(before).to_contain_text("The image can be fetched")
    expect(before.get_by_role("button", name="Ask now")).to_have_count(0)
    expect(page.get_by_label("Caption")).to_have_value("Typed while Instagram is asked")
    assert before.locator("li").count() == 7


@pytest.mark.parametrize("screen", SCREENS)
def test_red_amber_and_green_are_said_in_words_too(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image, screen: str
) -> None:
    page = open_product(composer(luna, "x", image), screen=screen)
    write(page, f"https://example.com {LONG}")
    page.get_by_label("Label as AI-generated").uncheck()
    page.get_by_label("Why is it not labelled?").fill("A photograph")
    before = page.locator("#before")
    expect(before).to_contain_text("answers as @luna_x")
    expect(before).to_contain_text("Not labelled as AI-generated")
    for word in ("Must be fixed:", "Check:", "Fine:"):
        expect(before).to_contain_text(word)
    look(page)
    before.get_by_role("link", name="Write it").click()
    expect(page.get_by_label("Alt text")).to_be_in_viewport()


def test_switching_the_place_keeps_the_words(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    page = open_product(composer(luna, "instagram", image))
    write(page, "Kept")
    page.get_by_role("group", name="Where").get_by_role("button").click()
    page.wait_for_url("**/post/x/")
    expect(page.get_by_label("Caption")).to_have_value("Kept")
    expect(page.get_by_role("button", name="Post to X")).to_be_visible()
    expect(page.locator(".pick input:checked")).to_have_value(image.pk)


def test_a_post_is_written_and_sent_by_keyboard_alone(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    page = open_product(composer(luna))
    page.locator(".pick input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pick input:checked")).to_have_value(image.pk)
    page.get_by_label("Caption").focus()
    page.keyboard.type("By keyboard")
    tab_to(page, "Post")
    page.keyboard.press("Enter")
    page.wait_for_url("**/posts/**")
    see_through(Post.objects.get().job_id)
    expect(page.get_by_role("link", name="See the post")).to_be_visible()
    assert stage.posts("instagram")[0]["text"] == "By keyboard"


def test_a_double_click_is_one_post(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    page = open_product(composer(luna, "x", image))
    write(page, "Once")
    page.get_by_role("button", name="Post to X").dblclick()
    page.wait_for_url("**/posts/**")
    assert Post.objects.count() == 1


def test_the_same_again_takes_one_more_click(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image, start: Any
) -> None:
    first = start("instagram")
    page = open_product(composer(luna, "instagram", image))
    write(page, "Another day")
    page.get_by_role("button", name="Post", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This image went to this Instagram account within the last 30 days.")
    expect(alert.get_by_role("link", name="The earlier post")).to_have_attribute(
        "href", f"/posts/{first.pk}/"
    )
    expect(page.get_by_label("Caption")).to_have_value("Another day")
    alert.get_by_role("button", name="Post the same again").click()
    page.wait_for_url("**/posts/**")
    assert Post.objects.count() == 2


def test_a_post_is_followed_from_queue_to_link_without_a_reload(
    open_product: OpenPage, stage: Stage, start: Any
) -> None:
    post = start("instagram")
    page = open_product(reverse("publishing:show", args=[post.pk]))
    page.evaluate("window.same = true")
    see_through(post.job_id)
    link = page.get_by_role("link", name="See the post")
    expect(link).to_have_attribute("href", re.compile(re.escape(stage.url)))
    expect(page.locator(".timeline")).to_contain_text("Publish")
    assert page.evaluate("window.same")


def test_a_post_tried_again_in_the_list_shows_how_it_ended(
    open_product: OpenPage, stage: Stage, luna: Character, start: Any
) -> None:
    post = start("x")
    fail(post)
    page = open_product(reverse("characters:detail", args=[luna.pk]))
    posts = page.locator("#posts")
    posts.get_by_role("button", name="Retry").click()
    expect(page.locator(".toast", has_text="Trying again")).to_be_visible()
    expect(page.locator(".topbar .chip.live")).to_contain_text("1 queued")
    see_through(post.job_id)
    expect(posts.locator("a.chip")).to_contain_text("sandbox")


def test_a_post_tried_again_on_its_page_is_no_longer_called_failed(
    open_product: OpenPage, stage: Stage, start: Any
) -> None:
    post = start("x")
    fail(post)
    page = open_product(reverse("publishing:show", args=[post.pk]))
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    Post.objects.filter(pk=post.pk).update(state=PostState.PREPARED)
    expect(page.locator("#post .chip").first).to_contain_text("uploading")


def test_an_unknown_outcome_is_asked_about_then_settled_by_hand(
    open_product: OpenPage, stage: Stage, start: Any
) -> None:
    stage.order("x", "error_before", times=2)
    post = start("x")
    page = open_product(reverse("publishing:show", args=[post.pk]))
    attempt(post.job_id)
    expect(page.get_by_text("Asking X whether the post exists", exact=True)).to_be_visible()
    expect(page.locator(".chip", has_text="asking X")).to_be_visible()
    see_through(post.job_id)
    notice = page.locator(".notice.warn")
    expect(notice).to_contain_text("Nobody knows whether this post went out.")
    account = notice.get_by_role("link", name="the account", exact=True)
    expect(account).to_have_attribute("href", f"{stage.url}/x/feed/")
    notice.get_by_role("link", name="Show the account's latest posts").click()
    expect(notice).to_contain_text("X shows no other post of this account.")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    notice.get_by_role("button", name="It is not there, post again").click()
    expect(page.locator(".toast", has_text="Posting it now.")).to_be_visible()
    see_through(post.job_id)
    expect(page.get_by_role("link", name="See the post")).to_be_visible()
    assert len(stage.posts("x")) == 1


def test_everything_works_without_scripts(
    open_product: OpenPage, stage: Stage, luna: Character, image: Image
) -> None:
    page = open_product(composer(luna, "x"), java_script_enabled=False)
    page.locator(f".pick input[value={image.pk}]").check(force=True)
    write(page, LONG)
    page.get_by_role("button", name="Post to X").click()
    expect(page.get_by_text("Caption is 39 characters too long for X.").first).to_be_visible()
    write(page, "Without scripts")
    page.get_by_role("button", name="Post to X").click()
    expect(page.get_by_text("Posting Luna to X.")).to_be_visible()
    see_through(Post.objects.get().job_id)
    page.reload()
    expect(page.get_by_role("link", name="See the post")).to_be_visible()
    assert Post.objects.get().state == PostState.PUBLISHED
