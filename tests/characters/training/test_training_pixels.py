"""What training sees in a picture, and the shape it gives it."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFilter

from characters.training import pixels
from characters.training.dataset import SAME, SHARP
from influencer.errors import Invalid
from influencer.sandbox import art
from tests.characters.training.lessons import encoded, png, portrait


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.fixture(scope="module")
def drawings() -> list[Image.Image]:
    return [art.draw(art.Wish.read("luna_character portrait"), seed, (384, 480)) for seed in range(4)]


def test_a_copy_in_another_size_and_format_is_recognised(drawings: list[Image.Image]) -> None:
    one = drawings[0]
    copy = encoded(one.resize((200, 250)), "JPEG", quality=60)
    cropped = encoded(one.crop((8, 10, 376, 470)), "WEBP")
    first = pixels.examine(encoded(one)).likeness
    assert all(pixels.distance(first, pixels.examine(other).likeness) <= SAME for other in (copy, cropped))


def test_other_pictures_of_the_same_person_are_not_taken_for_copies(drawings: list[Image.Image]) -> None:
    seen = [pixels.examine(encoded(one)).likeness for one in drawings]
    assert all(pixels.distance(a, b) > SAME for a in seen for b in seen if a != b)
    assert len(set(seen)) == len(seen)


def test_blurred_pictures_stand_out(drawings: list[Image.Image]) -> None:
    for one in drawings:
        soft = one.filter(ImageFilter.GaussianBlur(4))
        assert pixels.examine(encoded(one)).sharpness > SHARP
        assert pixels.examine(encoded(soft)).sharpness < SHARP


def test_one_flat_colour_has_no_edges_at_all() -> None:
    assert pixels.examine(encoded(Image.new("RGB", (64, 64), "teal"))).sharpness < 1


@pytest.mark.parametrize(
    ("size", "resolution", "shaped"),
    [
        ((512, 512), 512, (512, 512)),
        ((3000, 3000), 1024, (1024, 1024)),
        ((512, 640), 512, (448, 576)),
        ((4000, 3000), 1024, (1152, 896)),
        ((1000, 9000), 512, (384, 704)),
        ((9000, 10), 512, (704, 384)),
    ],
)
def test_a_picture_takes_its_own_shape_in_multiples_of_64(
    size: tuple[int, int], resolution: int, shaped: tuple[int, int]
) -> None:
    found = pixels.shape(*size, resolution)
    assert found == shaped
    assert all(side % 64 == 0 for side in found)
    assert 0.8 < found[0] * found[1] / resolution**2 < 1.2


def test_what_is_fitted_is_a_png_of_that_shape() -> None:
    fitted = opened(pixels.fit(png(1, width=300, height=200), 512))
    assert (fitted.format, fitted.mode, fitted.size) == ("PNG", "RGB", pixels.shape(300, 200, 512))


def test_more_is_cut_from_below_than_from_above() -> None:
    tall = Image.new("RGB", (400, 1000), "white")
    tall.paste("red", (0, 0, 400, 128))
    tall.paste("blue", (0, 872, 400, 1000))
    fitted = opened(pixels.fit(encoded(tall), 512))
    colours = [fitted.getpixel((10, y)) for y in range(fitted.height)]
    assert (255, 0, 0) in colours
    assert (0, 0, 255) not in colours


def test_what_phones_and_cameras_do_to_a_picture_is_undone() -> None:
    left_red = Image.new("RGB", (640, 512), "blue")
    left_red.paste("red", (0, 0, 320, 512))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    turned = opened(pixels.fit(encoded(left_red, "JPEG", exif=exif), 512))
    assert turned.height > turned.width
    top, bottom = turned.getpixel((200, 20)), turned.getpixel((200, turned.height - 20))
    assert top[0] > 200 > bottom[0]
    assert bottom[2] > 200 > top[2]


def test_transparency_turns_white() -> None:
    clear = Image.new("RGBA", (512, 512), (255, 0, 0, 0))
    assert opened(pixels.fit(encoded(clear), 512)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "P", "LA", "I;16"])
def test_every_kind_of_picture_ends_as_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    plain = portrait(1)
    changed = plain.convert("I").convert("I;16") if mode == "I;16" else plain.convert(mode)
    assert opened(pixels.fit(encoded(changed, kind), 512)).mode == "RGB"


@pytest.mark.parametrize("content", [b"hello", b"", png(1)[:2000]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not an image"):
        pixels.examine(content)


def test_a_picture_of_one_colour_is_told_from_all_others() -> None:
    marked = Image.new("RGB", (512, 512))
    marked.paste("white", (420, 480, 510, 510))
    assert pixels.is_one_colour(encoded(marked))
    assert not pixels.is_one_colour(png(1))


def test_a_small_picture_is_said_to_be_enlarged() -> None:
    assert pixels.enlargement(256, 256, 512) == 2
    assert pixels.enlargement(2048, 2048, 1024) == 0.5
