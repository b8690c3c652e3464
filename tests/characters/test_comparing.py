"""Two people edit one character: both versions are shown, nothing that was typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from characters import comparing, forms
from characters.models import Character
from tests.characters.factories import INSTAGRAM, chapter, filled, luna, row, signed_in, write

pytestmark = pytest.mark.django_db
LIST = "/characters/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}"}
IN_DIALOG = {**HTMX, "HX-Target": "dialog"}


@pytest.fixture
def mira(db: None) -> Client:
    return signed_in("mira")


@pytest.fixture
def theo(db: None) -> Client:
    return signed_in("theo")


def edit_page(client: Client, made: Character) -> dict[str, str]:
    return filled(client.get(f"{LIST}{made.pk}/edit/").content, "character-form")


def save(client: Client, made: Character, sent: dict[str, str], **headers: str) -> Any:
    return client.post(f"{LIST}{made.pk}/edit/", sent, headers=headers)


def compare(answer: Any) -> dict[str, str]:
    """What "Keep mine" would send."""
    assert answer.status_code == 409
    return filled(answer.content, "compare-form")


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_second_to_save_is_shown_both_versions(mira: Client, theo: Client) -> None:
    made = luna(backstory="Lives in a forest.")
    first, second = edit_page(mira, made), edit_page(theo, made)
    assert save(mira, made, first | {"backstory": "Lives by the sea."}).status_code == 303
    answer = save(theo, made, second | {"backstory": "Lives in\r\na lighthouse."}, **IN_DIALOG)
    shown = words(answer)
    assert answer.status_code == 409
    assert "Someone saved Luna while you were editing" in shown
    assert "Compare both and choose." in shown
    assert "Backstory Yours Lives in a lighthouse. Theirs Lives by the sea." in shown
    assert "Keep mine" in shown
    assert "Take theirs" in shown
    assert row(made.pk)["backstory"] == "Lives by the sea."


def test_keep_mine_saves_what_was_typed_on_top_of_what_the_other_one_saved(
    mira: Client, theo: Client
) -> None:
    made = luna(backstory="Forest", mood="calm", **INSTAGRAM)
    first, second = edit_page(mira, made), edit_page(theo, made)
    save(mira, made, first | {"backstory": "Sea", "mood": "wild", "width": "832"})
    answer = save(theo, made, second | {"backstory": "Lighthouse\r\ntwo", "personality": "Wild"})
    assert "Theirs also has a new width, mood." in words(answer) or "new mood, width." in words(answer)
    assert save(theo, made, compare(answer)).status_code == 303
    stored = row(made.pk)
    assert (stored["backstory"], stored["personality"]) == ("Lighthouse\ntwo", "Wild")
    assert (stored["promptSettings"]["mood"], stored["width"]) == ("wild", 832)
    assert Character.objects.get().instagram_api_key.reveal() == INSTAGRAM["instagram_api_key"]


def test_take_theirs_leads_to_the_character_as_it_is(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    answer = save(theo, made, second | {"personality": "Quiet"})
    assert f'<a class="btn" href="{LIST}{made.pk}/">Take theirs</a>' in answer.content.decode()


def test_a_third_save_in_between_is_shown_again(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    mine = compare(save(theo, made, second | {"personality": "Quiet"}))
    save(mira, made, edit_page(mira, made) | {"personality": "Wilder"})
    answer = save(theo, made, mine)
    assert "Yours Quiet Theirs Wilder" in words(answer)
    assert save(theo, made, compare(answer)).status_code == 303
    assert row(made.pk)["personality"] == "Quiet"


def test_an_edit_by_hand_that_leaves_the_time_alone_is_noticed_too(theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    write(row(made.pk) | {"personality": "By hand"})
    assert "Theirs By hand" in words(save(theo, made, second | {"personality": "Quiet"}))


def test_changes_the_dialog_does_not_show_are_no_conflict(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    chapter(made)
    Character.objects.change(made.pk, lambda record: record.extra.update(pet="owl", avatarImageId="img_1"))
    assert save(theo, made, second | {"personality": "Quiet"}).status_code == 303
    assert (row(made.pk)["pet"], row(made.pk)["narratives"][0]["title"]) == ("owl", "The Crystal Quest")


def test_the_same_change_by_both_leaves_nothing_to_choose(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild", "mood": "calm"})
    answer = save(theo, made, second | {"personality": "Wild", "style": "oil"})
    assert "Yours oil Theirs nothing" in words(answer)
    assert "Yours Wild" not in words(answer)


def test_a_key_that_was_typed_is_asked_for_again_and_never_sent_back(mira: Client, theo: Client) -> None:
    made = luna(**INSTAGRAM)
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    answer = save(theo, made, second | {"instagram_api_key": "IGAA-typed"}, **IN_DIALOG)
    assert "IGAA-typed" not in answer.content.decode()
    assert "type it again" in words(answer)
    mine = compare(answer)
    assert mine["instagram_api_key"] == ""
    assert save(theo, made, mine | {"instagram_api_key": "IGAA-typed"}).status_code == 303
    stored = Character.objects.get()
    assert (stored.instagram_api_key.reveal(), stored.personality) == ("IGAA-typed", "Wild")


def test_a_ticked_remove_box_and_an_unticked_switch_are_carried_along(mira: Client, theo: Client) -> None:
    made = luna(**INSTAGRAM)
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    del second["ai_label"]
    second["ai_label_reason"] = "It is a painting."
    mine = compare(save(theo, made, second | {"instagram_api_key_remove": "on", "instagram_account_id": ""}))
    assert save(theo, made, mine).status_code == 303
    stored = Character.objects.get()
    assert (bool(stored.instagram_api_key), stored.ai_label, stored.is_active) == (False, False, True)


def test_a_section_opens_the_comparison_in_a_dialog_and_leaves_the_page_as_it_was_typed(
    mira: Client, theo: Client
) -> None:
    made = luna()
    shown = {
        "name": "Luna",
        "personality": "Dreamy",
        "digest": forms.section_form("persona")(instance=made).digest,
    }
    address = f"{LIST}{made.pk}/section/persona/"
    assert mira.post(address, shown | {"voice": "Low"}).status_code == 303
    answer = theo.post(address, shown | {"voice": "High"}, headers={**HTMX, "HX-Target": "persona"})
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (409, "#dialog", "innerHTML")
    assert answer.content.decode().strip().startswith("<dialog")
    assert f'action="{address}"' in answer.content.decode()
    kept = theo.post(address, compare(answer), headers=IN_DIALOG)
    assert kept["HX-Redirect"] == f"{LIST}{made.pk}/"
    assert row(made.pk)["voice"] == "High"


def test_what_is_refused_from_the_comparison_over_a_page_comes_back_in_its_section(theo: Client) -> None:
    made = luna()
    shown = {"ai_label": "on", "digest": forms.section_form("accounts")(instance=made).digest}
    Character.objects.change(made.pk, lambda record: setattr(record, "twitter_account_id", "1"))
    address = f"{LIST}{made.pk}/section/accounts/"
    typed = shown | {"instagram_account_id": "178", "instagram_api_key": "IGAA-typed"}
    mine = compare(theo.post(address, typed, headers={**HTMX, "HX-Target": "accounts"}))
    answer = theo.post(address, mine, headers=IN_DIALOG)
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (422, "#accounts", "outerHTML")
    assert "dialog-close" in answer["HX-Trigger"]
    assert "Instagram access token is missing" in words(answer)
    assert 'value="178"' in answer.content.decode()


def test_without_scripts_the_comparison_is_a_page(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    answer = save(theo, made, second | {"personality": "Quiet"})
    assert answer.status_code == 409
    assert "<html" in answer.content.decode()
    assert "HX-Retarget" not in answer


def test_an_invalid_form_is_mended_first_and_the_conflict_is_still_noticed(
    mira: Client, theo: Client
) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "Wild"})
    refused = save(theo, made, second | {"name": "", "personality": "Quiet"}, **IN_DIALOG)
    assert refused.status_code == 422
    mended = filled(refused.content, "character-form") | {"name": "Luna"}
    assert save(theo, made, mended, **IN_DIALOG).status_code == 409


def test_text_in_a_comparison_is_escaped(mira: Client, theo: Client) -> None:
    made = luna()
    second = edit_page(theo, made)
    save(mira, made, edit_page(mira, made) | {"personality": "<script>theirs</script>"})
    answer = save(theo, made, second | {"personality": "<script>mine</script>"})
    assert "<script>mine" not in answer.content.decode()
    assert "<script>theirs" not in answer.content.decode()
    assert compare(answer)["personality"] == "<script>mine</script>"


def test_two_people_editing_one_chapter_are_shown_both_versions(mira: Client, theo: Client) -> None:
    made = luna()
    record = chapter(made, description="Begins")
    address = f"{LIST}{made.pk}/story/{record.pk}/"
    shown = filled(mira.get(address).content, "chapter-form")
    assert mira.post(address, shown | {"description": "Begins at sea"}).status_code == 303
    answer = theo.post(address, shown | {"description": "Begins at night", "start_date": "2026-01-02"})
    assert answer.status_code == 409
    assert "Someone saved The Crystal Quest while you were editing" in words(answer)
    assert "Yours Begins at night Theirs Begins at sea" in words(answer)
    assert theo.post(address, compare(answer), headers=IN_DIALOG).status_code == 204
    stored = row(made.pk)["narratives"][0]
    assert (stored["description"], stored["startDate"]) == ("Begins at night", "2026-01-02")


def test_only_what_was_changed_by_the_sender_is_called_theirs_or_mine() -> None:
    made = luna(mood="calm", steps=20)
    form_type = forms.partial_form(["mood", "steps", "style", "is_active"])
    digest = form_type(instance=made).digest
    data = {"mood": "wild", "steps": "20", "style": "oil", "is_active": "on", "digest": digest}
    form = form_type(data, instance=made)
    assert form.is_valid()
    changed = Character.objects.change(
        made.pk, lambda record: record.__dict__.update(steps=30, is_active=False)
    )
    found = comparing.compare(form, changed)
    assert [(one.label, one.mine, one.theirs) for one in found.differences] == [
        ("Mood", "wild", "calm"),
        ("Style", "oil", "nothing"),
    ]
    assert found.theirs == ["Steps", "Active"]
    assert dict(found.inputs) == {"mood": "wild", "steps": "30", "style": "oil"}, "and no tick"
    assert found.digest == form_type(instance=changed).digest
