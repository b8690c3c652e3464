"""What comes back from a model is checked before anybody sees it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from influencer.clients.platform import Platform
from influencer.clients.writers import schema
from influencer.clients.writers.schema import LONGEST_PROMPT, Unusable
from tests.influencer.clients.writers.asks import ECHO, LUNA, QUEST, ask

GOOD = {"caption": "The forest kept its word.", "altText": "A woman in a forest.", "hashtags": ["forest"]}


def answer(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


def prompts(*texts: Any, first: int = 1) -> str:
    rows = [{"number": number, "prompt": text} for number, text in enumerate(texts, start=first)]
    return json.dumps({"prompts": rows})


def test_a_good_answer_is_taken() -> None:
    found = schema.read_caption(answer(), ask())
    assert found.caption == "The forest kept its word.\n\n#forest"
    assert (found.alt_text, found.hashtags) == ("A woman in a forest.", ("forest",))


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps(GOOD)}\n```",
        f"\n\n{json.dumps(GOOD)}  ",
        json.dumps({**GOOD, "mood": "extra keys do no harm"}),
        answer(caption='"The forest kept its word."'),
        answer(caption="“The forest kept its word.”\r\n"),
    ],
)
def test_small_oddities_are_put_right(text: str) -> None:
    assert schema.read_caption(text, ask()).caption == "The forest kept its word.\n\n#forest"


def test_quotes_that_belong_to_the_text_stay() -> None:
    said = '"Come," it said. "Now."'
    assert schema.read_caption(answer(caption=said, hashtags=[]), ask()).caption == said


@pytest.mark.parametrize(
    "text", ["I <3 this & that", "5 < 6 > 4", "🫨 shaking", "Ça va, mon été", "静かな森"]
)
def test_ordinary_text_is_not_taken_for_html(text: str) -> None:
    assert schema.read_caption(answer(caption=text, hashtags=[]), ask()).caption == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("Certainly! Here is a caption: lovely.", "no JSON"),
        ("<!doctype html><html><body>Lovely</body></html>", "a web page"),
        ('{"caption": "The light over the har', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('["caption"]', "another shape"),
        ("null", "another shape"),
        ("7", "another shape"),
        ("{}", "caption is missing"),
        (answer(caption=7), "caption is no text"),
        (answer(caption=None), "caption is missing"),
        (answer(caption=["a"]), "caption is no text"),
        (answer(caption=""), "holds no words"),
        (answer(caption=" …!? "), "holds no words"),
        (answer(caption="<p>Lovely day</p>"), "holds HTML"),
        (answer(caption="Lovely&nbsp;day"), "holds HTML"),
        (answer(caption='{"caption": "Lovely"}'), "holds no words"),
        (answer(caption="Lovely\x00day"), "can't be shown"),
        (answer(caption="Lovely\x1b[31mday"), "can't be shown"),
        (answer(altText=None), "altText is missing"),
        (answer(altText={"a": 1}), "altText is no text"),
        (answer(altText="<img src=x>"), "alt text holds"),
        (answer(hashtags="sea sun"), "no list of words"),
        (answer(hashtags=[1, 2]), "no list of words"),
        (answer(hashtags=None), "no list of words"),
        (answer(caption=" ".join(f"@friend{number}" for number in range(25))), "20 mentions"),
    ],
)
def test_nonsense_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        schema.read_caption(text, ask())


def test_a_model_that_overran_is_cut_to_what_the_platform_takes() -> None:
    found = schema.read_caption(answer(caption="One more sentence. " * 300), ask(platform=Platform.X))
    assert found.caption.endswith("sentence. #forest") or found.caption.endswith("sentence.")
    assert len(found.caption) <= 280


def test_a_missing_alt_text_is_no_reason_to_throw_the_caption_away() -> None:
    assert schema.read_caption(answer(altText=" "), ask()).alt_text == ""


def test_lone_halves_of_a_character_are_dropped() -> None:
    assert schema.read_caption(
        '{"caption": "Moon \\ud83c day", "altText": "", "hashtags": []}', ask()
    ).caption == ("Moon  day")


def test_prompts_come_with_the_trigger_word_once_and_their_chapter() -> None:
    wanted = ask(count=2, chapters=(QUEST, ECHO))
    found = schema.read_scenes(
        prompts("at a pier, dusk", "Luna_Character in a vault, luna_character"), wanted
    )
    assert [scene.prompt for scene in found] == [
        "luna_character, at a pier, dusk",
        "luna_character in a vault",
    ]
    assert [scene.chapter_id for scene in found] == ["narr_quest", "narr_echo"]


def test_prompts_of_a_later_part_belong_to_the_later_chapter() -> None:
    wanted = ask(count=2, first=8, total=10, chapters=(QUEST, ECHO))
    found = schema.read_scenes(prompts("at a pier", "in a vault", first=9), wanted)
    assert {scene.chapter_id for scene in found} == {"narr_echo"}


def test_repeats_and_more_than_was_asked_for_are_left_out() -> None:
    wanted = ask(count=3, recent=("luna_character, in a vault, night",))
    found = schema.read_scenes(
        prompts("in a vault, at night", "on a pier in the rain", "In the rain, on a pier", "by a lake"),
        wanted,
    )
    assert [scene.prompt for scene in found] == ["luna_character, on a pier in the rain"]


def test_one_bad_prompt_does_not_spoil_the_others() -> None:
    rows = [
        {"number": 1, "prompt": "<b>bold</b>"},
        {"prompt": 7},
        "loose",
        {"number": "x", "prompt": "on a\n pier"},
    ]
    (scene,) = schema.read_scenes(json.dumps({"prompts": rows}), ask(count=4))
    assert scene.prompt == "luna_character, on a pier" and scene.chapter_id == ""


def test_an_endless_prompt_is_cut_at_a_comma() -> None:
    (scene,) = schema.read_scenes(
        prompts("on a wooden pier, " * 100), ask(persona=replace(LUNA, trigger_word=""))
    )
    assert len(scene.prompt) <= LONGEST_PROMPT and scene.prompt.endswith("pier")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "list of prompts is missing"),
        ('{"prompts": "none"}', "list of prompts is missing"),
        ('{"prompts": []}', "list of prompts is empty"),
        (prompts("<b>x</b>"), "holds HTML"),
        (prompts("x" * 700), "endless word"),
        (prompts("in a vault"), "repeats an earlier one"),
        ("sure, here you go", "no JSON"),
    ],
)
def test_an_answer_without_a_new_prompt_is_refused(text: str, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        schema.read_scenes(text, ask(recent=("luna_character, in a vault",)))


def test_the_schema_asks_for_exactly_as_many_prompts() -> None:
    rows = schema.scenes(7)["properties"]["prompts"]
    assert (rows["minItems"], rows["maxItems"]) == (7, 7)
