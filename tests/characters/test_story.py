"""The story of a character: chapters on a timeline, added, changed, deleted."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from characters import forms, story
from characters.models import Character, Narrative
from influencer.errors import Conflict, NotFound
from tests.characters.factories import chapter, filled, luna, row, signed_in, write

pytestmark = pytest.mark.django_db
LIST = "/characters/"
HTMX = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def client(db: None) -> Client:
    return signed_in()


@pytest.fixture
def may_14(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 5, 14, 12, tzinfo=UTC))


def told(answer: Any) -> set[str]:
    return set(json.loads(answer["HX-Trigger"]))


@pytest.mark.usefixtures("may_14")
def test_chapters_stand_in_the_order_of_their_days_with_where_they_are() -> None:
    made = luna()
    chapter(made, "Later", start_date=date(2026, 6, 1), end_date=date(2026, 7, 31))
    chapter(made, "Now", start_date=date(2026, 5, 1), end_date=date(2026, 5, 31))
    chapter(made, "Over", start_date=date(2026, 3, 1), end_date=date(2026, 4, 30))
    chapter(made, "Always")
    chapter(made, "Open", start_date=date(2026, 5, 2))
    found = [(one.record.title, one.running, one.over, one.day, one.days) for one in story.timeline(made)]
    assert found == [
        ("Always", True, False, 0, 0),
        ("Over", False, True, 0, 0),
        ("Now", True, False, 14, 31),
        ("Open", True, False, 0, 0),
        ("Later", False, False, 0, 0),
    ]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({}, "any time"),
        ({"start_date": date(2026, 5, 1)}, "from 1 May 2026"),
        ({"end_date": date(2026, 5, 31)}, "until 31 May 2026"),
        ({"start_date": date(2026, 5, 1), "end_date": date(2026, 6, 2)}, "1 May – 2 Jun 2026"),
        ({"start_date": date(2025, 12, 1), "end_date": date(2026, 1, 2)}, "1 Dec 2025 – 2 Jan 2026"),
    ],
)
def test_the_days_of_a_chapter_in_words(days: dict[str, date], words: str) -> None:
    record = Narrative(title="x", **days)
    assert story.Chapter(record, running=False, over=False).span == words


@pytest.mark.usefixtures("may_14")
def test_the_section_shows_the_day_of_the_running_chapter(client: Client) -> None:
    made = luna()
    chapter(made, "Now", start_date=date(2026, 5, 1), end_date=date(2026, 5, 31))
    part = client.get(f"{LIST}{made.pk}/story/").content.decode()
    assert part.count("<section") == 1
    assert "now, day 14 of 31" in part
    assert '<progress value="14" max="31"' in part
    assert 'hx-trigger="story-changed from:body"' in part


def test_a_chapter_is_added_over_the_page_which_loads_its_story_anew(client: Client) -> None:
    made = luna()
    address = f"{LIST}{made.pk}/story/add/"
    sent = filled(client.get(address, headers=HTMX).content, "chapter-form")
    sent |= {"title": "One", "description": "a\r\nb", "start_date": "2026-05-01"}
    answer = client.post(address, sent, headers=HTMX)
    assert answer.status_code == 204
    assert told(answer) == {"toast", "dialog-close", "story-changed"}
    [stored] = row(made.pk)["narratives"]
    assert stored == {"id": stored["id"], "title": "One", "description": "a\nb", "startDate": "2026-05-01"}


def test_without_scripts_adding_and_deleting_lead_back_to_the_story(client: Client) -> None:
    made = luna()
    answer = client.post(f"{LIST}{made.pk}/story/add/", {"title": "One"})
    assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{made.pk}/#story")
    [record] = made.narratives.all()
    answer = client.post(f"{LIST}{made.pk}/story/{record.pk}/delete/")
    assert answer["Location"] == f"{LIST}{made.pk}/#story"
    assert "Deleted One." in client.get(f"{LIST}{made.pk}/").content.decode()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "x", "start_date": "soon"}, "valid date"),
        ({"title": "x", "start_date": "2026-02-01", "end_date": "2026-01-01"}, "ends before it begins"),
        ({"title": "a\x07b"}, "control character"),
    ],
)
def test_a_chapter_that_makes_no_sense_comes_back_with_the_reason(
    client: Client, sent: dict[str, str], why: str
) -> None:
    made = luna()
    answer = client.post(f"{LIST}{made.pk}/story/add/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert row(made.pk)["narratives"] == []


def test_a_chapter_is_edited_and_keeps_what_no_field_shows(client: Client) -> None:
    made = luna()
    write(
        row(made.pk)
        | {"narratives": [{"id": "n", "title": "One", "colour": "red", "startDate": "2026-05-01T09:00:00"}]}
    )
    address = f"{LIST}{made.pk}/story/n/"
    sent = filled(client.get(address).content, "chapter-form")
    assert sent["start_date"] == "2026-05-01"
    assert client.post(address, sent | {"title": "Two"}, headers=HTMX).status_code == 204
    assert row(made.pk)["narratives"] == [
        {"id": "n", "title": "Two", "colour": "red", "startDate": "2026-05-01T09:00:00"}
    ]


def test_deleting_a_chapter_asks_first(client: Client) -> None:
    made = luna()
    record = chapter(made)
    address = f"{LIST}{made.pk}/story/{record.pk}/delete/"
    asked = re.sub(r"<[^>]+>", "", client.get(address, headers=HTMX).content.decode())
    assert "Delete The Crystal Quest?" in asked
    assert "Images and posts made from it stay." in asked
    assert len(row(made.pk)["narratives"]) == 1
    assert told(client.post(address, headers=HTMX)) == {"toast", "dialog-close", "story-changed"}
    assert row(made.pk)["narratives"] == []


def test_a_chapter_that_is_gone_says_so(client: Client) -> None:
    made = luna()
    for address in ("narr_x/", "narr_x/delete/"):
        answer = client.get(f"{LIST}{made.pk}/story/{address}")
        assert answer.status_code == 404
        assert "There is no such chapter any more." in answer.content.decode()


def test_two_characters_may_have_chapters_with_the_same_id(client: Client) -> None:
    for name in ("Luna", "Kai"):
        luna(name=name)
    one, two = Character.objects.all()
    write(*(row(made.pk) | {"narratives": [{"id": "narr_1", "title": made.name}]} for made in (one, two)))
    assert client.post(f"{LIST}{two.pk}/story/narr_1/", {"title": "Changed"}, headers=HTMX).status_code == 204
    assert row(one.pk)["narratives"][0]["title"] == one.name
    assert row(two.pk)["narratives"][0]["title"] == "Changed"
    assert client.post(f"{LIST}{two.pk}/story/narr_1/delete/", headers=HTMX).status_code == 204
    assert len(row(one.pk)["narratives"]) == 1


def test_saving_a_chapter_of_a_character_that_was_deleted_says_so() -> None:
    made = luna()
    record = chapter(made)
    form = forms.NarrativeForm({"title": "Two"}, instance=record)
    new = forms.NarrativeForm({"title": "New"}, instance=Narrative(character=made))
    assert form.is_valid()
    assert new.is_valid()
    made.delete()
    for late in (form, new):
        with pytest.raises(NotFound):
            story.save(late)


def test_a_chapter_that_is_not_as_it_was_shown_is_left_alone() -> None:
    made = luna()
    record = chapter(made)
    digest = forms.NarrativeForm(instance=record).digest
    form = forms.NarrativeForm({"title": "Two", "digest": digest}, instance=record)
    assert form.is_valid()
    stored = made.narratives.get()
    stored.title = "Meanwhile"
    stored.save()
    with pytest.raises(Conflict) as caught:
        story.save(form)
    assert caught.value.code == "changed_since"
    assert made.narratives.get().title == "Meanwhile"
