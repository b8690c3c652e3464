from __future__ import annotations

import errno
import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from characters.images import services, storage
from characters.images.models import Image, SandboxPixels, Source
from characters.images.storage import Making
from characters.models import Character
from influencer.clients import picture
from influencer.errors import Invalid, NotFound, Unavailable
from tests.characters.people import someone
from tests.characters.stage import drawn, encoded, painted

pytestmark = pytest.mark.django_db


class File(io.BytesIO):
    """An upload."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


def files(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "media").rglob("*") if path.is_file())


def add(content: bytes, character: str = "char_1") -> Image:
    return services.add(character, content)


def seen(image: Image) -> tuple[int, int]:
    """The thumbnail's size: what a person sees."""
    with Picture.open(image.thumbnail_path) as thumbnail:
        return thumbnail.size


# --- what is kept ----------------------------------------------------------------------------


def test_an_upload_is_kept_as_it_came_with_a_thumbnail_and_a_sidecar(data_dir: Path) -> None:
    content = drawn(1600, 2000)
    image = add(content)
    assert image.path == data_dir / "media" / "char_1" / f"{image.pk}.png"
    assert image.path.read_bytes() == content
    assert (image.width, image.height, image.mime_type, image.source) == (1600, 2000, "image/png", "upload")
    assert seen(image) == (512, 640)
    sidecar = json.loads(image.sidecar_path.read_bytes())
    assert (sidecar["id"], sidecar["source"], sidecar["sandbox"]) == (image.pk, "upload", False)
    assert files(data_dir) == [f"{image.pk}.json", f"{image.pk}.png", f"{image.pk}.thumb.webp"]


@pytest.mark.parametrize(
    ("kind", "mime", "suffix"),
    [("PNG", "image/png", ".png"), ("JPEG", "image/jpeg", ".jpg"), ("WEBP", "image/webp", ".webp")],
)
def test_each_format_keeps_its_own_name(kind: str, mime: str, suffix: str) -> None:
    image = add(drawn(kind=kind))
    assert (image.mime_type, image.path.suffix) == (mime, suffix)
    assert image.thumbnail_path != image.path


def test_a_name_that_lies_about_the_format_does_not_matter() -> None:
    [image] = services.upload("char_1", [File("photo.gif", drawn(kind="WEBP"))])
    assert image.mime_type == "image/webp"
    assert image.recipe == {"fileName": "photo.gif"}


def test_a_cmyk_jpeg_gets_a_thumbnail_in_the_colours_of_a_screen() -> None:
    image = add(encoded(painted().convert("CMYK"), "JPEG"))
    with Picture.open(image.thumbnail_path) as thumbnail:
        assert thumbnail.mode == "RGB"


def test_a_picture_taken_upright_has_the_size_a_person_sees() -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6
    image = add(encoded(painted(200, 100), "JPEG", exif=exif))
    assert (image.width, image.height) == (100, 200)
    assert seen(image) == (100, 200)


def test_a_transparent_picture_gets_a_white_ground_in_the_thumbnail() -> None:
    image = add(encoded(Picture.new("RGBA", (60, 60), (255, 0, 0, 0))))
    with Picture.open(image.thumbnail_path) as thumbnail:
        assert thumbnail.convert("RGB").getpixel((30, 30)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_unusual_pixels_are_taken(mode: str) -> None:
    picture_ = Picture.new("I;16", (40, 50)) if mode == "I;16" else painted(40, 50).convert(mode)
    assert seen(add(encoded(picture_))) == (40, 50)


def test_an_id_can_not_leave_the_media_folder(data_dir: Path) -> None:
    for character in ("../../etc", "/etc", "..", ".hidden", "a/b", "", "ü"):
        image = add(drawn(), character)
        assert (data_dir / "media") in image.path.resolve().parents
        assert image.path.parent.parent == data_dir / "media"


def test_the_same_id_again_replaces_the_image(data_dir: Path) -> None:
    for colour in ("red", "blue"):
        image = storage.store("img_1", character_id="c", content=drawn(colour=colour), making=Making())
    assert Image.objects.count() == 1
    assert image.path.read_bytes() == drawn(colour="blue")
    assert len(files(data_dir)) == 3


# --- what is refused -------------------------------------------------------------------------


def bomb() -> bytes:
    """A small file that would be a gigapixel."""
    content = bytearray(drawn())
    content[16:24] = (40_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.png", drawn())
    return file.getvalue()


REFUSED = {
    "text called .png": (b"this is not an image", "image_unreadable"),
    "nothing": (b"", "image_unreadable"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image_unreadable"),
    "a GIF": (encoded(painted(), "GIF"), "image_unreadable"),
    "a ZIP": (archive(), "image_unreadable"),
    "half a PNG": (drawn()[: len(drawn()) // 2], "image_unreadable"),
    "half a JPEG": (drawn(kind="JPEG")[:400], "image_unreadable"),
    "a bomb": (bomb(), "image_too_large"),
    "more than 25 MB": (drawn() + bytes(25_000_000), "image_too_large"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_image_is_refused_and_leaves_nothing(what: str, data_dir: Path) -> None:
    content, code = REFUSED[what]
    with pytest.raises(Invalid) as caught:
        services.upload("char_1", [File("my photo.png", content)])
    assert caught.value.code == code
    assert caught.value.message.startswith("my photo.png: ")
    assert caught.value.fields["images"] == [caught.value.message]
    assert files(data_dir) == []


def test_one_bad_file_keeps_all_of_them_out(data_dir: Path) -> None:
    uploads = [File("1.png", drawn()), File("2.png", drawn(colour="red")), File("3.png", b"no")]
    with pytest.raises(Invalid, match="3.png"):
        services.upload("char_1", uploads)
    assert not Image.objects.exists()
    assert files(data_dir) == []


def test_forty_files_are_taken_and_forty_one_are_not() -> None:
    forty = [File(f"{number}.png", drawn(8, 10)) for number in range(40)]
    assert len(services.upload("char_1", forty)) == 40
    with pytest.raises(Invalid, match="At most 40"):
        services.upload("char_1", [*forty, File("41.png", drawn(8, 10))])


def test_no_file_at_all_is_said() -> None:
    with pytest.raises(Invalid, match="at least one image"):
        services.upload("char_1", [])


# --- the disk --------------------------------------------------------------------------------


def test_a_full_disk_leaves_neither_row_nor_files(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        if self.name.count(".thumb."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target)

    real = Path.replace
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Unavailable) as caught:
        add(drawn())
    assert caught.value.code == "media_unwritable"
    assert "media/char_1/" in caught.value.message
    assert str(data_dir) not in caught.value.message
    assert not Image.objects.exists()
    assert files(data_dir) == []


def test_a_full_disk_in_the_middle_of_an_upload_takes_the_others_back(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(Unavailable):
        services.upload("char_1", [File("1.png", drawn()), File("2.png", drawn(colour="red"))])
    assert not Image.objects.exists()
    assert files(data_dir) == []


def test_a_thumbnail_that_is_gone_or_empty_is_made_anew() -> None:
    image = add(drawn())
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"")):
        spoil(image.thumbnail_path)
        assert storage.thumbnail_of(image).stat().st_size > 0
        assert seen(image) == (120, 150)


def test_an_image_whose_file_is_gone_is_said_and_can_still_be_deleted() -> None:
    image = add(drawn())
    for path in (image.path, image.thumbnail_path):
        path.unlink()
    with pytest.raises(NotFound, match="gone from data/media"):
        storage.thumbnail_of(image)
    services.delete(image)
    assert not Image.objects.exists()


# --- sandbox images --------------------------------------------------------------------------


@pytest.fixture
def sandboxed() -> Image:
    return storage.store("img_s", character_id="c", content=drawn(), making=Making(sandbox=True))


RECODED = {
    "the same bytes": drawn(),
    "another PNG": encoded(painted(), "PNG", compress_level=0),
    "lossless WebP": encoded(painted(), "WEBP", lossless=True),
    "PNG with an alpha channel": encoded(painted().convert("RGBA")),
    "PNG with other metadata": encoded(painted(), "PNG", dpi=(300, 300)),
}


@pytest.mark.parametrize("how", RECODED)
@pytest.mark.parametrize("deleted", [False, True])
def test_a_sandbox_image_is_recognised_when_it_comes_back(sandboxed: Image, how: str, deleted: bool) -> None:
    if deleted:
        services.delete(sandboxed)
    back = add(RECODED[how], "someone else")
    assert back.sandbox
    assert storage.is_sandbox(back)
    assert json.loads(back.sidecar_path.read_bytes())["sandbox"] is True


def test_another_picture_is_not_taken_for_a_sandbox_image(sandboxed: Image) -> None:
    assert not add(drawn(colour="red")).sandbox
    assert not add(drawn(121, 150)).sandbox


def test_a_file_that_says_itself_it_is_the_sandboxs_is_believed() -> None:
    words = PngInfo()
    words.add_text("sandbox", "true")
    image = add(encoded(painted(), "PNG", pnginfo=words))
    assert image.sandbox
    assert SandboxPixels.objects.filter(pixel_hash=image.pixel_hash).exists()


def test_an_image_that_was_there_before_its_pixels_were_known_is_recognised_too() -> None:
    mine = add(drawn())
    storage.store("img_s", character_id="c", content=drawn(), making=Making(sandbox=True))
    assert storage.is_sandbox(Image.objects.get(pk=mine.pk))


# --- portrait and delete ---------------------------------------------------------------------


def test_an_image_becomes_the_portrait_and_leads_the_card() -> None:
    luna = someone()
    first, second = add(drawn(), luna.pk), add(drawn(colour="red"), luna.pk)
    assert services.card_parts([luna.pk])[luna.pk].portrait == second
    services.use_as_portrait(first)
    sheet = services.card_parts([luna.pk])[luna.pk]
    assert Character.objects.get(pk=luna.pk).avatar_image_id == first.pk
    assert (sheet.portrait, sheet.pictures, sheet.count) == (first, [first, second], 2)


def test_deleting_the_portrait_takes_it_from_the_character_too() -> None:
    luna = someone()
    image = add(drawn(), luna.pk)
    services.use_as_portrait(image)
    services.delete(image)
    assert Character.objects.get(pk=luna.pk).avatar_image_id == ""
    assert services.card_parts([luna.pk])[luna.pk].pictures == []


def test_an_image_of_a_deleted_character_can_be_deleted() -> None:
    image = add(drawn(), "char_gone")
    services.delete(image)
    assert not Image.objects.exists()


def test_a_card_shows_the_latest_four_and_counts_all_by_a_fixed_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    people = [someone(f"P{number}") for number in range(5)]
    for person in people:
        for number in range(6):
            add(drawn(8, 10 + number), person.pk)
    with django_assert_max_num_queries(3):
        parts = services.card_parts([person.pk for person in people])
    for person in people:
        assert parts[person.pk].count == 6
        newest = list(services.gallery(person.pk)[:4])
        assert parts[person.pk].pictures == newest


def test_a_card_reads_a_few_images_of_the_thousands_there_are() -> None:
    people = [someone(f"P{number}").pk for number in range(3)]
    with CaptureQueriesContext(connection) as asked:
        services.card_parts(people)
    plans = [plan for query in asked if "images_image" in query["sql"] for plan in _plan_of(query["sql"])]
    assert len(plans) >= 2
    assert not any("SCAN images_image" in plan or "SCAN image" in plan for plan in plans)
    assert any("USING COVERING INDEX image_of_character" in plan for plan in plans)  # the count


def _plan_of(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]


# --- reading once ----------------------------------------------------------------------------


def test_all_that_keeping_an_image_needs_comes_of_one_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    content, opened = drawn(300, 400), []
    real = Picture.open
    monkeypatch.setattr(Picture, "open", lambda *a, **m: opened.append(1) or real(*a, **m))
    found = picture.examine(content, thumbnail_size=64)
    assert len(opened) == 1
    assert found.verified == picture.verify_upload(content)
    assert found.pixel_hash == picture.pixel_hash(content)
    assert found.thumbnail == picture.thumbnail(content, 64)
    assert not found.says_sandbox


def test_the_source_of_an_upload_is_said() -> None:
    assert Image.objects.get(pk=add(drawn()).pk).source == Source.UPLOAD
