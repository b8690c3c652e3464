"""Characters in the real admin: the same forms and services as everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from characters import panels, services
from characters.models import Character, Narrative
from tests.characters.people import INSTAGRAM, someone

pytestmark = pytest.mark.django_db

LIST = "/admin/characters/character/"


@pytest.fixture
def owner(db: None) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    return client


def form(stories: list[dict[str, str]] | None = None, *, stored: int = 0, **values: str) -> dict[str, str]:
    """What the browser sends, the first `stored` stories being known ones."""
    stories = stories or []
    sent = {
        "name": "Luna",
        "personality": "Dreamy",
        "is_active": "on",
        "ai_label": "on",
        "narratives-TOTAL_FORMS": str(len(stories)),
        "narratives-INITIAL_FORMS": str(stored),
        **values,
    }
    for place, story in enumerate(stories):
        sent |= {f"narratives-{place}-{key}": value for key, value in story.items()}
    return sent


def url(character: Character, page: str = "change") -> str:
    return f"{LIST}{character.pk}/{page}/"


def names(client: Client, query: str) -> list[str]:
    return [found.name for found in client.get(LIST + query).context["cl"].result_list]


def choose(client: Client, action: str, *characters: Character, **more: str) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [one.pk for one in characters], **more})


def test_a_character_is_added_with_its_story(owner: Client) -> None:
    answer = owner.post(
        f"{LIST}add/", form([{"title": "The Quest", "start_date": "2026-01-02"}], style="oil")
    )
    assert answer.status_code == 302
    luna = Character.objects.get()
    assert (luna.name, luna.style, luna.ai_label) == ("Luna", "oil", True)
    assert [story.title for story in luna.narratives.all()] == ["The Quest"]


def test_a_character_is_changed_with_its_story(owner: Client) -> None:
    luna = someone(mood="calm", **INSTAGRAM)
    quest = Narrative.objects.create(character=luna, title="The Quest")
    luna = Character.objects.get()
    stories = [
        {"id": quest.pk, "character": luna.pk, "title": "The Long Quest"},
        {"character": luna.pk, "title": "After"},
    ]
    sent = form(
        stories,
        stored=1,
        mood="stormy",
        digest=owner.get(url(luna)).context["adminform"].form["digest"].value(),
        instagram_account_id="17841400000000001",
    )
    assert owner.post(url(luna), sent).status_code == 302
    saved = Character.objects.get()
    assert (saved.mood, saved.instagram_api_key.reveal()) == ("stormy", INSTAGRAM["instagram_api_key"])
    assert [story.title for story in saved.narratives.all()] == ["The Long Quest", "After"]


def test_the_rules_of_the_form_hold_here_too(owner: Client) -> None:
    answer = owner.post(f"{LIST}add/", form(name="bell\x07", instagram_account_id="1"))
    assert b"control character" in answer.content
    assert b"fill in all of them" in answer.content
    assert not Character.objects.exists()


def test_the_label_is_switched_off_for_a_reason(owner: Client) -> None:
    luna = someone()
    assert owner.post(url(luna), form(ai_label="", ai_label_reason="")).status_code == 200
    assert Character.objects.get().ai_label
    assert owner.post(url(luna), form(ai_label="", ai_label_reason="By hand")).status_code == 302
    assert not Character.objects.get().ai_label


def test_what_someone_else_saved_meanwhile_is_not_overwritten(owner: Client) -> None:
    luna = someone()
    seen = owner.get(url(luna)).context["adminform"].form["digest"].value()
    Character.objects.change(luna.pk, lambda record: setattr(record, "mood", "new"))
    answer = owner.post(url(luna), form(mood="mine", digest=seen))
    assert b"Someone saved this character" in answer.content
    assert Character.objects.get().mood == "new"


def test_a_secret_is_never_shown_and_can_be_taken_away(owner: Client) -> None:
    luna = someone(**INSTAGRAM)
    page = owner.get(url(luna)).content.decode()
    assert INSTAGRAM["instagram_api_key"] not in page
    assert "sealed:" not in page
    assert 'name="instagram_api_key_remove"' in page
    assert 'name="twitter_app_key_remove"' not in page
    answer = owner.post(url(luna), form(instagram_api_key="", instagram_api_key_remove="on"))
    assert answer.status_code == 302, answer.context["errors"]
    assert not Character.objects.get().instagram_api_key


def test_the_page_needs_no_inline_style_or_script(owner: Client) -> None:
    luna = someone()
    for address in (LIST, f"{LIST}add/", url(luna), url(luna, "delete"), url(luna, "history")):
        answer = owner.get(address)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        assert ' style="' not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert all("src=" in tag.partition(">")[0] for tag in page.split("<script")[1:] if "json" not in tag)


def test_the_list_searches_and_filters(owner: Client) -> None:
    someone("Luna", instagram_handle="@moon", preferred_model="xl.safetensors")
    someone("Nova", is_active=False)
    assert names(owner, "?q=moon") == ["Luna"]
    assert names(owner, "?is_active__exact=0") == ["Nova"]
    assert names(owner, "?model=xl.safetensors") == ["Luna"]
    assert names(owner, "?o=-1") == ["Nova", "Luna"]


def test_several_are_paused_and_activated_at_once(owner: Client) -> None:
    luna, nova = someone("Luna"), someone("Nova")
    choose(owner, "deactivate", luna, nova)
    assert services.counts() == {"all": 2, "active": 0, "paused": 2}
    choose(owner, "activate", nova)
    assert Character.objects.get(is_active=True).name == "Nova"


@pytest.mark.parametrize("by_action", [False, True])
def test_deleting_goes_through_the_service(
    owner: Client, monkeypatch: pytest.MonkeyPatch, by_action: bool
) -> None:
    told: list[str] = []
    monkeypatch.setattr(panels, "announce_deleted", told.append)
    luna = someone()
    if by_action:
        choose(owner, "delete_selected", luna, post="yes")
    else:
        owner.post(url(luna, "delete"), {"post": "yes"})
    assert told == [luna.pk]
    assert not Character.objects.exists()


def test_what_was_done_is_in_the_history(owner: Client) -> None:
    owner.post(f"{LIST}add/", form())
    luna = Character.objects.get()
    owner.post(url(luna), form(mood="calm"))
    flags = list(LogEntry.objects.order_by("pk").values_list("action_flag", flat=True))
    assert flags == [1, 2]
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {luna.pk}
