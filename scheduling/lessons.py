"""What a `train_lora` task learns from, and how: its config, and the pictures that stand for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.db import models

from characters.images import services as images
from characters.models import Character
from characters.training import api as training_api
from characters.training import dataset
from characters.training import services as trainings
from characters.training.dataset import Source
from characters.training.forms import TrainingForm, Wish
from characters.training.models import Training
from influencer.errors import Conflict, Invalid, NotFound
from scheduling import config as configs

NEWEST = 20
FLAGS = ("attach", "rights_confirmed")
KEYS = {key: name for key, name in training_api.KEYS.items() if name not in FLAGS}


class Pictures(models.TextChoices):
    SET = "set", "the images of the last training"
    NEWEST = "newest", "the newest images of the gallery"
    CHOSEN = "chosen", "chosen images of the gallery"


@dataclass(frozen=True)
class Lesson:
    """One training as a task asks for it. `training_id`: whose pictures a `set` means, else the last's."""

    pictures: Pictures
    image_ids: tuple[str, ...] = ()
    count: int = NEWEST
    training_id: str = ""
    wish: Wish = Wish()


def read(config: Mapping[str, Any]) -> Lesson:
    """The lesson a config describes. Raises `Invalid` with a sentence that names the key at fault."""
    chosen = configs.image_ids(config)
    usual = Pictures.CHOSEN if chosen else Pictures.SET
    pictures = Pictures(configs.choice(config, "pictures", Pictures.values, default=usual))
    if pictures == Pictures.CHOSEN:
        _check_count(chosen)
    limits = (dataset.FEWEST, dataset.MOST)
    form = configs.settings(config, KEYS, TrainingForm, training_api.form_problem)
    return Lesson(
        pictures,
        chosen,
        configs.number(config, "count", default=NEWEST, limits=limits),
        configs.text(config, "trainingId", 60),
        replace(
            form.wish() if form else Wish(),
            attach=configs.flag(config, "attach", default=True),
            rights_confirmed=configs.flag(config, "rightsConfirmed", default=False),
        ),
    )


def gathered(character: Character, lesson: Lesson) -> tuple[list[Source], Wish]:
    """The pictures as they are now, and what is wished; the right to use a set was confirmed with it.

    Raises `Conflict` (`no_training_images`), `NotFound` (`too_few_images`).
    """
    if lesson.pictures == Pictures.SET:
        training = _training(character, lesson)
        rights = lesson.wish.rights_confirmed or training.rights_confirmed
        return _of_training(training), replace(lesson.wish, rights_confirmed=rights)
    return _of_gallery(character, lesson), lesson.wish


def _of_gallery(character: Character, lesson: Lesson) -> list[Source]:
    if lesson.pictures == Pictures.NEWEST:
        newest = images.gallery(character.pk)[: lesson.count]
        return [dataset.from_gallery(image) for image in newest]
    found = images.gallery(character.pk).in_bulk(list(lesson.image_ids))
    there = [found[pk] for pk in dict.fromkeys(lesson.image_ids) if pk in found]
    if len(there) < dataset.FEWEST:
        raise _too_few(len(there))
    return [dataset.from_gallery(image) for image in there]


def _training(character: Character, lesson: Lesson) -> Training:
    if lesson.training_id:
        return trainings.get(lesson.training_id, character_id=character.pk)
    found = trainings.search(character_id=character.pk).first()
    if found is None:
        raise Conflict(
            f"{character.name} has not been trained yet, so there are no images to train on again. "
            "Train once by hand, or have the task use images of the gallery.",
            code="no_training_images",
        )
    return found


def _of_training(training: Training) -> list[Source]:
    return [
        Source(row["name"], partial(_read, training.folder / row["file"]), row["caption"])
        for row in training.images
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Invalid("Its file is gone from data/media.", code="image_gone") from None


def _check_count(chosen: tuple[str, ...]) -> None:
    try:
        dataset.check_count(len(set(chosen)))
    except Invalid as problem:
        raise configs.refused("imageIds", f"can't be used. {problem.message}") from None


def _too_few(count: int) -> NotFound:
    left = "none of them is" if count == 0 else f"only {count} of them {'is' if count == 1 else 'are'}"
    return NotFound(
        f"Training takes at least {dataset.FEWEST} images, and of those the task names {left} left. "
        "Choose others.",
        code="too_few_images",
    )
