"""The warning that a prompt or caption says nearly what a recent one says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from prompts import closeness
from tests.prompts.library import prompt

LONG = "luna_character at the edge of a frozen lake, lantern on the ice"


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        (LONG, LONG.upper(), True),
        (LONG, "on the ice, lantern at the edge of a frozen lake: luna_character", True),
        (LONG, "luna_character on worn castle steps, kneeling to pick something up", False),
        ("Snow.", "Snow.", False),
        ("", LONG, False),
    ],
)
def test_texts_are_close_by_the_words_they_share(one: str, other: str, close: bool) -> None:
    assert closeness.alike(one, other) is close


def test_only_the_later_of_two_is_marked_and_only_for_one_character() -> None:
    first = prompt(LONG, character_id="char_1")
    second = prompt(f"{LONG}, dusk", character_id="char_1")
    other = prompt(LONG, character_id="char_2")
    found = closeness.find([first, second, other])
    assert set(found) == {second.pk}
    assert found[second.pk].pk == first.pk and found[second.pk].what == "prompt"


def test_captions_count_too_and_a_change_is_noticed_at_once() -> None:
    prompt("one thing", character_id="char_1", caption="The city hums in a key I almost know.")
    second = prompt("another thing", character_id="char_1", caption="The city hums in a key I almost knew.")
    assert closeness.find([second])[second.pk].what == "caption"
    second.caption = "Something else said here altogether."
    second.save()
    assert closeness.find([second]) == {}


def test_of_two_made_at_once_the_later_in_the_file_is_the_newer() -> None:
    now = timezone.now()
    first, second = (prompt(LONG, character_id="char_1", created_at=now) for _ in range(2))
    assert closeness.find([first, second])[second.pk].pk == first.pk


def test_what_is_long_ago_does_not_count() -> None:
    first = timezone.now() - timedelta(hours=1)
    prompt(LONG, character_id="char_1", created_at=first)
    for number in range(closeness.RECENT):
        later = first + timedelta(seconds=number + 1)
        prompt(f"scene number {number} with nothing alike in it", character_id="char_1", created_at=later)
    last = prompt(LONG, character_id="char_1")
    assert closeness.find([last]) == {}
