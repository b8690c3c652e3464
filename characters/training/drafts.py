"""Drafts: the pictures of a training that has not begun, gathered, captioned, thrown away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from characters.models import Character
from characters.training import dataset
from characters.training.dataset import Refused, Row, Source
from characters.training.models import Training, TrainingState
from influencer.errors import Conflict, Invalid, NotFound, Problem

KEPT = timedelta(days=2)


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


def discard(pk: str) -> None:
    """Throw a draft away with its pictures; anything else is left alone."""
    training = Training.objects.filter(pk=pk, state=TrainingState.DRAFT).first()
    if training is not None:
        folder = training.folder
        training.delete()
        shutil.rmtree(folder, ignore_errors=True)


def _change(pk: str, change: Callable[[list[Row]], list[Row]]) -> Training:
    with transaction.atomic():
        training = get(pk)
        training.images = change(training.images)
        training.images_count = len(training.images)
        training.save(update_fields=["images", "images_count"])
    return training


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
        raise NotFound("This picture is not in the training any more.")
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
