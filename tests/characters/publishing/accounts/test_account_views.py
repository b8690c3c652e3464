"""The Accounts section, its buttons and the guides, as a browser gets them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.publishing.accounts import standing, tokens
from characters.publishing.accounts.guides import WAYS
from characters.publishing.standing_models import AccountStanding
from influencer.jobs.models import Job
from tests.characters.browsing import htmx, text, toast
from tests.characters.people import someone
from tests.characters.publishing.course import refusal
from tests.characters.publishing.realm import ID, TOKEN, X_KEYS, owner_of, place
from tests.characters.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(pretended: Stage) -> Stage:
    return pretended


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="owner"))
    return client


def address(name: str, character: Character, *more: str) -> str:
    return reverse(f"publishing:{name}", args=[character.pk, *more])


def section(client: Client, character: Character) -> str:
    page = text(client.get(reverse("characters:detail", args=[character.pk])))
    return page[page.rindex("Accounts") :]


def standing_at(character: Character, **values: Any) -> None:
    tokens.note(character, place(character))
    AccountStanding.objects.filter(pk=place(character).key).update(**values)


def test_a_checked_account_shows_name_image_quota_and_end(client: Client, stage: Stage) -> None:
    luna = owner_of(f"IGAA-{ID}-SANDBOX-luna_mystic")
    answer = client.post(address("check", luna, "instagram"), headers=htmx("connections"))
    assert toast(answer) == "Instagram answers: @luna_mystic."
    assert 'src="data:image/webp;base64,' in answer.content.decode()
    shown = text(answer)
    assert "Instagram @luna_mystic · Luna Mystic" in shown
    assert "0 of 100 posts used in 24 h. The token expires in 60 d (estimated). Checked" in shown


def test_the_head_of_the_page_comes_along_with_its_chips(client: Client, stage: Stage) -> None:
    luna = owner_of("IGAA-REVOKED")
    answer = client.post(address("check", luna, "instagram"), headers=htmx("connections"))
    hero = answer.content.decode().partition('id="hero"')[2]
    assert "hx-swap-oob" in hero and "broken" in hero


def test_a_failed_check_shows_code_and_fix_until_it_is_well(client: Client, stage: Stage) -> None:
    luna = owner_of("IGAA-REVOKED")
    client.post(address("check", luna, "instagram"))
    shown = section(client, luna)
    assert "The owner of the account has removed the app (code 190/458). Reconnect the account" in shown
    assert "broken" in shown


def test_without_htmx_a_check_leads_back_to_the_section(client: Client, stage: Stage) -> None:
    luna = owner_of()
    answer = client.post(address("check", luna, "instagram"), follow=True)
    assert answer.redirect_chain == [(f"/characters/{luna.pk}/#accounts", 303)]
    assert "Instagram answers: @sandbox_000001." in text(answer)


def test_a_sandbox_that_does_not_run_is_a_failed_check(client: Client) -> None:
    answer = client.post(address("check", someone(), "x"), headers=htmx("connections"))
    assert "sandbox that stands in for X does not run" in toast(answer)


def test_an_account_nobody_has_checked_says_so(client: Client, stage: Stage) -> None:
    assert "Credentials are set; not checked yet." in section(client, owner_of())


def test_a_character_that_practises_is_told_so(client: Client, stage: Stage) -> None:
    shown = section(client, someone())
    assert "Sandbox. Posts appear in the feed on this computer until you add credentials." in shown


def test_a_platform_nobody_knows_is_not_found(client: Client) -> None:
    assert client.post(address("check", someone(), "myspace")).status_code == 404
    assert client.get(address("connect", someone(), "myspace")).status_code == 404


# --- ending tokens ---------------------------------------------------------------------------


def test_an_ending_token_warns_with_what_stood_in_the_way(client: Client, stage: Stage) -> None:
    luna = owner_of(f"EAA-{ID}-user")
    why = tokens.why_not(luna, place(luna), AccountStanding())
    assert why
    ends = timezone.now() + timedelta(days=5.5)
    standing_at(luna, expires_at=ends, refresh_problem=standing.problem_of(why))
    shown = section(client, luna)
    assert "The token expires in 6 d (estimated). A token of Facebook Login is renewed by its app" in shown
    assert "Renew token" in shown


def test_renew_starts_the_job(client: Client, stage: Stage) -> None:
    luna = owner_of()
    standing_at(luna, token_since=timezone.now() - timedelta(days=55))
    answer = client.post(address("renew", luna), headers=htmx("connections"))
    assert toast(answer) == "Renewing the token."
    assert Job.objects.get().kind == "renew_token"


def test_what_can_not_be_renewed_is_said(client: Client, stage: Stage) -> None:
    answer = client.post(address("renew", owner_of()), headers=htmx("connections"))
    assert "only once it is 24 h old" in toast(answer)
    assert not Job.objects.exists()


def test_an_expired_token_is_said_in_so_many_words(client: Client, stage: Stage) -> None:
    luna = owner_of()
    standing_at(luna, expires_at=timezone.now() - timedelta(hours=1), expiry_known=True)
    shown = section(client, luna)
    assert "The token has expired. Make a new one and enter it." in shown
    assert "Renew token" not in shown


def test_a_page_token_does_not_expire(client: Client, stage: Stage) -> None:
    luna = owner_of(f"EAA-PAGE-{ID}")
    standing_at(luna, expires_at=None, expiry_known=True)
    assert "The token does not expire by time." in section(client, luna)


def test_a_held_account_says_what_it_waits_for(client: Client, stage: Stage) -> None:
    luna = owner_of()
    standing.hold(place(luna).key, timezone.now() + timedelta(minutes=50), "No credits left.", "credits")
    assert re.search(
        r"Waiting: No credits left\. Buy credits .*\. It goes on in (49|50)\W+min", section(client, luna)
    )


# --- paused and resumed ----------------------------------------------------------------------


def test_a_paused_account_says_why_and_can_be_resumed(client: Client, stage: Stage) -> None:
    luna = owner_of()
    for _ in range(3):
        standing.refused(place(luna).key, refusal(190, 463))
    shown = section(client, luna)
    assert shown.count("The token has expired") == 1
    assert "Paused: The token has expired" in shown and "before you resume it" in shown
    asked = text(client.get(address("resume", luna, "instagram"), headers=htmx()))
    assert "Resume Instagram for Luna?" in asked and "rest for 24 h" not in asked
    answer = client.post(address("resume", luna, "instagram"), headers=htmx())
    assert toast(answer) == "Instagram is open again for Luna."
    assert "accounts-changed" in answer["HX-Trigger"]
    assert not standing.of(place(luna).key).is_paused


def test_resuming_a_restricted_account_too_early_is_warned_of(client: Client, stage: Stage) -> None:
    luna = owner_of()
    standing.refused(place(luna).key, refusal(4, 2207051))
    assert "Better not before tomorrow" in section(client, luna)
    assert "It should rest for 24 h" in text(client.get(address("resume", luna, "instagram")))
    client.post(address("resume", luna, "instagram"))
    assert not standing.of(place(luna).key).is_paused


def test_an_account_that_is_not_paused_is_left_as_it_is(client: Client, stage: Stage) -> None:
    answer = client.post(address("resume", owner_of(), "instagram"), headers=htmx())
    assert toast(answer) == "The account is not paused."


# --- the guides ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.slug)
def test_each_guide_ends_with_the_fields_and_a_test(client: Client, way: Any) -> None:
    answer = client.get(address("connect", someone(), way.slug))
    shown = answer.content.decode()
    assert shown.count("<li><span") >= 5
    assert all(f'name="{name}"' in shown for name in way.fields)
    assert "Save and test" in shown


def test_what_is_entered_is_saved_then_tested(client: Client, stage: Stage) -> None:
    luna = someone()
    sent = {"instagram_account_id": ID, "instagram_api_key": TOKEN}
    answer = client.post(address("connect", luna, "instagram"), sent, headers=htmx())
    assert "Instagram answers: @sandbox_000001." in text(answer)
    assert "accounts-changed" in answer["HX-Trigger"]
    assert characters.get(luna.pk).instagram_api_key.reveal() == TOKEN
    assert TOKEN not in answer.content.decode()


def test_a_test_with_empty_fields_keeps_what_is_stored(client: Client, stage: Stage) -> None:
    luna = owner_of()
    sent = {"instagram_account_id": ID, "instagram_api_key": ""}
    answer = client.post(address("connect", luna, "facebook"), sent)
    assert "Instagram answers" in text(answer)
    assert characters.get(luna.pk).instagram_api_key.reveal() == TOKEN


def test_a_failed_test_names_the_fix_in_the_guide(client: Client, stage: Stage) -> None:
    kai = someone("Kai")
    sent = {**X_KEYS, "twitter_access_token": "X-UNAUTHORIZED"}
    answer = client.post(address("connect", kai, "x"), sent)
    assert "X refused the keys. Check the four keys in the X developer console" in text(answer)


def test_half_of_the_keys_is_refused_by_name(client: Client) -> None:
    answer = client.post(address("connect", someone(), "x"), {"twitter_app_key": "k"})
    assert answer.status_code == 422
    assert "X access token is missing" in text(answer)


def test_someone_elses_change_meanwhile_is_not_overwritten(client: Client, stage: Stage) -> None:
    luna = owner_of()
    digest = client.get(address("connect", luna, "instagram")).context["form"].digest

    def theirs(record: Character) -> None:
        record.instagram_account_id = "17841400000000009"

    Character.objects.change(luna.pk, theirs)
    sent = {"digest": digest, "instagram_account_id": ID, "instagram_api_key": "IGAA-new"}
    answer = client.post(address("connect", luna, "instagram"), sent)
    assert answer.status_code == 409
    assert "while you were editing" in text(answer)
    assert characters.get(luna.pk).instagram_api_key.reveal() == TOKEN


def test_nobody_sees_any_of_it_without_signing_in(client: Client) -> None:
    luna = owner_of()
    for path in (address("connections", luna), address("connect", luna, "x")):
        assert Client().get(path).status_code == 302
