"""What a model is told: the character, the story, the platform, and nothing for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest

from influencer.clients.platform import Platform
from influencer.clients.writers import instructions
from influencer.clients.writers.story import MOMENTS, PARTS
from tests.influencer.clients.writers.asks import ECHO, LUNA, QUEST, SCENE, ask


def test_a_caption_is_asked_for_in_the_characters_voice() -> None:
    told = instructions.caption_system(ask())
    for fact in (LUNA.name, LUNA.personality, LUNA.voice, LUNA.backstory, "Language: English"):
        assert fact in told


@pytest.mark.parametrize(
    ("platform", "limit", "name"),
    [("instagram", "2200 characters", "Instagram"), ("x", "280 characters", "X")],
)
def test_each_platform_has_its_own_rules(platform: str, limit: str, name: str) -> None:
    wanted = ask(platform=Platform(platform))
    assert limit in instructions.caption_system(wanted)
    assert f"Write the {name} caption" in instructions.caption_prompt(wanted)


def test_the_story_is_told_by_the_day() -> None:
    told = instructions.caption_prompt(ask())
    assert "Monday, 23 November 2026" in told
    assert "“The Crystal Quest” (13 November to 3 December 2026)" in told
    assert "50 % of the way through this chapter: in the thick of it" in told


def test_prompt_picture_tone_and_recent_texts_are_named() -> None:
    told = instructions.caption_prompt(ask(image=b"x", tone="dry", recent=("  one\n two", "")))
    assert f"Made from this prompt: {SCENE}" in told
    assert "picture is attached" in told
    assert "## Tone\n- dry" in told
    assert "- one two" in told


def test_what_is_not_known_leaves_no_empty_headings() -> None:
    told = instructions.caption_prompt(ask(scene="", chapters=()))
    assert "## The picture" not in told and "## Tone" not in told and "## Recent" not in told


def test_each_prompt_is_asked_for_with_its_own_place_in_the_story() -> None:
    told = instructions.scenes_prompt(ask(count=5, chapters=(QUEST,), scene=""))
    for number, part in enumerate(PARTS, start=1):
        assert f"{number}. chapter “The Crystal Quest”, {part}; {MOMENTS[number - 1]}" in told
    assert told.endswith("Write 5 prompts, numbered as above.")


def test_prompts_are_numbered_over_the_whole_list() -> None:
    told = instructions.scenes_prompt(ask(count=2, first=10, total=20, chapters=(QUEST, ECHO)))
    assert "- 11. chapter “Echo”, how it begins" in told and "- 12. " in told and "- 1. " not in told


def test_prompts_are_told_the_trigger_word_and_to_leave_the_look_out() -> None:
    told = instructions.scenes_system(ask())
    assert "luna_character, once in each prompt" in told and "Leave out face, hair and body" in told
    assert "Name the character" not in instructions.scenes_system(ask(persona=replace(LUNA, trigger_word="")))


def test_endless_texts_are_cut() -> None:
    persona = replace(LUNA, backstory="word " * 20_000)
    wanted = ask(persona=persona, recent=("long " * 1000,) * 500)
    assert len(instructions.caption_system(wanted)) < 8_000
    assert len(instructions.caption_prompt(wanted)) < 8_000
