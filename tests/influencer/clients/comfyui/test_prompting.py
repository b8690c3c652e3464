"""The final prompt has everything in it, and the trigger word exactly once."""

from __future__ import annotations

import re

import pytest

from influencer.clients.comfyui import compose

BASE = "a beautiful portrait of luna_character"


def test_all_parts_come_in_order() -> None:
    made = compose(BASE, "in a forest", style="artistic", mood="serene", trigger_word="luna_character")

    assert made == "a beautiful portrait of luna_character, in a forest, artistic, serene"


@pytest.mark.parametrize(
    ("base", "prompt", "expected"),
    [
        ("a portrait", "at sea", "luna, a portrait, at sea"),
        ("a portrait of luna", "at sea", "a portrait of luna, at sea"),
        ("a portrait", "luna at sea", "a portrait, luna at sea"),
        ("a portrait of luna", "luna at sea", "a portrait of luna, at sea"),
        ("a portrait of LUNA", "Luna at sea", "a portrait of luna, at sea"),
        ("(luna:1.2) smiling", "(luna:1.1), at sea", "(luna:1.2) smiling, at sea"),
        ("luna", "", "luna"),
        ("", "", "luna"),
        ("lunar light", "moonluna", "luna, lunar light, moonluna"),
        ("luna_2 standing", "", "luna, luna_2 standing"),
        ("luna, luna, luna", "", "luna"),
        ("portrait", "(luna, luna)", "portrait, (luna)"),
    ],
)
def test_the_trigger_word_is_there_exactly_once(base: str, prompt: str, expected: str) -> None:
    made = compose(base, prompt, trigger_word="luna")

    assert made == expected
    assert len(re.findall(r"(?<!\w)luna(?!\w)", made, re.IGNORECASE)) == 1


@pytest.mark.parametrize("word", ["sks woman", "  sks   woman ", "sks, woman"])
def test_a_trigger_of_two_words_is_found_across_spaces(word: str) -> None:
    made = compose("photo of sks  woman", "SKS woman dancing", trigger_word=word)

    assert made == "photo of sks woman, dancing"


@pytest.mark.parametrize("word", ["ohwx+c", "nina-7", "émoji", "日本"])
def test_a_trigger_with_odd_letters_is_taken_literally(word: str) -> None:
    assert compose(f"photo of {word}", "smiling", trigger_word=word) == f"photo of {word}, smiling"
    assert compose("photo", "smiling", trigger_word=word) == f"{word}, photo, smiling"


def test_without_a_trigger_word_nothing_is_added() -> None:
    assert compose("a portrait", "at sea", trigger_word="  ") == "a portrait, at sea"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" , a,,b ,  c,", "a, b, c"),
        ("10,000 candles,lit", "10,000 candles, lit"),
        ("two\nlines\there", "two lines here"),
        ("a ()  b (, c )", "a b (c)"),
        ("(soft light:1.2), [x]", "(soft light:1.2), [x]"),
    ],
)
def test_commas_and_spaces_are_tidied(text: str, expected: str) -> None:
    assert compose(text, "") == expected


def test_a_sentence_that_has_ended_gets_no_comma() -> None:
    assert compose("A portrait.", "She smiles.", mood="serene") == "A portrait. She smiles. serene"


def test_a_part_that_repeats_another_is_left_out() -> None:
    assert compose("a portrait", "A portrait", style="oil", mood="oil") == "a portrait, oil"
