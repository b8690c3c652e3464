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
from influencer.errors import Unavailable

THUMBNAIL_SIZE = 640
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
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
    verified = picture.verify_upload(content)
    image = Image(
        id=image_id,
        character_id=character_id,
        source=making.source,
        file=f"{folder_name(character_id)}/{image_id}{SUFFIXES[verified.format]}",
        mime_type=f"image/{verified.format}",
        width=verified.width,
        height=verified.height,
        sandbox=making.sandbox,
        pixel_hash=picture.pixel_hash(content),
        prompt=making.recipe.get("prompt", ""),
        seed=making.recipe.get("seed"),
        model=making.recipe.get("model", ""),
        lora=making.recipe.get("lora", ""),
        recipe=making.recipe,
        duration_ms=making.duration_ms,
        job_id=making.job_id,
    )
    thumbnail = picture.thumbnail(content, THUMBNAIL_SIZE)
    _write(image.path, content)
    _write(image.thumbnail_path, thumbnail)
    _write(image.sidecar_path, _sidecar(image, making))
    with transaction.atomic():
        if image.sandbox:
            SandboxPixels.objects.get_or_create(pixel_hash=image.pixel_hash)
        image.save()
    return image


def remove(image: Image) -> None:
    """Take an image and its files away. Its pixels stay known when they were the sandbox's."""
    files = (image.path, image.thumbnail_path, image.sidecar_path)
    image.delete()
    for path in files:
        path.unlink(missing_ok=True)


def is_sandbox(image: Image) -> bool:
    """Whether the pixels were ever made by the sandbox, wherever the file came from."""
    return image.sandbox or SandboxPixels.objects.filter(pixel_hash=image.pixel_hash).exists()


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


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, also when the power fails."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        where = path.relative_to(paths.data_dir())
        raise Unavailable(
            f"The image could not be saved to {where}: {error.strerror}. Free some space, then retry.",
            code="media_unwritable",
            retryable=True,
        ) from error
