"""The drawings: always the same, always of the same person, always marked."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops

from influencer.sandbox import art
from influencer.sandbox.art import Wish

SIZE = (160, 200)


def different(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is not None


def test_the_same_wish_seed_and_size_give_the_same_pixels() -> None:
    wish = Wish.read("luna_character, on the beach")
    assert art.draw(wish, 7, SIZE).tobytes() == art.draw(wish, 7, SIZE).tobytes()


def test_another_seed_gives_another_picture() -> None:
    wish = Wish.read("luna_character, on the beach")
    assert different(art.draw(wish, 7, SIZE), art.draw(wish, 8, SIZE))


@pytest.mark.parametrize("size", [(64, 64), (1024, 512), (512, 1024), (300, 200), (1, 1)])
def test_a_picture_has_the_size_that_was_asked(size: tuple[int, int]) -> None:
    assert art.draw(Wish("luna_character"), 1, size).size == size


@pytest.mark.parametrize("place", art.SCENES)
def test_every_place_can_be_painted_by_day_and_by_night(place: str) -> None:
    day = art.draw(Wish("kai_mori", place=place, night=False), 3, SIZE)
    night = art.draw(Wish("kai_mori", place=place, night=True), 3, SIZE)
    assert different(day, night)


@pytest.mark.parametrize("name", ["a_a", "b_b", "c_c", "d_d", "e_e", "f_f", "g_g", "h_h"])
def test_everybody_can_be_seen_from_behind_and_from_near(name: str) -> None:
    away = art.draw(Wish(name, place="studio", away=True), 3, SIZE)
    near = art.draw(Wish(name, place="studio", framing="close"), 3, SIZE)
    assert different(away, near)


def test_a_trigger_word_is_one_person_whatever_surrounds_it() -> None:
    one = Wish.read("photo of luna_character at the beach, golden hour")
    other = Wish.read("(luna_character:1.2), neon city at night", ["kai_v2.safetensors"])
    assert one.name == other.name == "luna_character"
    assert art.person(one.name) == art.person(other.name)


def test_different_trigger_words_are_different_people() -> None:
    people = {art.person(f"somebody_{number}") for number in range(30)}
    assert len(people) == 30


def test_without_a_trigger_word_the_lora_says_who_it_is() -> None:
    assert Wish.read("a woman in a park", ["people/luna_v3.safetensors"]).name == "luna"
    assert Wish.read("a woman in a park", ["luna_1200_steps_00001_.safetensors"]).name == "luna"


def test_a_trained_lora_shows_the_person_of_the_trigger_word_otherwise() -> None:
    plain = Wish.read("luna_character, portrait")
    taught = Wish.read(
        "luna_character, portrait", ["luna_the_mystic_sdxl_5df89bc5_400_steps_00001_.safetensors"]
    )
    assert taught.name == plain.name
    assert different(art.draw(taught, 3, SIZE), art.draw(plain, 3, SIZE))


def test_without_either_the_first_words_do() -> None:
    assert Wish.read("Young woman smiling, in a park").name == "young woman smiling"
    assert Wish.read("").name == "nobody"


@pytest.mark.parametrize(
    ("prompt", "place", "night"),
    [
        ("luna_x on the beach at night", "sea", True),
        ("luna_x in a sunny forest", "forest", False),
        ("luna_x, café by the window", "window", None),
        ("luna_x, Mountains in the morning", "peaks", False),
        ("luna_x", "", None),
    ],
)
def test_words_choose_place_and_light(prompt: str, place: str, night: bool | None) -> None:
    wish = Wish.read(prompt)
    assert (wish.place, wish.night) == (place, night)


def test_words_choose_the_distance_and_the_side() -> None:
    assert Wish.read("luna_x, close-up").framing == "close"
    assert Wish.read("luna_x, wide shot").framing == "far"
    assert Wish.read("luna_x seen from behind").away


def test_words_about_the_person_change_neither_place_nor_light() -> None:
    wish = Wish.read("luna_x, 25 year old woman, long dark hair, bright eyes, wide smile, the sky behind her")
    assert wish == Wish("luna_x")


@pytest.mark.parametrize("size", [(64, 64), (512, 640), (1536, 640)])
def test_the_mark_stands_in_the_lower_right_corner_and_nowhere_else(size: tuple[int, int]) -> None:
    before = art.draw(Wish("luna_x"), 1, size)
    box = ImageChops.difference(before, art.mark(before)).getbbox()
    assert box is not None
    assert box[1] > size[1] * 0.5
    assert box[2] <= size[0] and box[3] <= size[1]
    assert box[2] - box[0] > 30


def test_marking_leaves_the_picture_it_was_given_alone() -> None:
    picture = art.draw(Wish("luna_x"), 1, SIZE)
    before = picture.tobytes()
    art.mark(picture)
    assert picture.tobytes() == before


def test_a_preview_clears_up_as_the_steps_go_by() -> None:
    sketch = art.draw(Wish("luna_x"), 1, (64, 80))
    distances = []
    for left in (0.9, 0.5, 0.0):
        preview = Image.open(io.BytesIO(art.preview(sketch, left, 512)))
        assert max(preview.size) == 512
        assert preview.format == "JPEG"
        difference = ImageChops.difference(preview.resize(sketch.size), sketch).convert("L")
        distances.append(sum(difference.tobytes()))
    assert distances[0] > distances[1] > distances[2]
