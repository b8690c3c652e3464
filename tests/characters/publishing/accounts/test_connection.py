"""Check a connection: what is shown of an account, and each way it can fail."""

from __future__ import annotations

from typing import Any

import pytest

from characters import services as characters
from characters.forms import section_form
from characters.models import Character
from characters.publishing.accounts import connection, standing, tokens, wording
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.errors import Conflict
from tests.characters.people import someone
from tests.characters.publishing.realm import (
    ID,
    TOKEN,
    X_KEYS,
    advance,
    configure_app,
    enter,
    owner_of,
    place,
)
from tests.characters.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stage(pretended: Stage) -> Stage:
    return pretended


def check(character: Character, platform: Platform = Platform.INSTAGRAM) -> connection.Checked:
    return connection.check(character, platform)


def test_a_check_says_whose_account_it_is() -> None:
    luna = owner_of(f"IGAA-{ID}-SANDBOX-luna_mystic")
    checked = check(luna)
    known = place(luna).standing
    assert (checked.level, checked.message) == ("ok", "Instagram answers: @luna_mystic.")
    assert known is not None
    assert (known.username, known.name, known.quota_used, known.quota_limit) == (
        "luna_mystic",
        "Luna Mystic",
        0,
        100,
    )
    assert known.picture.startswith("data:image/webp;base64,")
    assert place(luna).chip == ("ok", "ok")


def test_x_tells_name_and_image() -> None:
    kai = someone("Kai", **X_KEYS)
    assert check(kai, Platform.X).message == "X answers: @sandbox_994945."
    known = place(kai, Platform.X).standing
    assert known and known.picture and known.expires_at is None


def test_a_practice_account_can_be_checked_too(luna: Character) -> None:
    assert check(luna).message == "Instagram answers: @luna_mystic, in the sandbox."
    assert place(luna).chip == ("sandbox", "sandbox")


def test_a_character_without_account_cannot_be_checked(settings: Any) -> None:
    pretend_off = owner_of()
    other = someone("Kai")
    with pytest.raises(Conflict, match="no Instagram account"):
        check(other)
    assert check(pretend_off).level == "ok"


@pytest.mark.parametrize(
    ("word", "message"),
    [("EXPIRED", "The token has expired"), ("REVOKED", "The owner of the account has removed the app")],
)
def test_a_refused_token_breaks_the_connection_with_its_fix(word: str, message: str) -> None:
    luna = owner_of(f"IGAA-{word}")
    checked = check(luna)
    assert checked.level == "bad" and checked.message.startswith(message)
    assert "Reconnect the account" in checked.sentence
    assert place(luna).chip == ("broken", "bad")


def test_refused_x_keys_break_the_connection() -> None:
    kai = someone("Kai", **{**X_KEYS, "twitter_access_token": "X-UNAUTHORIZED"})
    assert check(kai, Platform.X).message == "X refused the keys."
    assert place(kai, Platform.X).chip == ("broken", "bad")


def test_a_platform_out_of_order_says_nothing_about_the_account(stage: Stage) -> None:
    luna = owner_of()
    check(luna)
    stage.order("instagram", "me.error_before")
    assert check(luna).level == "warn"
    assert place(luna).chip == ("ok", "ok")


def test_a_check_counts_as_no_refusal() -> None:
    luna = owner_of("IGAA-EXPIRED")
    for _ in range(4):
        check(luna)
    assert not standing.of(place(luna).key).is_paused


def test_a_good_check_heals_a_broken_account(stage: Stage) -> None:
    luna = owner_of()
    stage.order("instagram", "me.token_revoked")
    check(luna)
    assert place(luna).chip == ("broken", "bad")
    check(luna)
    assert place(luna).chip == ("ok", "ok")


def test_the_id_of_another_account_is_told() -> None:
    luna = owner_of("IGAA-17841400000000002-x")
    checked = check(luna)
    assert checked.level == "warn"
    assert "whose account id is 17841400000000002, not 17841400000000001" in checked.message


# --- how long the token lives ----------------------------------------------------------------


def test_a_new_token_is_thought_to_live_for_60_days() -> None:
    luna = owner_of()
    check(luna)
    known = place(luna).standing
    assert known and (known.days_left, known.expiry_known) == (60, False)


def test_an_app_knows_when_its_token_ends(settings: Any) -> None:
    configure_app(settings)
    luna = owner_of(f"EAA-{ID}-user")
    check(luna)
    known = place(luna).standing
    assert known and (known.days_left, known.expiry_known) == (60, True)
    assert "instagram_content_publish" in known.scopes


def test_a_page_token_does_not_expire(settings: Any) -> None:
    configure_app(settings)
    luna = owner_of(f"EAA-PAGE-{ID}")
    check(luna)
    known = place(luna).standing
    assert known and (known.expires_at, known.expiry_known) == (None, True)


def test_without_an_app_nobody_knows_when_a_facebook_token_ends(stage: Stage) -> None:
    luna = owner_of(f"EAA-PAGE-{ID}")
    check(luna)
    known = place(luna).standing
    assert known and (known.expires_at, known.expiry_known) == (None, False)
    assert wording.facts(place(luna))[-1].startswith("When the token ends is not known")
    assert not wording.troubles(place(luna)), "what nobody knows is not warned of"


def test_a_token_that_outlives_its_estimate_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    luna = owner_of()
    monkeypatch.setattr(tokens, "LIFE", -tokens.YOUNGEST)
    tokens.note(luna, place(luna))
    assert place(luna).chip == ("may have expired", "warn")
    check(luna)
    assert place(luna).chip == ("ok", "ok")


def test_an_app_with_a_wrong_secret_is_told_as_such_and_is_no_fault_of_the_account(settings: Any) -> None:
    configure_app(settings, "WRONG")
    luna = owner_of(f"EAA-{ID}-user")
    checked = check(luna)
    assert (checked.level, "refused the app's id or secret" in checked.message) == ("bad", True)
    assert place(luna).chip == ("set", "ok")


def test_a_page_in_place_of_the_platform_is_no_fault_of_the_account(stage: Stage) -> None:
    luna = owner_of()
    check(luna)
    stage.order("instagram", "me.html")
    assert check(luna).level != "ok"
    assert place(luna).chip == ("ok", "ok")


def test_a_renewed_token_that_may_not_publish_is_found_out() -> None:
    luna = owner_of()
    check(luna)
    AccountStanding.objects.update(scopes=["instagram_business_basic"])
    assert "lacks instagram_business_content_publish" in check(luna).message
    assert place(luna).chip == ("broken", "bad")


def test_a_token_without_the_right_to_publish_is_found_out(settings: Any, monkeypatch: Any) -> None:
    configure_app(settings)
    monkeypatch.setattr("influencer.sandbox.instagram.tokens.FACEBOOK_SCOPES", ("instagram_basic",))
    luna = owner_of(f"EAA-{ID}-user")
    assert "lacks instagram_content_publish" in check(luna).message
    assert place(luna).chip == ("broken", "bad")


def test_an_expired_facebook_token_is_found_out(settings: Any, stage: Stage) -> None:
    configure_app(settings)
    luna = owner_of(f"EAA-{ID}-user")
    check(luna)
    advance(stage, 61)
    assert "has expired" in check(luna).message


# --- what is stored --------------------------------------------------------------------------


def test_no_part_of_a_token_is_kept_with_the_standing() -> None:
    luna = owner_of()
    check(luna)
    kept = str(standing.of(place(luna).key).__dict__)
    assert TOKEN not in kept and "first" not in kept


def test_another_token_begins_with_nothing_known() -> None:
    luna = owner_of("IGAA-EXPIRED")
    check(luna)
    for _ in range(3):
        standing.refused(place(luna).key, _refusal())
    assert place(luna).chip == ("paused", "bad")
    enter(luna, TOKEN)
    luna = characters.get(luna.pk)
    tokens.note(luna, place(luna))
    assert place(luna).chip == ("set", "ok")


def test_a_restriction_outlasts_another_token() -> None:
    luna = owner_of()
    standing.refused(place(luna).key, _refusal(4, 2207051))
    tokens.note(luna, place(luna))
    assert place(luna).chip == ("paused", "bad")


def test_an_empty_field_never_wipes_a_stored_token() -> None:
    luna = owner_of()
    form = section_form("accounts")(
        {"instagram_account_id": ID, "instagram_api_key": "", "ai_label": "on"}, instance=luna
    )
    assert form.is_valid(), form.errors
    characters.update(luna.pk, form)
    assert characters.get(luna.pk).instagram_api_key.reveal() == TOKEN


def _refusal(code: int = 190, subcode: int | str = "") -> Any:
    from tests.characters.publishing.course import refusal

    return refusal(code, subcode or None)  # type: ignore[arg-type]
