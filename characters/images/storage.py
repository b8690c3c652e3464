"""Image files on disk: the picture, its thumbnail, and the recipe beside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from characters.images.models import Image, SandboxPixels, Source
from influencer import paths
from influencer.clients import picture
from influencer.errors import NotFound, Unavailable

THUMBNAIL_SIZE = 640
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
UNWRITABLE = "media_unwritable"
UNSAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True)
class Making:
    """How an image came to be; all of it ends in the row and the sidecar.

    `recipe` holds what is needed to make it again; `workflow` is the graph ComfyUI ran.
    """

    source: Source = Source.GENERATED
    sandbox: bool = False
    recipe: dict[str, Any] = field(default_factory=dict)
    workflow: dict[str, Any] = field(default_factory=dict, repr=False)
    duration_ms: int | None = None
    job_id: str = ""


def store(image_id: str, *, character_id: str, content: bytes, making: Making) -> Image:
    """Keep an image: files first, then its row. The same id again replaces both.

    Raises `Invalid` for what does not decode, `Unavailable` (`media_unwritable`) for a full disk.
    """
    image = write_files(image_id, character_id=character_id, content=content, making=making)
    record(image)
    return image


def write_files(image_id: str, *, character_id: str, content: bytes, making: Making) -> Image:
    """The first half of `store`, slow and outside of any transaction: files, and a row not yet saved."""
    found = picture.examine(content, thumbnail_size=THUMBNAIL_SIZE)
    kind = found.verified.format
    image = Image(
        id=image_id,
        character_id=character_id,
        source=making.source,
        file=f"{folder_name(character_id)}/{image_id}{SUFFIXES[kind]}",
        mime_type=f"image/{kind}",
        width=found.verified.width,
        height=found.verified.height,
        sandbox=making.sandbox or found.says_sandbox or _is_known(found.pixel_hash),
        pixel_hash=found.pixel_hash,
        prompt=making.recipe.get("prompt", ""),
        seed=making.recipe.get("seed"),
        model=making.recipe.get("model", ""),
        lora=making.recipe.get("lora", ""),
        recipe=making.recipe,
        duration_ms=making.duration_ms,
        job_id=making.job_id,
    )
    try:
        write(image.path, content)
        write(image.sidecar_path, _sidecar(image, making))
        write(image.thumbnail_path, found.thumbnail, durable=False)
        _sync_folder(image.path.parent)
    except Unavailable:
        _remove_files(image)
        raise
    return image


@transaction.atomic
def record(image: Image) -> None:
    """The second half: the row, and the pixels of a sandbox image for good."""
    if image.sandbox:
        SandboxPixels.objects.get_or_create(pixel_hash=image.pixel_hash)
    Image.objects.filter(pk=image.pk).delete()
    image.save(force_insert=True)


def remove(image: Image) -> None:
    """Take an image and its files away. Its pixels stay known when they were the sandbox's."""
    image.delete()
    _remove_files(image)


def _remove_files(image: Image) -> None:
    for path in (image.path, image.thumbnail_path, image.sidecar_path):
        path.unlink(missing_ok=True)


def is_sandbox(image: Image) -> bool:
    """Whether the pixels were ever made by the sandbox, wherever the file came from."""
    return image.sandbox or _is_known(image.pixel_hash)


def thumbnail_of(image: Image) -> Path:
    """The thumbnail's file, made anew when it is gone. Raises `NotFound` when the image is gone too."""
    path = image.thumbnail_path
    if not path.is_file() or not path.stat().st_size:
        try:
            write(path, picture.thumbnail(image.path.read_bytes(), THUMBNAIL_SIZE), durable=False)
        except OSError:
            raise file_gone(image) from None
    return path


def file_gone(image: Image) -> NotFound:
    return NotFound(f"The file of {image.pk} is gone from data/media.")


def _is_known(pixel_hash: str) -> bool:
    return SandboxPixels.objects.filter(pixel_hash=pixel_hash).exists()


def folder_name(character_id: str) -> str:
    """A folder's name that no id can turn into a path."""
    return UNSAFE.sub("_", character_id).lstrip(".") or "_"


def _sidecar(image: Image, making: Making) -> bytes:
    """Everything the row holds, so that the table can be rebuilt from the files."""
    facts = {
        "id": image.id,
        "characterId": image.character_id,
        "source": image.source,
        "sandbox": image.sandbox,
        "file": Path(image.file).name,
        "width": image.width,
        "height": image.height,
        "pixelHash": image.pixel_hash,
        "durationMs": making.duration_ms,
        "recipe": making.recipe,
        "workflow": making.workflow,
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2)


def write(path: Path, content: bytes, *, durable: bool = True) -> None:
    """All of it or nothing. Raises `Unavailable` (`media_unwritable`).

    What can be made anew need not be `durable`: a power failure may leave it empty.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fdatasync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        where = path.relative_to(paths.data_dir())
        raise Unavailable(
            f"The image could not be saved to {where}: {error.strerror}. Free some space, then retry.",
            code=UNWRITABLE,
            retryable=True,
        ) from error


def _sync_folder(folder: Path) -> None:
    """Keep the files' names too when the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
