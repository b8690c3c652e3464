"""The list before a post goes out: known at once, asked, and what the publisher makes of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters.images import services as images
from characters.images import storage
from characters.images.models import Image
from characters.images.storage import Making
from characters.models import Character
from characters.publishing import accounts, posting
from characters.publishing.accounts import connection, standing
from characters.publishing.checks import asking, preflight
from characters.publishing.checks.checklist import Check, Proposal
from characters.publishing.media import links
from characters.publishing.models import Attempt, MediaLink, Post, PostState
from characters.publishing.posting import Intention
from characters.publishing.standing_models import AccountStanding
from influencer.clients.media_host import Reach
from influencer.clients.platform import Platform
from influencer.errors import Problem
from influencer.jobs.models import JobState
from tests.characters.people import INSTAGRAM, X, someone
from tests.characters.publishing.bucket import s3
from tests.characters.stage import Stage, attempt, drawn, see_through

pytestmark = pytest.mark.django_db(transaction=True)

REAL = {**INSTAGRAM, **X}


@pytest.fixture(autouse=True)
def _nothing_tried_yet() -> Iterator[None]:
    asking._trials.clear()
    yield
    asking._trials.clear()


@pytest.fixture
def kai() -> Character:
    """Somebody who posts for real."""
    return someone("Kai", **REAL)


def configure(settings: Any, **values: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, **values)


def proposal(character: Character, platform: str = "x", **more: Any) -> Proposal:
    given = {"image": None, "caption": "Hi", "alt_text": "A tree", **more}
    return Proposal(character, accounts.account(character, Platform(platform)), **given)


def known(character: Character, platform: str = "x", **more: Any) -> list[Check]:
    return preflight.checks(proposal(character, platform, **more))


def asked(character: Character, platform: str = "x", **more: Any) -> list[Check]:
    return preflight.checks(proposal(character, platform, **more), ask=True)


def titles(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.level, check.title) for check in checks]


def the(checks: list[Check], code: str) -> Check:
    return next(check for check in checks if check.code == code)


def codes(checks: list[Check]) -> list[str]:
    return [check.code for check in checks]


def answered(character: Character, platform: str = "instagram", **values: Any) -> None:
    """What the platform said a moment ago."""
    now = timezone.now()
    key = accounts.account(character, Platform(platform)).key
    given = {"checked_at": now, "last_ok_at": now, "username": "luna_mystic", **values}
    AccountStanding.objects.update_or_create(key=key, defaults=given)


def sandbox_image(character: Character) -> Image:
    made = Making(sandbox=True)
    return storage.store("img_s", character_id=character.pk, content=drawn(colour="red"), making=made)


# --- known at once ---------------------------------------------------------------------------


def test_when_all_is_well_the_list_says_so(luna: Character) -> None:
    assert titles(known(luna)) == [
        ("ok", "X: sandbox"),
        ("ok", "A new image is made first"),
        ("ok", "Caption fits X"),
    ]


def test_the_worst_comes_first(luna: Character) -> None:
    found = known(luna, caption="a" * 300, alt_text="")
    assert [check.level for check in found] == ["bad", "warn", "ok", "ok"]
    assert found[0].title == "Caption is 20 characters too long for X."
    assert found[0].fix == ("Shorten", "#id_caption")
    assert found[1].title == "No alt text"


def test_the_image_is_shown_as_the_platform_will_get_it(luna: Character) -> None:
    wide = images.add(luna.pk, drawn(900, 400))
    tall = images.add(luna.pk, drawn(300, 900))
    fit = the(known(luna, "instagram", image=wide), "image")
    assert fit.title == "Image is made to fit"
    assert re.fullmatch(r"764 × 400, \d kB JPEG, cropped to its shapes\.", fit.detail)
    assert "white added to fit its shapes" in the(known(luna, "instagram", image=tall), "image").detail
    assert re.fullmatch(r"900 × 400, \d kB JPEG\.", the(known(luna, image=wide), "image").detail)


def test_an_image_is_converted_once_for_all_keystrokes(luna: Character, monkeypatch: Any) -> None:
    image = images.add(luna.pk, drawn(77, 88))
    known(luna, image=image)
    monkeypatch.setattr(preflight.provenance, "picture_for", None)
    assert the(known(luna, image=image, caption="Another"), "image").level == "ok"


def test_an_image_whose_file_is_gone_is_red(luna: Character) -> None:
    image = images.add(luna.pk, drawn(66, 99))
    image.path.unlink()
    assert the(known(luna, image=image), "image_gone").level == "bad"


def test_what_would_be_refused_is_named_with_its_fix(kai: Character, settings: Any) -> None:
    own = images.add(kai.pk, drawn())
    assert the(known(kai), "sandbox_image").level == "bad"
    assert the(known(kai, image=sandbox_image(kai)), "sandbox_image").level == "bad"
    reach = the(known(kai, "instagram", image=own), "not_configured")
    assert (reach.level, reach.title) == ("bad", "Instagram can't fetch the image")
    assert "PUBLIC_BASE_URL" in reach.detail and "MEDIA_S3_URL" in reach.detail
    none = the(known(someone()), "no_credentials")
    assert (none.title, none.fix) == ("No X account", ("Add credentials", "#accounts"))


def test_a_bucket_in_this_network_does_not_reach_instagram(kai: Character, settings: Any) -> None:
    configure(settings, media_s3_url="http://K:S@192.168.1.9:9000/images")
    own = images.add(kai.pk, drawn())
    assert "MEDIA_S3_URL (192.168.1.9)" in the(known(kai, "instagram", image=own), "not_configured").detail


def test_the_same_again_is_red_until_it_is_meant(luna: Character, image: Image, start: Any) -> None:
    earlier = start("x", "Good morning")
    same = the(known(luna, image=image, caption="Another"), "duplicate")
    assert (same.level, same.title) == ("bad", "The same image went out within 30 days")
    assert same.fix == ("The earlier post", f"/posts/{earlier.pk}/")
    other = images.add(luna.pk, drawn(80, 90))
    words = the(known(luna, image=other, caption="Good morning"), "duplicate")
    assert words.title == "The same caption went out within 30 days"
    assert the(known(luna, image=image, force=True), "duplicate").level == "warn"
    assert "duplicate" not in codes(known(luna, "instagram", image=image))
    Post.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert "duplicate" not in codes(known(luna, image=image))


def test_a_link_on_x_costs_more_and_is_said(luna: Character) -> None:
    cost = the(known(luna, caption="See https://example.com"), "link_costs")
    assert cost.level == "warn"
    assert "$0.20 instead of $0.015" in cost.title
    assert "link_costs" not in codes(known(luna, "instagram", caption="See https://example.com"))


def test_leaving_the_label_out_is_amber(luna: Character) -> None:
    assert the(known(luna, ai_label=False), "not_labelled").level == "warn"


def test_a_paused_account_is_red_and_one_that_waits_amber(luna: Character) -> None:
    key = accounts.account(luna, Platform.X).key
    standing.hold(key, timezone.now() + timedelta(hours=1), "X's limit is reached.", "rate_limit")
    held = the(known(luna), "held")
    assert (held.level, held.detail) == ("warn", "X's limit is reached. It goes out by itself after that.")
    until = timezone.localtime(standing.of(key).held_until)
    assert held.title == f"X: waits until {until:%H:%M}"
    standing.pause(key, "190", "The token was refused three times.")
    paused = the(known(luna), "account_paused")
    assert (paused.level, paused.fix) == ("bad", ("Resume", "#accounts"))


RED: list[tuple[str, dict[str, Any]]] = [
    ("x", {"caption": "a" * 281}),
    ("x", {"caption": "$ONE and $TWO"}),
    ("x", {"alt_text": "a" * 1001}),
    ("instagram", {"caption": " ".join(f"#t{n}" for n in range(31))}),
    ("instagram", {"caption": " ".join(f"@name{n}" for n in range(21))}),
]


@pytest.mark.parametrize(("platform", "words"), RED)
def test_every_red_line_keeps_the_post_from_starting_with_the_same_problem(
    luna: Character, image: Image, platform: str, words: dict[str, str]
) -> None:
    worst = known(luna, platform, image=image, **words)[0]
    assert worst.level == "bad"
    with pytest.raises(Problem) as caught:
        posting.start(luna, Intention(Platform(platform), image_id=image.pk, **words))
    assert caught.value.code == worst.code
    assert not Post.objects.exists()


# --- asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_account_and_image_host_are_asked_and_what_they_say_stays_known(
    stage: Stage, luna: Character, image: Image, platform: str
) -> None:
    assert asking.pending(proposal(luna, platform))
    found = asked(luna, platform, image=image)
    handle = "luna_mystic" if platform == "instagram" else "luna_x"
    assert f"answers as @{handle}" in the(found, "answers").title
    assert not asking.pending(proposal(luna, platform))
    assert codes(known(luna, platform, image=image)) == codes(found)
    if platform == "instagram":
        assert the(found, "quota").title == "Instagram: 100 posts left today"
        assert the(found, "media").title == "The image can be fetched"


def test_nobody_is_asked_twice_within_a_while(stage: Stage, luna: Character) -> None:
    for _ in range(3):
        asked(luna, "instagram")
    assert stage.log("instagram", "GET", "/me") == 1
    AccountStanding.objects.update(checked_at=timezone.now() - asking.GOOD_FOR)
    asked(luna, "instagram")
    assert stage.log("instagram", "GET", "/me") == 2


def test_while_one_asks_another_does_not(luna: Character, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def slow(character: Character, platform: Platform) -> None:
        calls.append(platform)
        asked(luna)

    monkeypatch.setattr(connection, "check", slow)
    asked(luna)
    assert calls == [Platform.X]


@pytest.mark.parametrize(
    ("fault", "level", "code"),
    [
        ("me.token_expired", "bad", "190/463"),
        ("me.error_before", "warn", "not_asked"),
        ("me.rate", "warn", "not_asked"),
    ],
)
def test_a_refusal_is_red_and_a_platform_in_trouble_amber(
    stage: Stage, luna: Character, fault: str, level: str, code: str
) -> None:
    stage.order("instagram", fault)
    assert the(asked(luna, "instagram"), code).level == level


def test_without_a_stand_in_nobody_could_be_asked(luna: Character) -> None:
    assert the(asked(luna), "not_asked").level == "warn"


@pytest.mark.parametrize(
    ("used", "limit", "level", "title"),
    [
        (2, 100, "ok", "Instagram: 98 posts left today"),
        (49, 50, "warn", "Instagram: 1 post left today"),
        (50, 50, "warn", "Instagram: no post left today"),
    ],
)
def test_what_is_left_of_the_day_is_said(
    luna: Character, used: int, limit: int, level: str, title: str
) -> None:
    answered(luna, quota_used=used, quota_limit=limit)
    found = the(known(luna, "instagram"), "quota")
    assert (found.level, found.title) == (level, title)


def test_x_tells_it_with_its_answer_to_a_post_and_it_is_kept_for_the_day(
    stage: Stage, luna: Character, start: Any
) -> None:
    see_through(start("x").job_id)
    left = the(asked(luna), "quota")
    assert re.fullmatch(r"X: [\d\u202f]+ posts left today", left.title)
    AccountStanding.objects.update(checked_at=timezone.now() - asking.GOOD_FOR)
    assert len(asking.pending(proposal(luna))) == 2
    assert the(asked(luna), "quota") == left, "a check does not know better"
    AccountStanding.objects.update(quota_until=timezone.now())
    assert "quota" not in codes(known(luna))


def test_instagrams_are_counted_on_between_two_questions(stage: Stage, luna: Character, start: Any) -> None:
    see_through(start("instagram").job_id)
    assert the(known(luna, "instagram"), "quota").title == "Instagram: 99 posts left today"


def test_a_token_near_its_end_is_amber(luna: Character) -> None:
    answered(luna, expires_at=timezone.now() + timedelta(days=3))
    assert the(known(luna, "instagram"), "token_expires").level == "warn"


# --- the image's link ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "level", "code"),
    [
        (Reach(), "ok", "media"),
        (
            Reach("media.example.org answers with text/html in place of the image."),
            "bad",
            "media_unreachable",
        ),
        (Reach("media.example.org does not answer this computer.", certain=False), "warn", "media"),
    ],
)
def test_a_wrong_answer_is_red_and_no_answer_amber(
    kai: Character, settings: Any, monkeypatch: pytest.MonkeyPatch, reach: Reach, level: str, code: str
) -> None:
    configure(settings, public_base_url="https://media.studio.net")
    tried = []
    monkeypatch.setattr(asking.media_host, "fetch", lambda url, **more: tried.append(url) or reach)
    answered(kai)
    found = the(asked(kai, "instagram"), code)
    assert found.level == level
    assert tried[0].startswith("https://media.studio.net/m/")
    assert "/m/" not in found.detail
    assert not MediaLink.objects.exists()


def test_a_bucket_is_tried_with_an_object_that_is_gone_afterwards(kai: Character, settings: Any) -> None:
    answered(kai)
    with s3() as bucket:
        graph = "http://127.0.0.1:9/instagram"
        configure(settings, media_s3_url=bucket.url, instagram_graph_url=graph)
        found = the(asked(kai, "instagram"), "media")
        assert (found.level, bucket.names) == ("ok", [])
        assert "bucket" in found.detail
        asking._trials.clear()
        configure(settings, media_s3_url=bucket.url.replace("/images/", "/other/"))
        assert the(asked(kai, "instagram"), "no_such_bucket").level == "bad"


# --- right before it goes out ----------------------------------------------------------------


def test_the_publisher_asks_before_its_first_call_and_a_red_line_ends_the_job(
    stage: Stage, start: Any
) -> None:
    stage.order("instagram", "me.token_expired")
    post = start("instagram")
    job = see_through(post.job_id)
    post.refresh_from_db()
    assert (job.state, post.state, job.step) == (JobState.FAILED, PostState.FAILED, "check")
    assert post.error["code"] == "190/463"
    assert "expired" in post.error["message"] and post.error["fix"]
    [entry] = Attempt.objects.all()
    assert (entry.step, entry.code, entry.tone) == ("check", "190/463", "bad")
    assert entry.message == post.error["message"]
    assert not MediaLink.objects.exists()
    assert stage.log("instagram", "POST", "/media") == 0


def test_three_posts_kept_back_by_the_token_pause_the_account(
    stage: Stage, luna: Character, start: Any
) -> None:
    stage.order("instagram", "me.token_expired", times=3)
    for number in range(3):
        AccountStanding.objects.update(checked_at=None)
        see_through(start("instagram", f"Post {number}", force=True).job_id)
    assert standing.of(accounts.account(luna, Platform.INSTAGRAM).key).is_paused


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_a_platform_that_can_t_be_asked_keeps_nothing_back(stage: Stage, start: Any, platform: str) -> None:
    stage.order(platform, "me.error_before")
    assert see_through(start(platform).job_id).state == JobState.SUCCEEDED


def test_a_link_that_can_not_be_fetched_ends_the_job_before_anything_goes_out(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Reach("127.0.0.1 answers with text/html in place of the image.")
    monkeypatch.setattr(asking.media_host, "fetch", lambda url, **more: wrong)
    post = start("instagram")
    job = see_through(post.job_id)
    assert (job.error["code"], job.step) == ("media_unreachable", "check")
    assert job.error["service"] == "Instagram" and job.error["fix"]
    assert stage.log("instagram", "POST", "/media") == 0


def test_once_something_is_at_the_platform_it_is_not_asked_again(stage: Stage, start: Any) -> None:
    stage.order("instagram", "publish.rate")
    post = start("instagram")
    attempt(post.job_id)
    AccountStanding.objects.update(checked_at=None)
    before = stage.log("instagram", "GET", "/me")
    see_through(post.job_id)
    assert stage.log("instagram", "GET", "/me") == before


def test_an_own_post_is_not_the_same_again_as_itself(stage: Stage, start: Any) -> None:
    assert see_through(start("x").job_id).state == JobState.SUCCEEDED
    assert links.LIFETIME > asking.GOOD_FOR
