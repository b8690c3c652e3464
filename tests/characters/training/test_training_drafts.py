"""Pictures offered for training: taken, refused, warned about, captioned, thrown away."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.training import dataset, drafts, services
from characters.training.models import Training
from influencer import paths
from influencer.errors import Conflict, Invalid, NotFound, Unavailable
from monitoring import consistency
from tests.characters.training.lessons import blurred, encoded, png, portrait, source, sources

pytestmark = pytest.mark.django_db


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def codes(training: Training) -> list[tuple[int, str]]:
    return [(one["image"], one["code"]) for one in services.warnings(training)]


def test_each_picture_is_kept_as_it_came_with_a_thumbnail(luna: Character) -> None:
    training = drafts.collect(luna, sources(3)).training
    row = training.images[1]
    assert (row["n"], row["name"], row["caption"]) == (1, "1.png", "smiling 1")
    assert (row["width"], row["height"]) == (512, 640)
    assert (training.folder / row["file"]).read_bytes() == png(1)
    with Image.open(training.folder / dataset.thumbnail_name(row)) as small:
        assert max(small.size) == 512
    assert training.folder.is_relative_to(paths.media() / luna.pk / "training")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.png", b"just a text", "not an image"),
        ("empty.png", b"", "not an image"),
        ("half.png", png(1)[:3000], "not an image"),
        ("bomb.png", bomb(), "50 megapixels"),
        ("large.png", b"\x89PNG\r\n\x1a\n" + b"x" * 25_000_001, "larger than 25 MB"),
        ("moving.gif", encoded(portrait(1), "GIF"), "not an image"),
    ],
)
def test_what_can_not_be_used_is_named_and_the_rest_is_kept(
    luna: Character, name: str, content: bytes, why: str
) -> None:
    found = drafts.collect(luna, [*sources(2), source(content, name)])
    [refused] = found.refused
    assert (refused.place, refused.name) == (2, name)
    assert refused.message.startswith(f"{name}: ")
    assert why in refused.message
    assert len(found.training.images) == 2
    assert len(list(found.training.folder.iterdir())) == 4


@pytest.mark.parametrize(
    "content",
    [
        encoded(portrait(1).convert("CMYK"), "JPEG"),
        encoded(portrait(1).convert("RGBA")),
        encoded(portrait(1).convert("P")),
        encoded(portrait(1), "WEBP"),
    ],
)
def test_cmyk_transparent_and_palette_pictures_are_taken(luna: Character, content: bytes) -> None:
    assert drafts.collect(luna, [source(content)]).refused == []


def test_a_turned_picture_counts_as_it_is_seen(luna: Character) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(portrait(1, 640, 512), "JPEG", exif=exif)
    row = drafts.collect(luna, [source(turned)]).training.images[0]
    assert (row["width"], row["height"]) == (512, 640)


def test_near_duplicates_small_and_blurred_ones_are_warned_about(luna: Character) -> None:
    copy = encoded(portrait(0).resize((400, 500)), "JPEG", quality=70)
    offered = [*sources(2), source(copy, "copy.jpg"), source(png(7, width=90, height=90)), source(blurred(8))]
    training = drafts.collect(luna, offered).training
    training.resolution = 512
    assert codes(training) == [(2, "near_duplicate"), (3, "small"), (4, "blurred")]
    first = services.warnings(training)[0]
    assert first["message"] == "copy.jpg is almost the same as 0.png."
    assert first["of"] == 0


def test_what_counts_as_small_depends_on_the_training_size(luna: Character) -> None:
    training = drafts.collect(luna, sources(1)).training
    assert codes(training) == [(0, "small")]
    training.resolution = 512
    assert codes(training) == []


def test_a_text_of_the_same_name_is_the_caption() -> None:
    def uploaded(name: str, content: bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content)

    files = [
        uploaded("a.png", b"1"),
        uploaded("b.jpg", b"2"),
        uploaded("a.txt", "caf\u00e9, smiling".encode("utf-8-sig")),
    ]
    first, second = dataset.from_files(files)
    assert (first.name, first.caption, second.caption) == ("a.png", "café, smiling", "")
    listed = dataset.from_files([uploaded("a.png", b"1"), uploaded("b.png", b"2")], ["one", ""])
    assert [one.caption for one in listed] == ["one", ""]
    with pytest.raises(Invalid, match=r"a\.txt is not a text in UTF-8"):
        dataset.from_files([uploaded("a.png", b"1"), uploaded("a.txt", b"\xff\xfe\x00")])


def test_pictures_of_the_gallery_can_be_used(luna: Character) -> None:
    image = images.add(luna.pk, png(3))
    row = drafts.collect(luna, [dataset.from_gallery(image, "by the sea")]).training.images[0]
    assert (row["name"], row["caption"]) == (image.path.name, "by the sea")
    image.path.unlink()
    refused = drafts.collect(luna, [dataset.from_gallery(image)]).refused
    assert "gone" in refused[0].message


def test_more_can_be_added_and_single_ones_removed(luna: Character) -> None:
    training = drafts.collect(luna, sources(2)).training
    training = drafts.add_pictures(training.pk, sources(2, first=5)).training
    assert [row["n"] for row in training.images] == [0, 1, 2, 3]
    training = drafts.remove_picture(training.pk, 1)
    assert [row["name"] for row in training.images] == ["0.png", "5.png", "6.png"]
    assert len(list(training.folder.iterdir())) == 6
    with pytest.raises(NotFound):
        drafts.remove_picture(training.pk, 1)
    again = drafts.add_pictures(training.pk, sources(1, first=9)).training
    assert [row["n"] for row in again.images] == [0, 2, 3, 4]


def test_captions_can_be_changed_one_by_one(luna: Character) -> None:
    training = drafts.collect(luna, sources(2)).training
    drafts.caption(training.pk, 1, "  laughing ")
    assert services.get(training.pk).images[1]["caption"] == "laughing"
    for wrong in ("x" * 2001, "bell\x07"):
        with pytest.raises(Invalid):
            drafts.caption(training.pk, 1, wrong)
    with pytest.raises(NotFound):
        drafts.caption(training.pk, 7, "who")


def test_more_than_forty_are_refused_before_any_is_read(luna: Character) -> None:
    def never() -> bytes:
        raise AssertionError("read although there are too many")

    many = [dataset.Source(f"{n}.png", never) for n in range(41)]
    with pytest.raises(Invalid, match="at most 40") as refused:
        drafts.collect(luna, many)
    assert refused.value.code == "too_many_images"
    assert not Training.objects.exists()


def test_a_full_disk_leaves_nothing_behind(luna: Character, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        if ".thumb" in path.name:
            raise Unavailable("No space left.", code="media_unwritable")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr(dataset.storage, "write", full)
    with pytest.raises(Unavailable):
        drafts.collect(luna, sources(2))
    assert not Training.objects.exists()
    assert not list((paths.media() / luna.pk).rglob("*.png"))


def test_a_draft_that_was_forgotten_is_thrown_away(luna: Character) -> None:
    old = drafts.collect(luna, sources(1)).training
    Training.objects.update(created_at=old.created_at - drafts.KEPT - timedelta(minutes=1))
    new = drafts.collect(luna, sources(1)).training
    assert list(Training.objects.all()) == [new]
    assert not old.folder.exists()


def test_drafts_go_with_their_character_and_are_no_trainings_to_others(luna: Character) -> None:
    training = drafts.collect(luna, sources(1)).training
    assert not services.search().exists()
    characters.delete(luna.pk)
    assert not Training.objects.exists()
    assert not training.folder.exists()


@pytest.mark.parametrize(
    ("caption", "final"),
    [
        ("", "luna_character"),
        ("smiling", "luna_character, smiling"),
        ("a photo of luna_character, LUNA_CHARACTER at sea", "a photo of luna_character, at sea"),
    ],
)
def test_the_trigger_word_stands_in_a_caption_exactly_once(caption: str, final: str) -> None:
    assert dataset.final_caption({"caption": caption}, "luna_character") == final


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\secret\\me.png", "a\x00b.png", ""])
def test_names_of_files_are_shown_never_used(luna: Character, name: str) -> None:
    training = drafts.collect(luna, [source(png(1), name)]).training
    row: dict[str, Any] = training.images[0]
    assert "/" not in row["name"] and "\\" not in row["name"] and "\x00" not in row["name"]
    assert row["name"]
    assert {path.parent for path in training.folder.rglob("*")} == {training.folder}


def test_a_draft_that_has_begun_can_not_be_changed(luna: Character) -> None:
    training = drafts.collect(luna, sources(1)).training
    Training.objects.update(state="queued")
    for deed in (
        lambda: drafts.add_pictures(training.pk, sources(1)),
        lambda: drafts.remove_picture(training.pk, 0),
        lambda: drafts.caption(training.pk, 0, "x"),
    ):
        with pytest.raises(Conflict):
            deed()
    drafts.discard(training.pk)
    assert Training.objects.exists()


def test_a_caption_beside_a_file_on_disk_is_read(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "0.txt").write_text("smiling")
    (tmp_path / "readme.md").write_text("not a picture")
    first, second = dataset.from_paths([tmp_path])
    assert (first.name, first.caption, second.caption) == ("0.png", "smiling", "")
    assert io.BytesIO(first.read()).getvalue() == png(0)
    with pytest.raises(Invalid, match="no file or folder .*gone.png"):
        dataset.from_paths([tmp_path / "gone.png"])
    (tmp_path / "0.png").unlink()
    with pytest.raises(Invalid, match="can't be read"):
        first.read()


def test_the_files_of_a_training_are_in_order_and_left_over_ones_are_told(luna: Character) -> None:
    training = drafts.collect(luna, sources(2)).training
    dataset.write_captions(training, "luna_character")
    assert consistency.findings() == []
    stray = training.folder / "stray.png"
    stray.write_bytes(png(7))
    assert [finding.code for finding in consistency.findings()] == ["file_without_row"]
