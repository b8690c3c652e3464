"""The pictures a character is learnt from: taken in one by one, examined, captioned."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from characters.images import storage
from characters.images.models import Image
from characters.training import pixels
from characters.training.models import Training
from influencer.clients import picture
from influencer.clients.comfyui.prompting import with_trigger
from influencer.errors import Invalid, Problem
from influencer.web import body

FEWEST, MOST = 5, 40
LONGEST_CAPTION = 2000
LONGEST_NAME = 120
# Measured with portraits: copies in other sizes and formats differ in at most 3 bits of 64, slightly
# cropped ones in 7, others in at least 12.
SAME = 8
# Measured as well: sharp ones have 200 and more, those blurred over two pixels and more at most 70.
SHARP = 50.0
MUCH_ENLARGED = 1.25
TEXT = ".txt"
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A file offered for training. `read` is called once, when its turn has come."""

    name: str
    read: Callable[[], bytes]
    caption: str = ""


@dataclass(frozen=True)
class Refused:
    """A file that can't be used: its place among those offered, and why."""

    place: int
    name: str
    message: str


def from_files(files: Iterable[Any], captions: Sequence[str] = ()) -> list[Source]:
    """Uploaded pictures, each with its caption: from the list, else the .txt of the same name.

    Raises `Invalid` for a text that can't be read.
    """
    given = list(files)
    texts = {_stem(file): _text(file) for file in given if _suffix(file) == TEXT}
    pictures = [file for file in given if _suffix(file) != TEXT]
    return [
        Source(
            str(file.name),
            partial(_read, file),
            _at(captions, place) or texts.get(_stem(file), ""),
        )
        for place, file in enumerate(pictures)
    ]


def dropped(files: Iterable[Any]) -> tuple[list[Source], dict[str, str], list[Refused]]:
    """Pictures with captions; texts that came without their picture, by name; texts that can't be read."""
    given, texts, refused = list(files), {}, []
    for place, file in enumerate(given):
        if _suffix(file) == TEXT:
            try:
                texts[_stem(file)] = _text(file)
            except Invalid as problem:
                refused.append(Refused(place, _shown(str(file.name)), problem.message))
    pictures = [file for file in given if _suffix(file) != TEXT]
    sources = [Source(str(one.name), partial(_read, one), texts.get(_stem(one), "")) for one in pictures]
    used = {_stem(file) for file in pictures}
    return sources, {stem: text for stem, text in texts.items() if stem not in used}, refused


def stray(name: str) -> Refused:
    """A text that belongs to no picture."""
    return Refused(0, name, f"{name}: there is no image of this name.")


def from_gallery(image: Image, caption: str = "") -> Source:
    """An image of the gallery; its file is read when its turn comes."""
    return Source(image.path.name, partial(_read_gallery, image), caption)


def from_paths(paths: Iterable[Path]) -> list[Source]:
    """Pictures on this machine; a folder stands for those in it. Raises `Invalid` for what is not there."""
    given = list(paths)
    if missing := next((path for path in given if not path.exists()), None):
        raise Invalid(f"There is no file or folder {missing}.")
    found = [one for path in given for one in _in(path)]
    return [
        Source(path.name, partial(read_path, path), _text_beside(path))
        for path in found
        if path.suffix.lower() != TEXT
    ]


def check_count(count: int, field: str = "images") -> None:
    """Raises `Invalid` unless a training can be made of so many pictures."""
    check_room(count, field)
    if count < FEWEST:
        what = "there is none" if count == 0 else "there is 1" if count == 1 else f"there are {count}"
        message = f"Training takes at least {FEWEST} images; {what}."
        raise Invalid(message, code="too_few_images", fields={field: [message]})


def check_room(count: int, field: str = "images") -> None:
    """Raises `Invalid` when so many pictures are too many."""
    if count > MOST:
        message = f"Training takes at most {MOST} images; these are {count}."
        raise Invalid(message, code="too_many_images", fields={field: [message]})


def take(training: Training, source: Source) -> Row:
    """Keep one picture and what is known of it. Raises `Invalid`, `Unavailable`."""
    caption = check_caption(source.caption)
    content = source.read()
    facts = pixels.examine(content)
    verified, stem = facts.verified, secrets.token_hex(5)
    row: Row = {
        "file": f"{stem}{storage.SUFFIXES[verified.format]}",
        "name": _shown(source.name),
        "width": verified.width,
        "height": verified.height,
        "bytes": len(content),
        "caption": caption,
        "likeness": facts.likeness,
        "sharpness": facts.sharpness,
    }
    storage.write(training.folder / row["file"], content)
    storage.write(training.folder / thumbnail_name(row), facts.thumbnail)
    return row


def remove(training: Training, row: Row) -> None:
    for path in files_of(training, row):
        path.unlink(missing_ok=True)


def files_of(training: Training, row: Row) -> list[Path]:
    """A picture, its thumbnail, and the caption it is learnt under; that one only once it has begun."""
    return [training.folder / name for name in (row["file"], thumbnail_name(row), text_name(row))]


def thumbnail_name(row: Row) -> str:
    return f"{PurePath(row['file']).stem}.thumb.webp"


def text_name(row: Row) -> str:
    return f"{PurePath(row['file']).stem}{TEXT}"


def check_caption(text: str) -> str:
    """A caption as it is kept. Raises `Invalid`."""
    if not isinstance(text, str):
        raise Invalid("A caption must be text.", code="bad_caption")
    body.check_texts([("caption", text)], ())
    if len(text) > LONGEST_CAPTION:
        raise Invalid(f"A caption may have {LONGEST_CAPTION} characters at most.", code="bad_caption")
    return text.strip()


def final_caption(row: Row, trigger_word: str) -> str:
    """What the picture is learnt under: the trigger word once, in front where the caption lacks it."""
    return with_trigger(row["caption"], trigger_word)


def write_captions(training: Training, trigger_word: str) -> None:
    """Put the final captions beside the pictures. Raises `Unavailable`."""
    for row in training.images:
        text = final_caption(row, trigger_word).encode()
        storage.write(training.folder / text_name(row), text)


def warnings(images: Sequence[Row], resolution: int) -> list[dict[str, Any]]:
    """What speaks against pictures without forbidding them: near-duplicates, small, blurred."""
    found: list[dict[str, Any]] = []
    for place, row in enumerate(images):
        twin = next((other for other in images[:place] if _alike(row, other)), None)
        if twin is not None:
            message = f"{row['name']} is almost the same as {twin['name']}."
            found.append({**_about(row, "near_duplicate", message), "of": twin["n"]})
        if pixels.enlargement(row["width"], row["height"], resolution) > MUCH_ENLARGED:
            size = f"{row['width']} × {row['height']}"
            found.append(
                _about(row, "small", f"{row['name']} is small ({size}) for training at {resolution}.")
            )
        if row["sharpness"] < SHARP:
            found.append(_about(row, "blurred", f"{row['name']} looks blurred."))
    return found


def refused(faults: Sequence[Refused], field: str) -> Invalid:
    """All the files that can't be used, as one problem."""
    fields = {f"{field}.{fault.place}": [fault.message] for fault in faults}
    return Invalid(faults[0].message, code="image_refused", fields=fields)


def fault(place: int, source: Source, problem: Problem) -> Refused:
    name = _shown(source.name)
    return Refused(place, name, f"{name}: {problem.message}")


def _alike(one: Row, other: Row) -> bool:
    return pixels.distance(one["likeness"], other["likeness"]) <= SAME


def _about(row: Row, code: str, message: str) -> dict[str, Any]:
    return {"image": row["n"], "name": row["name"], "code": code, "message": message}


def _at(captions: Sequence[str], place: int) -> str:
    return captions[place] if place < len(captions) else ""


def _in(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES)
    return [path]


def _text_beside(path: Path) -> str:
    text = path.with_suffix(TEXT)
    return _text(_Named(text.name, text.open("rb"))) if text.is_file() else ""


def read_path(path: Path) -> bytes:
    """A picture on this machine, at most a byte more than is allowed. Raises `Invalid`."""
    try:
        with path.open("rb") as file:
            return file.read(picture.MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.") from None


@dataclass(frozen=True)
class _Named:
    name: str
    file: BinaryIO

    def read(self, size: int) -> bytes:
        with self.file:
            return self.file.read(size)


def _read(file: Any) -> bytes:
    content: bytes = file.read(picture.MAX_BYTES + 1)
    return content


def _read_gallery(image: Image) -> bytes:
    try:
        return image.path.read_bytes()
    except OSError:
        raise Invalid("Its file is gone from data/media.", code="image_gone") from None


def _text(file: Any) -> str:
    try:
        return str(file.read(LONGEST_CAPTION * 4).decode("utf-8-sig"))
    except UnicodeDecodeError:
        message = f"{_shown(str(file.name))} is not a text in UTF-8."
        raise Invalid(message, code="bad_caption", fields={"images": [message]}) from None


def _shown(name: str) -> str:
    plain = body.CONTROL.sub("", body.SURROGATE.sub("", PurePath(name.replace("\\", "/")).name))
    return plain[-LONGEST_NAME:] or "image"


def _stem(file: Any) -> str:
    return PurePath(str(file.name)).stem


def _suffix(file: Any) -> str:
    return PurePath(str(file.name)).suffix.lower()
