"""The writer without AI: always there, always the same for the same seed, never twice the same scene."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import Written
from influencer.clients.writers.likeness import alike
from influencer.clients.writers.templates import NOTE, NOTE_ENGLISH, TemplateWriter
from tests.influencer.clients.writers.asks import ECHO, LUNA, QUEST, SCENE, TODAY, ask

WRITER = TemplateWriter()
DRY = replace(LUNA, name="Kai Mori", personality="Dry humour", voice="One observation, then silence.")


def caption(**more: Any) -> Written:
    return WRITER.write_caption(ask(**more))


def test_a_caption_tells_the_scene_and_the_story_in_the_first_person() -> None:
    written = caption()
    assert "In a magical forest, the first clue of the crystal in my palm." in written.caption
    assert "The Crystal Quest" in written.caption
    assert written.alt_text == (
        "Luna the Mystic in a magical forest, the first clue of the crystal in her palm."
    )
    assert written.hashtags[:2] == ("LunaTheMystic", "TheCrystalQuest")


def test_it_says_that_no_ai_wrote_it() -> None:
    written = caption()
    assert (written.writer, written.model, written.tokens, written.note) == ("template", "", 0, NOTE)
    assert caption(language="Deutsch").note == NOTE_ENGLISH


def test_the_same_seed_brings_the_same_words_and_another_one_others() -> None:
    assert caption(seed=5) == caption(seed=5)
    assert len({caption(seed=seed).caption for seed in range(12)}) > 6


def test_the_mood_follows_personality_and_the_tone_asked_for() -> None:
    dreamy = {caption(seed=seed, scene="").caption for seed in range(20)}
    dry = {caption(seed=seed, scene="", tone="dry").caption for seed in range(20)}
    assert not dreamy & dry


def test_a_character_of_few_words_gets_few() -> None:
    long = max(len(caption(seed=seed).caption) for seed in range(9))
    assert max(len(caption(seed=seed, persona=DRY).caption) for seed in range(9)) < long


def test_recent_captions_do_not_come_again() -> None:
    recent: list[str] = []
    for seed in range(8):
        written = caption(seed=seed, recent=tuple(recent)).caption
        assert written not in recent
        recent.append(written)


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        ("(luna_character:1.2), standing on a pier, masterpiece, 8k, sharp focus", "Standing on a pier."),
        ("a photo of luna_character at a market <lora:luna:0.8>", "At a market."),
        ("a beautiful portrait of luna_character, silver hair, by the sea", "By the sea."),
        ("Luna the Mystic reading a letter", "Reading a letter."),
        ("luna_character with her dog, looking at her", "With my dog, looking at her."),
    ],
)
def test_look_weights_and_quality_words_are_not_told(scene: str, told: str) -> None:
    assert told in caption(scene=scene).caption


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize(
    "scene",
    [
        "",
        SCENE,
        "word " * 3000,
        "x" * 5000,
        "$AAA $BBB $CCC on a screen",
        " ".join(f"@friend{number}" for number in range(40)),
        "a\x00b\x1bc",
        "<script>alert(1)</script>",
        ", ,, ((()))",
        "🌙" * 400,
    ],
)
def test_whatever_the_prompt_holds_a_caption_that_fits_comes_out(platform: Platform, scene: str) -> None:
    written = caption(platform=platform, scene=scene, chapters=(replace(QUEST, title="T" * 300),))
    findings = captions.check(platform, written.caption, written.alt_text)
    assert written.caption and [f for f in findings if f.level == "error"] == []
    assert "<" not in written.caption


def test_a_character_with_nothing_but_a_name_gets_a_caption() -> None:
    persona = replace(LUNA, personality="", backstory="", voice="", look="", trigger_word="")
    written = caption(persona=persona, scene="", chapters=())
    assert written.caption and written.alt_text == "Luna the Mystic."


def test_50_scenes_differ_in_place_doing_and_hour() -> None:
    scenes = WRITER.write_scenes(ask(count=50, scene="", chapters=(QUEST, ECHO))).scenes
    assert len(scenes) == 50
    assert all(scene.prompt.count("luna_character") == 1 for scene in scenes)
    places = [scene.prompt.split(",")[0] for scene in scenes]
    assert len(set(places[:30])) == 30 and max(map(places.count, places)) <= 2
    pairs = [(a.prompt, b.prompt) for n, a in enumerate(scenes) for b in scenes[n + 1 :]]
    assert not any(alike(*pair) for pair in pairs)
    assert [scene.chapter_id for scene in scenes] == ["narr_quest"] * 25 + ["narr_echo"] * 25


def test_scenes_stay_in_the_characters_world_and_hold_things_of_the_story() -> None:
    told = " ".join(scene.prompt for scene in WRITER.write_scenes(ask(count=10, scene="")).scenes)
    assert "a legendary crystal" in told and ("forest" in told or "oak" in told or "pines" in told)


def test_scenes_asked_for_in_parts_are_those_asked_for_at_once() -> None:
    whole = WRITER.write_scenes(ask(count=20, scene="")).scenes
    parts = [
        WRITER.write_scenes(ask(count=5, first=first, total=20, scene="")).scenes for first in (0, 5, 10, 15)
    ]
    assert whole == tuple(scene for part in parts for scene in part)


def test_scenes_that_are_in_the_library_already_do_not_come_again() -> None:
    first = WRITER.write_scenes(ask(count=10, scene="")).scenes
    again = WRITER.write_scenes(ask(count=10, scene="", recent=tuple(s.prompt for s in first))).scenes
    assert len(again) == 10 and not {s.prompt for s in first} & {s.prompt for s in again}


def test_a_wish_stands_in_every_scene() -> None:
    scenes = WRITER.write_scenes(ask(count=4, scene="with a red scarf")).scenes
    assert all("with a red scarf" in scene.prompt for scene in scenes)


def test_a_character_without_story_or_trigger_word_gets_scenes() -> None:
    persona = replace(LUNA, trigger_word="", backstory="", personality="Plain", look="")
    scenes = WRITER.write_scenes(ask(persona=persona, chapters=(), count=50, scene="")).scenes
    assert len({scene.prompt for scene in scenes}) == 50


def test_there_is_nothing_to_check() -> None:
    assert WRITER.check() == WRITER.models()[0]
    assert WRITER.check().name == "templates"


def test_the_story_line_follows_the_day() -> None:
    assert "A new chapter begins: The Crystal Quest." in caption(today=QUEST.first_day).caption
    assert "The Crystal Quest comes to its end." in caption(today=QUEST.last_day).caption
    assert "The Crystal Quest." in caption(chapters=(replace(QUEST, last_day=None),), today=TODAY).caption
