"""Drafts: the pictures of a training that has not begun, gathered, captioned, thrown away.

A character's page goes on with its newest draft; one that nobody has touched for a month is thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.utils import timezone

from characters import services as characters
from characters.images.models import Image
from characters.models import Character
from characters.training import dataset
from characters.training.dataset import Refused, Row, Source
from characters.training.models import Training, TrainingState
from influencer.errors import Conflict, Invalid, NotFound, Problem

KEPT = timedelta(days=30)
SETTINGS = ("base_model", "trigger_word", "name", "steps", "rank", "learning_rate", "resolution", "seed")


@dataclass(frozen=True)
class Collected:
    """A draft with the pictures that can be used, and those that can't."""

    training: Training
    refused: list[Refused] = field(default_factory=list)


def get(pk: str) -> Training:
    """Raises `NotFound`, `Conflict` (`already_begun`)."""
    training = Training.objects.filter(pk=pk).first()
    if training is None:
        raise NotFound("There is no such training.")
    if training.state != TrainingState.DRAFT:
        raise begun()
    return training


def current(character_id: str) -> Training | None:
    """The draft a character's page goes on with."""
    return Training.objects.filter(character_id=character_id, state=TrainingState.DRAFT).first()


def gather(
    character: Character, sources: Sequence[Source], texts: Mapping[str, str] | None = None
) -> Collected:
    """Put pictures into the character's draft, a new one where there is none.

    `texts` are captions for pictures that are there, by file name. Raises `Invalid` for too many.
    """
    draft = current(character.pk)
    found = add_pictures(draft.pk, sources) if draft else collect(character, sources)
    return _add_texts(found, texts) if texts else found


def add_image(character: Character, image: Image) -> tuple[Training, bool]:
    """Put an image of the gallery into the character's draft; true when it was there already.

    Raises `Invalid` for too many or a file that can't be used.
    """
    draft = current(character.pk)
    if draft is not None and any(row["name"] == image.path.name for row in draft.images):
        return draft, True
    found = gather(character, [dataset.from_gallery(image)])
    if found.refused:
        raise Invalid(found.refused[0].message)
    return found.training, False


def again(training: Training) -> Training:
    """A new draft with the pictures, captions and settings of a training. Raises `Conflict`."""
    character = characters.get(training.character_id)
    if current(character.pk) is not None:
        raise Conflict("There is a draft already: begin or discard it first.", code="draft_exists")
    found = collect(character, [_copied(training, row) for row in training.images])
    return keep(found.training.pk, {}, {name: getattr(training, name) for name in SETTINGS})


def collect(character: Character, sources: Sequence[Source]) -> Collected:
    """A new draft with what of the pictures can be used. Raises `Invalid` for too many, `Unavailable`."""
    _forget_old()
    training = Training.objects.create(character_id=character.pk)
    try:
        return add_pictures(training.pk, sources)
    except Problem:
        discard(training.pk)
        raise


def add_pictures(pk: str, sources: Sequence[Source]) -> Collected:
    """Put more pictures into a draft, one at a time. Raises `Invalid` for too many, `Conflict`."""
    training = get(pk)
    dataset.check_room(len(training.images) + len(sources))
    rows: list[Row] = []
    refused: list[Refused] = []
    try:
        for place, source in enumerate(sources):
            try:
                rows.append(dataset.take(training, source))
            except Invalid as problem:
                refused.append(dataset.fault(place, source, problem))
        return Collected(_change(pk, lambda images: _numbered([*images, *rows])), refused)
    except Problem:
        for row in rows:
            dataset.remove(training, row)
        raise


def remove_picture(pk: str, number: int) -> Training:
    """Take a picture out of a draft. Raises `NotFound`, `Conflict`."""
    row = _row(get(pk), number)
    changed = _change(pk, lambda images: [one for one in images if one["n"] != number])
    dataset.remove(changed, row)
    return changed


def caption(pk: str, number: int, text: str) -> Training:
    """Change the caption of a picture in a draft. Raises `Invalid`, `NotFound`, `Conflict`."""
    _row(get(pk), number)
    return _change(pk, lambda images: captioned(images, {number: text}))


def keep(pk: str, captions: Mapping[int, str], settings: Mapping[str, Any]) -> Training:
    """Remember what a dialog shows; a setting without a value becomes the usual again.

    Raises `Invalid` for a caption, `Conflict`.
    """
    given, blank = {name: settings[name] for name in SETTINGS if name in settings}, Training()

    def change(training: Training) -> None:
        training.images = captioned(training.images, captions)
        for name, value in given.items():
            setattr(training, name, value or getattr(blank, name))

    return _save(pk, change)


def discard(pk: str) -> None:
    """Throw a draft away with its pictures; anything else is left alone."""
    training = Training.objects.filter(pk=pk, state=TrainingState.DRAFT).first()
    if training is not None:
        folder = training.folder
        training.delete()
        shutil.rmtree(folder, ignore_errors=True)


def _change(pk: str, change: Callable[[list[Row]], list[Row]]) -> Training:
    def set_images(training: Training) -> None:
        training.images = change(training.images)

    return _save(pk, set_images)


def _save(pk: str, change: Callable[[Training], None]) -> Training:
    with transaction.atomic():
        training = get(pk)
        change(training)
        training.images_count, training.created_at = len(training.images), timezone.now()
        training.save(update_fields=["images", "images_count", "created_at", *SETTINGS])
    return training


def _add_texts(found: Collected, texts: Mapping[str, str]) -> Collected:
    """Give captions that came without their picture to the one of that name."""
    known = {PurePath(row["name"]).stem: row["n"] for row in found.training.images}
    captions = {known[stem]: text for stem, text in texts.items() if stem in known}
    strays = [dataset.stray(f"{stem}.txt") for stem in texts if stem not in known]
    changed = keep(found.training.pk, captions, {})
    return replace(found, training=changed, refused=[*found.refused, *strays])


def _copied(training: Training, row: Row) -> Source:
    return Source(row["name"], partial(dataset.read_path, training.folder / row["file"]), row["caption"])


def _numbered(images: list[Row]) -> list[Row]:
    """New ones get the next numbers. Another upload may have filled the draft meanwhile."""
    dataset.check_room(len(images))
    following = max((row["n"] for row in images if "n" in row), default=-1) + 1
    numbers = iter(range(following, following + len(images)))
    return [row if "n" in row else {"n": next(numbers), **row} for row in images]


def captioned(images: list[Row], texts: Mapping[int, str]) -> list[Row]:
    checked = {number: dataset.check_caption(text) for number, text in texts.items()}
    return [{**row, "caption": checked.get(row["n"], row["caption"])} for row in images]


def _row(training: Training, number: int) -> Row:
    row = training.picture(number)
    if row is None:
        raise NotFound("This image is not in the training any more.")
    return row


def begun() -> Conflict:
    return Conflict("This training has begun already.", code="already_begun")


def forget_character(character_id: str) -> None:
    """A deleted character's drafts go with it; what was trained stays."""
    drafts = Training.objects.filter(character_id=character_id, state=TrainingState.DRAFT)
    for pk in drafts.values_list("pk", flat=True):
        discard(pk)


def _forget_old() -> None:
    old = Training.objects.filter(state=TrainingState.DRAFT, created_at__lt=timezone.now() - KEPT)
    for pk in old.values_list("pk", flat=True):
        with suppress(OSError):
            discard(pk)
