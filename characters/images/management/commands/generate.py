"""Make images of a character."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django import forms
from django.core.management.base import CommandParser

from characters import commands
from characters.images import api, generation
from characters.images.forms import WishForm
from characters.images.models import Image
from characters.images.planning import Wish
from influencer.errors import Unavailable
from influencer.jobs import watching


class Command(commands.Command):
    help = "Make images of a character: `generate Luna --prompt 'by the sea' --count 2 --out luna.png`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("character", help="an id, or a name only one character has")
        for name, field in WishForm.base_fields.items():
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=_words(name, field))
        parser.add_argument("--out", type=Path, metavar="FILE", help="copy the image there too; or a folder")

    def handle(self, *args: Any, **options: Any) -> None:
        character = commands.named(options["character"])
        wish = _wish(options)
        with commands.stand_ins("ComfyUI"), watching.hands_for("gpu"):
            job = generation.start(character, wish)
            job = watching.see_through(job.pk, self.tell)
        images = api.images_of(job)
        files = [str(image.path) for image in images]
        if options["out"]:
            files = [_copy(image, options["out"], place) for place, image in enumerate(images)]
        lines = [_line(image, file) for image, file in zip(images, files, strict=True)]
        self.answer(options, {**api.facts_of(job, images), "files": files}, lines)


def _words(name: str, field: forms.Field) -> str:
    if name == "prompt":
        return "what it shows, joined to the character's own prompt"
    if name == "final_prompt":
        return "the whole prompt, used as it is"
    limits = [getattr(field, "min_value", None), getattr(field, "max_value", None)]
    label = str(field.label or name.replace("_", " "))
    return f"{label}, {limits[0]} to {limits[1]}" if None not in limits else label


def _wish(options: Mapping[str, Any]) -> Wish:
    """What was asked for. Raises `Invalid`."""
    data = {name: options[name] for name in WishForm.base_fields if options[name] is not None}
    commands.check_texts(data)
    form = WishForm(data)
    if not form.is_valid():
        raise api.form_problem(form)
    return form.wish()


def _copy(image: Image, out: Path, place: int) -> str:
    """Copy one of several images to the file or folder `out`; where it lies now."""
    suffix = image.path.suffix
    if out.is_dir():
        target = out / image.path.name
    else:
        name = f"{out.stem}-{place + 1}" if place else out.stem
        target = out.with_name(name + (out.suffix or suffix))
    try:
        shutil.copyfile(image.path, target)
    except OSError as error:
        raise Unavailable(
            f"{target} can't be written: {error.strerror}. The image is in {image.path}."
        ) from error
    return str(target)


def _line(image: Image, file: str) -> str:
    sandbox = "  sandbox" if image.sandbox else ""
    return f"{image.pk}  {file}  {image.width}×{image.height}  seed {image.seed}{sandbox}"
