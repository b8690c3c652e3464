"""What may be posted where: accounts, duplicates, sandbox images, captions."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import services as characters
from characters.images import services as images
from characters.images import storage
from characters.images.models import Image
from characters.images.planning import Wish
from characters.images.storage import Making
from characters.models import Character
from characters.publishing import accounts, posting
from characters.publishing.models import Post, PostState
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Invalid, NotFound, Unavailable
from influencer.jobs.models import Job
from tests.characters.people import INSTAGRAM, X, someone
from tests.characters.stage import drawn

pytestmark = pytest.mark.django_db

REAL = {**INSTAGRAM, **X}
VARIABLES = {"instagram_account_id": "17841400000000001", "instagram_api_key": "env:INSTAGRAM_LUNA"}


def configure(settings: Any, **values: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, **values)


@pytest.fixture
def kai() -> Character:
    """Somebody who posts for real."""
    return someone("Kai", **REAL)


def post(character: Character, platform: str = "x", caption: str = "Hi", **more: Any) -> Post:
    chosen = (
        more.pop("image", None) or images.gallery(character.pk).first() or images.add(character.pk, drawn())
    )
    return posting.start(
        character, Intention(Platform(platform), caption=caption, image_id=chosen.pk, **more)
    )


def refused(*args: Any, **more: Any) -> Conflict:
    with pytest.raises(Conflict) as caught:
        post(*args, **more)
    assert Job.objects.count() == Post.objects.count()
    return caught.value


def sandbox_image(character: Character, **more: Any) -> Image:
    made = Making(sandbox=True)
    return storage.store("img_s", character_id=character.pk, content=drawn(**more), making=made)


# --- where a character posts -----------------------------------------------------------------


@pytest.mark.parametrize("platform", list(Platform))
def test_without_any_credentials_everybody_posts_to_the_sandbox(platform: Platform) -> None:
    found = accounts.account(someone(), platform)
    assert (found.kind, found.chip, found.note) == ("sandbox", ("sandbox", "sandbox"), "")


def test_credentials_make_the_account_real_each_platform_for_itself() -> None:
    half = someone(**INSTAGRAM)
    assert accounts.account(half, Platform.INSTAGRAM).kind == "real"
    assert accounts.account(half, Platform.X).kind == "none"


def test_once_any_account_is_real_the_others_have_none(kai: Character) -> None:
    luna = someone()
    problem = refused(luna)
    assert problem.code == "no_credentials"
    assert problem.message == (
        "Luna has no X account. Add credentials, or switch on “practise in sandbox” for this character."
    )


def test_practise_in_sandbox_is_said_for_one_character(kai: Character) -> None:
    luna = someone(practise_in_sandbox=True)
    assert post(luna).sandbox
    assert not accounts.account(kai, Platform.X).sandbox


def test_one_who_practises_does_not_make_it_real_for_others() -> None:
    practising = someone("Kai", **REAL, practise_in_sandbox=True)
    assert accounts.account(practising, Platform.X).sandbox
    assert post(someone()).sandbox


def test_with_the_sandbox_on_everything_is_practice(kai: Character, settings: Any) -> None:
    configure(settings, sandbox="on")
    assert accounts.account(kai, Platform.INSTAGRAM).sandbox
    assert post(someone()).sandbox


@pytest.mark.parametrize("practise", [False, True])
def test_with_the_sandbox_off_there_is_no_account_without_credentials(settings: Any, practise: bool) -> None:
    configure(settings, sandbox="off")
    problem = refused(someone(practise_in_sandbox=practise))
    assert (problem.code, problem.message) == (
        "no_credentials",
        "Luna has no X account. Add credentials to the character.",
    )


def test_someone_who_practises_while_the_sandbox_is_off_is_told_what_to_switch(settings: Any) -> None:
    configure(settings, sandbox="off")
    problem = refused(someone(**REAL, practise_in_sandbox=True))
    assert problem.message == (
        "Luna practises in the sandbox, which is off. Switch practising off to post to X."
    )


def test_a_variable_that_is_not_set_counts_as_no_credential_and_is_named(settings: Any) -> None:
    luna = someone(**VARIABLES)
    found = accounts.account(luna, Platform.INSTAGRAM)
    assert (found.kind, found.note) == ("sandbox", "INSTAGRAM_LUNA names a variable that is not set.")
    configure(settings, sandbox="off")
    assert "INSTAGRAM_LUNA names a variable that is not set." in refused(luna, "instagram").message


def test_a_variable_that_is_set_makes_the_account_real(settings: Any) -> None:
    configure(settings, credentials={"INSTAGRAM_LUNA": "IGAA-the-token"})
    luna = someone(**VARIABLES)
    assert accounts.account(luna, Platform.INSTAGRAM).kind == "real"
    assert "the-token" not in str(accounts.account(luna, Platform.INSTAGRAM))


def test_the_ledgers_account_holds_no_secret(kai: Character, settings: Any) -> None:
    configure(settings, comfyui_urls=("http://127.0.0.1:9",))
    made = post(kai, "x")
    assert made.account == "x:123456"
    assert not any(secret in str(vars(made)) for secret in ("app-secret", "access-token", "access-secret"))


def test_characters_that_share_an_account_share_its_ledger(kai: Character) -> None:
    mei = someone("Mei", **REAL)
    keys = {accounts.account(character, Platform.X).key for character in (kai, mei)}
    assert len(keys) == 1
    post(kai)
    assert refused(mei).code == "duplicate"


# --- the same again --------------------------------------------------------------------------


@pytest.fixture
def luna() -> Character:
    return someone()


def test_the_same_image_within_30_days_is_refused_with_the_post_it_went_out_in(luna: Character) -> None:
    first = post(luna, caption="One")
    problem = refused(luna, caption="Two")
    assert problem.code == "duplicate"
    assert problem.details == {"postId": first.pk, "permalink": "", "same": "image"}
    assert problem.message == (
        "This image went to this X account within the last 30 days. Post it again only if you mean to."
    )


def test_the_same_words_within_30_days_are_refused_whatever_the_spacing_and_links(luna: Character) -> None:
    post(luna, caption="Good  morning https://a.com/1")
    other = images.add(luna.pk, drawn(colour="red"))
    problem = refused(luna, caption="Good morning\nhttps://b.com/2", image=other)
    assert problem.details["same"] == "caption"


def test_no_words_are_not_the_same_words(luna: Character) -> None:
    post(luna, caption="")
    assert post(luna, caption="", image=images.add(luna.pk, drawn(colour="red")))


def test_the_same_goes_to_another_platform_or_character(luna: Character) -> None:
    post(luna, "x")
    assert post(luna, "instagram")
    other = someone("Mei")
    assert post(other, image=images.add(other.pk, drawn()))


def test_it_goes_out_again_when_that_is_meant(luna: Character) -> None:
    first = post(luna)
    second = post(luna, force=True)
    assert (first.pk != second.pk, second.revision) == (True, 1)


def test_after_30_days_or_a_failure_it_may_go_out_again(luna: Character) -> None:
    first = post(luna)
    Post.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=31))
    second = post(luna)
    Post.objects.filter(pk=second.pk).update(state=PostState.FAILED)
    assert post(luna)


@pytest.mark.parametrize("state", ["reserved", "prepared", "publishing", "published", "unknown"])
def test_what_is_under_way_or_unknown_counts_as_posted(luna: Character, state: str) -> None:
    first = post(luna)
    Post.objects.filter(pk=first.pk).update(state=state)
    assert refused(luna).code == "duplicate"


def test_the_same_intention_after_a_failure_is_tried_again(luna: Character) -> None:
    first = post(luna, nonce="n1")
    Post.objects.filter(pk=first.pk).update(state=PostState.FAILED)
    Job.objects.filter(pk=first.job_id).update(state="failed")
    assert post(luna, nonce="n1").pk == first.pk
    assert Job.objects.get().state == "queued"


def test_the_same_intention_after_a_cancel_stays_cancelled(luna: Character) -> None:
    first = post(luna, nonce="n1")
    Post.objects.filter(pk=first.pk).update(state=PostState.FAILED)
    Job.objects.filter(pk=first.job_id).update(state="cancelled")
    assert post(luna, nonce="n1").pk == first.pk
    assert Job.objects.get().state == "cancelled"


# --- sandbox images --------------------------------------------------------------------------


@pytest.mark.parametrize("platform", list(Platform))
def test_a_sandbox_image_never_goes_to_a_real_account(
    kai: Character, settings: Any, platform: Platform
) -> None:
    configure(settings, public_base_url="https://media.studio.net")
    problem = refused(kai, platform, image=sandbox_image(kai))
    assert (problem.code, problem.message) == (
        "sandbox_image",
        "This sandbox image can't go to a real account. Make a new one on your own ComfyUI.",
    )


def test_not_even_when_it_comes_back_as_an_upload_of_somebody_else(kai: Character) -> None:
    sandbox_image(someone())
    assert refused(kai, image=images.add(kai.pk, drawn())).code == "sandbox_image"


def test_a_sandbox_image_goes_to_the_sandbox() -> None:
    luna = someone()
    assert post(luna, image=sandbox_image(luna)).sandbox


def test_no_image_is_made_for_a_real_account_while_the_sandbox_would_draw_it(kai: Character) -> None:
    with pytest.raises(Conflict) as caught:
        posting.start(kai, Intention(Platform.X, "Hi", wish=Wish(prompt="a tree")))
    assert caught.value.code == "sandbox_image"
    assert "Set COMFYUI_URL" in caught.value.message
    assert not Job.objects.exists()


def test_with_a_comfyui_of_ones_own_a_new_image_may_be_made(kai: Character, settings: Any) -> None:
    configure(settings, comfyui_urls=("http://127.0.0.1:9",))
    assert posting.start(kai, Intention(Platform.X, "Hi", wish=Wish(prompt="a tree")))


# --- reach -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["", "http://localhost:8000", "http://192.168.1.5", "https://box.local", "nonsense"]
)
def test_without_an_address_that_opens_from_outside_instagram_is_not_even_asked(
    kai: Character, settings: Any, address: str
) -> None:
    configure(settings, public_base_url=address)
    with pytest.raises(Unavailable) as caught:
        post(kai, "instagram")
    assert caught.value.code == "not_configured"
    assert "PUBLIC_BASE_URL" in caught.value.message
    assert not Post.objects.exists()
    assert post(kai, "x")


def test_with_one_or_with_a_graph_on_this_machine_it_is(kai: Character, settings: Any) -> None:
    configure(settings, public_base_url="https://media.studio.net")
    assert post(kai, "instagram")
    configure(settings, public_base_url="", instagram_graph_url="http://127.0.0.1:9/instagram")
    assert post(kai, "instagram", force=True)


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "words", "key", "sentence"),
    [
        ("x", {"caption": "a" * 281}, "caption", "Caption is 1 character too long for X."),
        ("x", {"caption": "日" * 141}, "caption", "Caption is 2 characters too long for X."),
        (
            "instagram",
            {"caption": "a" * 2_249},
            "caption",
            "49 characters too long for Instagram.",
        ),
        ("instagram", {"caption": " ".join(f"#t{n}" for n in range(31))}, "caption", "hashtags"),
        ("x", {"alt_text": "a" * 1_001}, "altText", "Alt text is 1 character too long."),
        ("x", {"caption": "a\x07b"}, "caption", "can't be shown"),
    ],
)
def test_what_the_platform_would_refuse_is_refused_here_first(
    luna: Character, platform: str, words: dict[str, str], key: str, sentence: str
) -> None:
    with pytest.raises(Invalid) as caught:
        post(luna, platform, **words)
    assert sentence in caught.value.fields[key][0]
    assert not Post.objects.exists()


def test_another_characters_image_is_not_found(luna: Character) -> None:
    theirs = images.add("char_else", drawn())
    with pytest.raises(NotFound):
        post(luna, image=theirs)


def test_words_are_kept_as_they_are_sent(luna: Character) -> None:
    made = post(luna, caption="\ufeff Hi\r\nthere \n", alt_text=" A tree ")
    assert (made.caption, made.alt_text) == ("Hi\nthere", "A tree")


def test_a_paused_character_can_still_be_posted_by_hand() -> None:
    assert post(someone(is_active=False))


def test_a_deleted_characters_posts_stay(luna: Character) -> None:
    made = post(luna)
    characters.delete(luna.pk)
    assert Post.objects.get().pk == made.pk
