"""The composer as a browser gets it, with and without htmx."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.checks import asking
from characters.publishing.models import Post
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.jobs.models import Job
from tests.characters.answers import said
from tests.characters.people import X, someone
from tests.characters.stage import drawn

pytestmark = pytest.mark.django_db


def page(luna: Character, platform: str = "instagram", query: str = "") -> str:
    return reverse("publishing:compose", args=[luna.pk, platform]) + query


def send(client: Client, luna: Character, platform: str = "instagram", **fields: Any) -> Any:
    body = {"nonce": "n1", "caption": "Good morning", "ai_label": "on", **fields}
    headers = {"HX-Request": "true"} if body.pop("htmx", False) else {}
    return client.post(page(luna, platform), body, headers=headers)


# --- writing ---------------------------------------------------------------------------------


def test_the_composer_starts_with_a_new_image_and_the_composed_prompt(
    client: Client, luna: Character
) -> None:
    Character.objects.change(luna.pk, lambda record: setattr(record, "base_prompt", "a portrait"))
    answer = client.get(page(luna))
    assert answer.status_code == 200
    assert "luna_character, a portrait" in said(answer)
    assert 'name="image" value="" checked' in said(answer)
    assert "0 of 2 200" in said(answer)


def test_a_button_of_the_gallery_brings_its_image_along(
    client: Client, luna: Character, image: Image
) -> None:
    answer = said(client.get(page(luna, "x", f"?image={image.pk}&caption=Hi")))
    assert f'value="{image.pk}" checked' in answer
    assert "> Hi</textarea>" in answer
    assert "2 of 280" in answer


def test_an_image_beyond_the_latest_can_still_be_the_chosen_one(
    client: Client, luna: Character, image: Image
) -> None:
    for number in range(12):
        images.add(luna.pk, drawn(8, 10 + number))
    answer = client.get(page(luna, "x", f"?image={image.pk}"))
    assert len(answer.context["picks"]) == 11
    assert answer.context["picks"][0] == image


def test_another_characters_image_is_not_offered(client: Client, luna: Character) -> None:
    theirs = images.add("char_else", drawn())
    assert client.get(page(luna, "x", f"?image={theirs.pk}")).context["chosen"] is None


def test_both_places_are_shown_with_their_accounts(client: Client, luna: Character) -> None:
    answer = said(client.get(page(luna, "x")))
    assert "@luna_mystic" in answer
    assert "@luna_x" in answer
    assert answer.count('class="chip sandbox"') >= 2
    assert 'aria-current="true"' in answer


def test_an_unknown_platform_or_character_is_404(client: Client, luna: Character) -> None:
    assert client.get(page(luna, "mastodon")).status_code == 404
    assert client.get(reverse("publishing:compose", args=["char_gone", "x"])).status_code == 404


def test_words_with_markup_stay_words(client: Client, luna: Character) -> None:
    answer = send(client, luna, "x", caption="<img src=x onerror=alert(1)>", preview="1", htmx=True)
    assert "<img src=x" not in said(answer)
    assert "&lt;img src=x" in said(answer)


# --- the live part ---------------------------------------------------------------------------


def test_while_typing_only_preview_and_checks_are_sent_and_nothing_is_kept(
    client: Client, luna: Character, image: Image
) -> None:
    answer = send(client, luna, "x", caption="a" * 300, image=image.pk, preview="1", htmx=True)
    text = said(answer)
    assert answer.status_code == 200
    assert "<html" not in text
    assert f"<mark>{'a' * 20}</mark>" in text
    assert 'id="before"' in text and 'hx-swap-oob="true"' in text
    assert "Caption is 20 characters too long for X." in text
    assert "1 to fix, 1 to check" in text
    assert not Post.objects.exists()


def test_the_preview_shows_label_and_cut_as_instagram_does(client: Client, luna: Character) -> None:
    text = said(send(client, luna, caption="b" * 200, preview="1"))
    assert "AI info" in text
    assert f"{'b' * 124}…" in text
    assert '<span class="meta">more</span>' in text
    assert "<strong>luna_mystic</strong>" in text
    without = said(client.post(page(luna), {"nonce": "n", "caption": "b", "preview": "1"}))
    assert "AI info" not in without


def test_switching_the_place_keeps_everything_that_was_written(
    client: Client, luna: Character, image: Image
) -> None:
    answer = send(client, luna, "x", caption="Kept", alt_text="Kept too", image=image.pk, switch="1")
    text = said(answer)
    assert answer.status_code == 200
    assert "Post to X" in text
    assert "> Kept</textarea>" in text
    assert "Kept too" in text
    assert f'value="{image.pk}" checked' in text
    assert 'value="n1"' in text
    assert not Post.objects.exists()


# --- what is asked ---------------------------------------------------------------------------


def test_the_page_comes_at_once_with_what_is_still_to_be_asked(
    client: Client, luna: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking.connection, "check", None)
    answer = said(client.get(page(luna)))
    for question in ("Does Instagram take the account?", "How many posts are left today?", "Can the image"):
        assert question in answer
    assert "All fine" not in answer
    assert "How many" not in said(client.get(page(luna, "x")))


def test_an_open_page_is_told_to_show_the_list_anew(client: Client, luna: Character) -> None:
    answer = send(client, luna, "x", ask="1", htmx=True)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "asked" in answer["HX-Trigger"]
    assert "X could not be asked" in said(send(client, luna, "x", preview="1", htmx=True))


def test_without_scripts_the_button_shows_the_whole_page(client: Client, luna: Character) -> None:
    answer = send(client, luna, "x", caption="Kept", ask="1")
    assert "<html" in said(answer)
    assert "X could not be asked" in said(answer)
    assert "> Kept</textarea>" in said(answer)
    assert not Post.objects.exists()


# --- sending ---------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_posting_leads_to_the_posts_own_page(
    client: Client, luna: Character, image: Image, platform: str
) -> None:
    answer = send(client, luna, platform, image=image.pk, alt_text="A tree")
    post = Post.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, reverse("publishing:show", args=[post.pk]))
    assert (post.platform, post.caption, post.alt_text, post.ai_label) == (
        platform,
        "Good morning",
        "A tree",
        True,
    )
    assert "Posting Luna to" in said(client.get(answer["Location"]))


def test_a_new_image_is_made_of_the_written_prompt(client: Client, luna: Character) -> None:
    send(client, luna, prompt="a tree on a hill")
    wish = Job.objects.get().request["wish"]
    assert (wish["final_prompt"], wish["shape"]) == ("a tree on a hill", "4:5")


def test_a_red_line_that_was_asked_keeps_the_post_from_starting(
    client: Client, luna: Character, image: Image
) -> None:
    key, now = accounts.account(luna, Platform.X).key, timezone.now()
    said_no = {"code": "unauthorized", "message": "X refused the keys.", "fix": "Renew them."}
    AccountStanding.objects.create(key=key, checked_at=now, problem=said_no)
    answer = send(client, luna, "x", image=image.pk)
    assert answer.status_code == 502
    assert "X refused the keys. Renew them." in said(answer) and "Good morning" in said(answer)
    assert not Post.objects.exists()
    AccountStanding.objects.update(checked_at=now - timedelta(minutes=1))
    assert send(client, luna, "x", image=image.pk).status_code == 303, "it is asked again before it goes out"


def test_the_place_says_that_its_account_is_paused(client: Client, luna: Character) -> None:
    key = accounts.account(luna, Platform.X).key
    AccountStanding.objects.create(key=key, paused_at=timezone.now(), pause_reason="No.")
    assert '<span class="chip bad">paused</span>' in said(client.get(page(luna, "x")))


def test_the_same_form_sent_twice_is_one_post(client: Client, luna: Character, image: Image) -> None:
    first, second = (send(client, luna, "x", image=image.pk) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert (Post.objects.count(), Job.objects.count()) == (1, 1)


def test_the_label_is_switched_off_for_a_reason_which_is_kept(
    client: Client, luna: Character, image: Image
) -> None:
    without = {"nonce": "n", "caption": "Hi", "image": image.pk}
    refused = client.post(page(luna), without)
    assert refused.status_code == 422
    assert "Say why this post is not labelled as AI-generated." in said(refused)
    assert not Post.objects.exists()
    client.post(page(luna), {**without, "ai_label_reason": "A photograph of mine"})
    post = Post.objects.get()
    assert (post.ai_label, post.ai_label_reason) == (False, "A photograph of mine")
    assert "not labelled: A photograph of mine" in said(
        client.get(reverse("publishing:show", args=[post.pk]))
    )


def test_no_reason_is_kept_with_a_labelled_post(client: Client, luna: Character, image: Image) -> None:
    send(client, luna, image=image.pk, ai_label_reason="Typed, then thought better of")
    post = Post.objects.get()
    assert (post.ai_label, post.ai_label_reason) == (True, "")


def test_a_character_whose_posts_are_not_labelled_brings_its_reason(client: Client, luna: Character) -> None:
    def unlabelled(record: Character) -> None:
        record.ai_label, record.ai_label_reason = False, "Drawn by hand"

    Character.objects.change(luna.pk, unlabelled)
    assert "> Drawn by hand</textarea>" in said(client.get(page(luna)))


def test_a_caption_that_is_too_long_is_said_at_the_field_and_kept(
    client: Client, luna: Character, image: Image
) -> None:
    answer = send(client, luna, "x", caption="a" * 281, image=image.pk)
    assert answer.status_code == 422
    assert answer.context["form"].errors["caption"] == ["Caption is 1 character too long for X."]
    assert "a" * 281 in said(answer)
    assert not Post.objects.exists()


def test_the_same_again_is_a_warning_with_a_button_that_means_it(
    client: Client, luna: Character, image: Image
) -> None:
    send(client, luna, image=image.pk)
    answer = send(client, luna, image=image.pk, nonce="n2")
    text = said(answer)
    assert answer.status_code == 409
    assert "This image went to this Instagram account within the last 30 days." in text
    assert 'name="force" value="on">Post the same again</button>' in text
    assert reverse("publishing:show", args=[Post.objects.get().pk]) in text
    assert "Good morning" in text
    assert send(client, luna, image=image.pk, nonce="n2", force="on").status_code == 303
    assert Post.objects.count() == 2


def test_without_an_account_it_is_said_and_nothing_written_is_lost(client: Client, luna: Character) -> None:
    someone("Kai", **X)
    answer = send(client, luna, "x", caption="Kept")
    text = said(answer)
    assert answer.status_code == 409
    assert "Luna has no X account." in text
    assert "Kept" in text
    assert "#accounts" in text


def test_without_a_worker_nothing_written_is_lost(luna: Character) -> None:
    client = Client()
    client.force_login(User.objects.create_user("owner", password="x" * 12))
    answer = send(client, luna, caption="Kept")
    assert answer.status_code == 503
    assert "Kept" in said(answer)
    assert answer.context["form"].non_field_errors()
    assert not Post.objects.exists()


def test_an_image_deleted_meanwhile_is_said(client: Client, luna: Character, image: Image) -> None:
    gone = image.pk
    images.delete(image)
    answer = send(client, luna, image=gone)
    assert answer.status_code == 404
    assert "There is no such image any more." in said(answer)
