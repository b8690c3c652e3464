"""Where a text stands in the story, and how scenes are spread over it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from influencer.clients.writers import story
from influencer.clients.writers.interface import Ask
from influencer.errors import Invalid
from tests.influencer.clients.writers.asks import ECHO, FAIR, QUEST, TODAY, ask


def test_the_chapter_that_holds_the_day_counts() -> None:
    assert story.current((FAIR, QUEST, ECHO), TODAY) == QUEST
    assert story.current((FAIR, QUEST, ECHO), date(2026, 11, 5)) is None
    assert story.current((), TODAY) is None


def test_of_chapters_that_overlap_the_latest_begun_counts() -> None:
    always = replace(FAIR, first_day=None, last_day=None)
    assert story.current((always, QUEST), TODAY) == QUEST


def test_a_single_chapter_counts_whatever_the_day() -> None:
    assert story.current((FAIR,), TODAY) == FAIR


@pytest.mark.parametrize(
    ("day", "part"),
    [
        (date(2026, 11, 1), "how it begins"),
        (date(2026, 11, 13), "how it begins"),
        (date(2026, 11, 23), "in the thick of it"),
        (date(2026, 12, 3), "how it ends"),
        (date(2027, 5, 1), "how it ends"),
    ],
)
def test_a_day_has_its_part_of_the_chapter(day: date, part: str) -> None:
    share = story.fraction(QUEST, day)
    assert share is not None and story.part_at(share) == part


def test_a_chapter_of_one_day_or_without_days_has_a_place_too() -> None:
    assert story.fraction(replace(QUEST, first_day=TODAY, last_day=TODAY), TODAY) == 0
    assert story.fraction(replace(QUEST, last_day=None), TODAY) is None


def test_scenes_are_spread_over_the_parts_of_a_chapter_in_order() -> None:
    parts = [beat.part for beat in story.beats(ask(count=10))]
    assert parts == [part for part in story.PARTS for _ in range(2)]


def test_scenes_are_spread_evenly_over_the_chapters_that_are_not_over() -> None:
    chapters = Counter(beat.chapter for beat in story.beats(ask(count=12, chapters=(ECHO, FAIR, QUEST))))
    assert chapters == {QUEST: 6, ECHO: 6}


def test_when_every_chapter_is_over_the_past_is_told() -> None:
    assert {beat.chapter for beat in story.beats(ask(count=3, chapters=(FAIR,)))} == {FAIR}


def test_a_character_without_a_story_gets_scenes_all_the_same() -> None:
    found = story.beats(ask(count=4, chapters=()))
    assert [(beat.number, beat.chapter, beat.part) for beat in found] == [(n, None, "") for n in (1, 2, 3, 4)]


def test_asking_in_parts_gives_the_same_scenes_as_asking_at_once() -> None:
    chapters = (QUEST, ECHO)
    whole = story.beats(ask(count=50, chapters=chapters))
    parts = [
        story.beats(ask(count=10, first=first, total=50, chapters=chapters)) for first in range(0, 50, 10)
    ]
    assert whole == tuple(beat for part in parts for beat in part)


def test_of_50_scenes_no_two_are_the_same_moment_at_the_same_hour() -> None:
    found = story.beats(ask(count=50))
    assert len({(beat.moment, beat.hour) for beat in found}) == 50


@pytest.mark.parametrize(("count", "first"), [(0, 0), (51, 0), (10, 41), (1, -1)])
def test_more_than_50_scenes_or_none_are_refused(count: int, first: int) -> None:
    with pytest.raises(Invalid):
        ask(count=count, first=first)


def test_the_language_asked_for_goes_before_the_characters_own() -> None:
    assert ask(language="Deutsch").tongue == "Deutsch"
    assert ask().tongue == "English"
    assert Ask(replace(ask().persona, language=" "), TODAY).tongue == "English"
