"""Pictures: what is accepted, what a platform gets."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from influencer.clients import picture
from influencer.clients.picture import for_platform, pixel_hash, thumbnail, verify_upload
from influencer.errors import Invalid

RED, BLUE, WHITE = (200, 30, 40), (20, 40, 200), (255, 255, 255)


def file(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def halves(width: int, height: int, top: Any = RED, bottom: Any = BLUE) -> Image.Image:
    image = Image.new("RGB", (width, height), bottom)
    image.paste(top, (0, 0, width, height // 2))
    return image


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def near(colour: Any, wanted: Any, by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(colour, wanted, strict=True))


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3))


def png_of_size(width: int, height: int) -> bytes:
    """A small file that claims to be a large image."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


# For a platform


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_a_fitting_image_becomes_a_jpeg_of_the_same_size(platform: str) -> None:
    made = for_platform(file(halves(1080, 1350)), platform)
    image = opened(made.jpeg)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1080, 1350))
    assert (made.width, made.height, made.fitted) == (1080, 1350, "")
    assert near(image.getpixel((10, 10)), RED) and near(image.getpixel((10, 1340)), BLUE)


def test_the_jpeg_says_that_it_was_generated() -> None:
    xmp = opened(for_platform(file(halves(400, 400)), "x", ai=True).jpeg).info["xmp"]
    assert (
        b'DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"' in xmp
    )
    assert b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/" in xmp
    assert "xmp" not in opened(for_platform(file(halves(400, 400)), "x", ai=False).jpeg).info


def test_nothing_else_of_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret prompt"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    jpeg = file(
        halves(400, 400),
        "JPEG",
        exif=exif,
        comment=b"secret prompt",
        dpi=(300, 300),
        icc_profile=srgb,
        xmp=b"<secret prompt/>",
    )
    text = PngInfo()
    text.add_text("prompt", "secret prompt")
    text.add_itxt("parameters", "secret prompt", zip=True)
    png = file(halves(400, 400), pnginfo=text, exif=exif)
    for content in (jpeg, png):
        for ai in (True, False):
            made = for_platform(content, "instagram", ai=ai)
            assert b"secret" not in made.jpeg
            kept = set(opened(made.jpeg).info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert kept == ({"xmp"} if ai else set())
        assert b"secret" not in thumbnail(content, 100)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_upright(orientation: int) -> None:
    image = halves(400, 400)
    image.paste(WHITE, (0, 0, 50, 50))
    turns = {value: key for key, value in picture.UPRIGHT.items()}
    undo = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }
    turn = picture.UPRIGHT.get(orientation)
    stored = image.transpose(undo.get(turn, turn)) if turn is not None else image
    assert len(turns) == 7
    exif = Image.Exif()
    exif[picture.ORIENTATION] = orientation
    shown = opened(for_platform(file(stored, "JPEG", exif=exif, quality=95), "instagram").jpeg)
    assert near(shown.getpixel((20, 20)), WHITE, 20)
    assert near(shown.getpixel((200, 100)), RED) and near(shown.getpixel((200, 300)), BLUE)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_spoil_the_picture() -> None:
    content = file(halves(400, 300), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert verify_upload(content).width == 400
    assert for_platform(content, "instagram").width == 400


@pytest.mark.parametrize(
    ("mode", "colour", "wanted"),
    [
        ("RGBA", (200, 30, 40, 0), WHITE),
        ("RGBA", (200, 30, 40, 128), (227, 142, 147)),
        ("LA", (0, 0), WHITE),
        ("L", 90, (90, 90, 90)),
        ("1", 1, WHITE),
        ("P", 0, (0, 0, 0)),
        ("I;16", 65535, WHITE),
        ("I;16", 32896, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_rgb_on_white(mode: str, colour: Any, wanted: Any) -> None:
    image = opened(for_platform(file(Image.new(mode, (400, 400), colour)), "instagram").jpeg)
    assert image.mode == "RGB"
    assert near(image.getpixel((200, 200)), wanted)


def test_a_transparent_palette_becomes_white() -> None:
    image = Image.new("P", (400, 400), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    made = for_platform(file(image, transparency=1), "instagram")
    assert near(opened(made.jpeg).getpixel((5, 5)), WHITE)


def test_print_colours_become_screen_colours() -> None:
    made = for_platform(file(Image.new("CMYK", (400, 400), (0, 255, 255, 0)), "JPEG"), "instagram")
    red, green, blue = opened(made.jpeg).getpixel((5, 5))
    assert red > 180 and green < 90 and blue < 90


def linear_profile() -> bytes:
    """A profile of another brightness curve: sRGB's with a gamma of 1."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for place in range(132, 132 + count * 12, 12):
        name, offset = profile[place : place + 4], struct.unpack(">I", profile[place + 4 : place + 8])[0]
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[offset : offset + 16] = b"curv" + bytes(4) + struct.pack(">I", 0) + bytes(4)
            profile[place + 8 : place + 12] = struct.pack(">I", 12)
    return bytes(profile)


def test_another_colour_space_is_converted() -> None:
    content = file(Image.new("RGB", (400, 400), (55, 55, 55)), icc_profile=linear_profile())
    value = opened(for_platform(content, "instagram").jpeg).getpixel((5, 5))[0]
    assert 120 <= value <= 135
    half = file(Image.new("RGBA", (400, 400), (55, 55, 55, 255)), icc_profile=linear_profile())
    assert opened(for_platform(half, "instagram").jpeg).getpixel((5, 5))[0] == value


@pytest.mark.parametrize("profile", [b"nonsense", b"\x00" * 200])
def test_a_broken_profile_is_passed_over(profile: bytes) -> None:
    content = file(Image.new("RGB", (400, 400), RED), icc_profile=profile)
    assert near(opened(for_platform(content, "instagram").jpeg).getpixel((5, 5)), RED)


def test_a_profile_for_other_channels_is_passed_over() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = file(Image.new("L", (400, 400), 90), icc_profile=srgb)
    assert near(opened(for_platform(content, "instagram").jpeg).getpixel((5, 5)), (90, 90, 90))


# Shapes and sizes


@pytest.mark.parametrize(
    ("width", "height", "fitted"),
    [
        (1024, 1024, ""),
        (832, 1040, ""),
        (1910, 1000, ""),
        (832, 1216, "cropped"),
        (768, 1152, "cropped"),
        (1000, 1251, "cropped"),
        (2560, 1080, "cropped"),
        (720, 1280, "padded"),
        (3000, 1000, "padded"),
        (1, 5000, "padded"),
        (20_000, 2, "padded"),
    ],
)
def test_every_shape_fits_instagram(width: int, height: int, fitted: str) -> None:
    made = for_platform(file(Image.new("RGB", (width, height), RED)), "instagram")
    assert opened(made.jpeg).size == (made.width, made.height)
    assert made.fitted == fitted
    assert 320 <= made.width <= 1440
    assert 0.8 <= made.width / made.height <= 1.91


def test_any_small_size_fits_instagram() -> None:
    sizes = random.Random(7)
    for _ in range(60):
        size = sizes.randint(1, 900), sizes.randint(1, 900)
        made = for_platform(file(Image.new("RGB", size, RED)), "instagram")
        assert 320 <= made.width <= 1440
        assert 0.8 <= made.width / made.height <= 1.91


def test_cropping_takes_less_from_above_than_from_below() -> None:
    image = Image.new("RGB", (800, 1200), WHITE)
    image.paste(RED, (0, 0, 800, 60))
    image.paste(BLUE, (0, 1060, 800, 1200))
    made = for_platform(file(image), "instagram")
    shown = opened(made.jpeg)
    assert shown.size == (800, 1000)
    assert near(shown.getpixel((400, 0)), WHITE, 30) and near(shown.getpixel((400, 990)), WHITE, 30)


def test_padding_is_white_and_even_and_keeps_the_whole_image() -> None:
    shown = opened(for_platform(file(Image.new("RGB", (720, 1280), RED)), "instagram").jpeg)
    assert shown.size == (1024, 1280)
    assert near(shown.getpixel((2, 640)), WHITE) and near(shown.getpixel((1021, 640)), WHITE)
    assert near(shown.getpixel((512, 2)), RED) and near(shown.getpixel((512, 1277)), RED)
    assert near(shown.getpixel((160, 640)), RED) and near(shown.getpixel((863, 640)), RED)


def test_a_wide_image_is_reduced_and_a_tiny_one_enlarged_for_instagram() -> None:
    assert for_platform(file(halves(4000, 4000)), "instagram").width == 1440
    assert for_platform(file(halves(64, 64)), "instagram").width == 320


def test_x_keeps_shape_and_size_up_to_4096() -> None:
    made = for_platform(file(halves(300, 3000)), "x")
    assert (made.width, made.height, made.fitted) == (300, 3000, "")
    made = for_platform(file(halves(5000, 1000)), "x")
    assert (made.width, made.height) == (4096, 819)
    assert for_platform(file(Image.new("L", (1, 9000))), "x").height == 4096


@pytest.mark.parametrize(("platform", "most"), [("instagram", 8_000_000), ("x", 5_000_000)])
def test_the_worst_image_fits_the_file_size(platform: str, most: int) -> None:
    made = for_platform(file(noise(2200, 2200), compress_level=0), platform)
    assert len(made.jpeg) <= most
    assert opened(made.jpeg).size == (made.width, made.height)


def test_when_quality_is_not_enough_the_picture_gets_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = picture.LIMITS[picture.Platform.X]
    monkeypatch.setitem(picture.LIMITS, picture.Platform.X, replace(limits, max_bytes=20_000))
    made = for_platform(file(noise(400, 400)), "x")
    assert len(made.jpeg) <= 20_000
    assert made.width == made.height < 400


# Uploads


@pytest.mark.parametrize(("format", "named"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_an_own_image_is_verified(format: str, named: str) -> None:
    verified = verify_upload(file(halves(40, 30), format))
    assert (verified.format, verified.width, verified.height) == (named, 40, 30)


def test_a_phones_file_with_several_pictures_is_a_jpeg() -> None:
    content = file(halves(40, 30), "MPO", save_all=True, append_images=[halves(20, 15)])
    assert verify_upload(content).format == "jpeg"
    assert for_platform(content, "x").width == 40


def test_a_photo_on_its_side_has_the_size_a_person_sees() -> None:
    exif = Image.Exif()
    exif[picture.ORIENTATION] = 6
    verified = verify_upload(file(halves(40, 30), "JPEG", exif=exif))
    assert (verified.width, verified.height) == (30, 40)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0nothing",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        file(halves(200, 200), "JPEG")[:-300],
        file(noise(50, 50))[:-2000],
        file(halves(40, 30), "GIF"),
        file(halves(40, 30), "BMP"),
        file(halves(40, 30), "TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        png_of_size(10, 10),
    ],
)
def test_what_does_not_decode_is_refused(content: bytes) -> None:
    for take in (verify_upload, pixel_hash, lambda c: thumbnail(c, 10), lambda c: for_platform(c, "x")):
        with pytest.raises(Invalid) as caught:
            take(content)
        assert (caught.value.code, caught.value.status) == ("image_unreadable", 400)


@pytest.mark.parametrize("size", [(7072, 7072), (30_000, 30_000), (100_000, 100_000)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    for take in (verify_upload, pixel_hash, lambda c: thumbnail(c, 10), lambda c: for_platform(c, "x")):
        with pytest.raises(Invalid):
            take(png_of_size(*size))


def test_too_many_pixels_are_named() -> None:
    with pytest.raises(Invalid, match="50 megapixels") as caught:
        verify_upload(png_of_size(7072, 7072))
    assert caught.value.code == "image_too_large"


def test_too_many_bytes_are_named() -> None:
    with pytest.raises(Invalid, match="25 MB"):
        verify_upload(b"\x89PNG" + bytes(25_000_000))


# Pixel hash and thumbnails


def test_a_lossless_copy_has_the_same_pixel_hash() -> None:
    image = noise(60, 40)
    exif = Image.Exif()
    exif[picture.ORIENTATION] = 6
    opaque = image.copy()
    opaque.putalpha(255)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    copies = [
        file(image),
        file(image, compress_level=9),
        file(image, "WEBP", lossless=True, exact=True),
        file(opaque),
        file(image, exif=exif, icc_profile=srgb),
    ]
    assert len({pixel_hash(copy) for copy in copies}) == 1
    assert len(pixel_hash(copies[0])) == 64


def test_another_pixel_or_shape_has_another_hash() -> None:
    image, other = noise(60, 40), noise(60, 40)
    other.putpixel((59, 39), (1, 2, 3))
    turned = Image.frombytes("RGB", (40, 60), image.tobytes())
    assert len({pixel_hash(file(one)) for one in (image, other, turned)}) == 3


def test_the_hash_is_over_size_and_all_rows() -> None:
    image = noise(30, 700)
    expected = hashlib.sha256(b"30x700:" + image.tobytes()).hexdigest()
    assert pixel_hash(file(image)) == expected


def test_a_jpegs_hash_is_that_of_what_it_decodes_to() -> None:
    jpeg = file(noise(60, 40), "JPEG")
    assert pixel_hash(jpeg) == pixel_hash(file(opened(jpeg)))


@pytest.mark.parametrize(("size", "shown"), [((1000, 500), (320, 160)), ((100, 60), (100, 60))])
def test_a_thumbnail_is_a_small_webp(size: tuple[int, int], shown: tuple[int, int]) -> None:
    for format in ("PNG", "JPEG"):
        image = opened(thumbnail(file(halves(*size), format), 320))
        assert (image.format, image.mode, image.size) == ("WEBP", "RGB", shown)
        assert near(image.getpixel((5, 5)), RED, 12)
