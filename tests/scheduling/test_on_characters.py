"""A character's tasks on its card and its page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from scheduling import on_characters
from scheduling.models import NextDue
from tests.characters.factories import luna, signed_in
from tests.scheduling.asking import words
from tests.scheduling.plans import HOUR, a_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def test_the_next_post_is_the_first_due_of_those_that_post() -> None:
    owner, now = luna(), timezone.now()
    for kind, hours in (("generate_only", 1), ("generate_and_post_to_twitter", 5), ("generate_and_post", 3)):
        task = a_task(character=owner, type=kind)
        NextDue.objects.create(task_id=task.pk, digest="", due=now + hours * HOUR)
    found = on_characters.next_posts([owner.pk])[owner.pk]
    assert (found.due, found.platforms) == (now + 3 * HOUR, "Instagram")


def test_what_the_clock_has_not_planned_yet_is_worked_out() -> None:
    owner = luna(timezone="Asia/Tokyo")
    a_task("0 18 * * *", character=owner, type="generate_and_post")
    found = on_characters.next_posts([owner.pk])[owner.pk]
    assert f"{found.due:%H:%M}" == "09:00" and (found.zone, found.place) == ("Asia/Tokyo", "Tokyo")
    assert found.due - timezone.now() <= timedelta(days=1)


@pytest.mark.parametrize(
    ("person", "task"),
    [
        ({"is_active": False}, {}),
        ({}, {"active": False}),
        ({}, {"type": "generate_only"}),
        ({}, {"type": "x"}),
    ],
)
def test_without_anything_that_will_post_there_is_none(person: dict[str, Any], task: dict[str, Any]) -> None:
    owner = luna(**person)
    a_task(character=owner, **{"type": "generate_and_post", **task})
    a_task("61 * * * *", character=owner, type="generate_and_post")
    assert on_characters.next_posts([owner.pk]) == {}


def test_a_page_of_cards_takes_one_query(django_assert_num_queries: Any) -> None:
    people = [luna(name=f"Luna {number}") for number in range(5)]
    for owner in people:
        a_task(character=owner, type="generate_and_post")
    with django_assert_num_queries(1):
        assert len(on_characters.next_posts([owner.pk for owner in people])) == 5


def test_the_card_shows_it_in_the_time_of_the_character(client: Client) -> None:
    hour = (datetime.now(ZoneInfo("Asia/Tokyo")).hour + 12) % 24  # less than an hour ahead is said in minutes
    a_task(f"0 {hour} * * *", character=luna(timezone="Asia/Tokyo"), type="generate_and_post")
    said = words(client.get("/characters/").content)
    assert f"{hour:02}:00 Tokyo time on Instagram" in said.partition("Next post")[2]


def test_the_page_has_a_schedule_with_every_button(client: Client) -> None:
    owner = luna()
    assert "No task yet." in words(client.get(f"/characters/{owner.pk}/").content)
    task = a_task(character=owner)
    for address in (f"/characters/{owner.pk}/", f"/scheduling/of/{owner.pk}/"):
        page = client.get(address).content
        said = words(page)
        assert "Schedule" in said and "At 18:00 every day" in said and "Pause" in said
        assert f"?character={owner.pk}".encode() in page and f"/scheduling/{task.pk}/".encode() in page


def test_of_many_tasks_the_next_ten_are_shown(client: Client) -> None:
    owner = luna()
    for _ in range(12):
        a_task(character=owner)
    page = client.get(f"/scheduling/of/{owner.pk}/").content
    assert page.count(b'id="row-') == 10 and "All 12 tasks" in words(page)
