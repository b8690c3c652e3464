"""What can be done with trainings: gather pictures, begin, cancel, list, use a LoRA."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from characters import catalog
from characters import services as characters
from characters.models import Character
from characters.training import dataset, drafts, placing
from characters.training.dataset import Source
from characters.training.forms import Wish
from characters.training.models import OPEN, Training, TrainingState
from characters.training.placing import Base
from influencer.clients.comfyui import Family, TrainingDefaults, trainable, training_defaults
from influencer.clients.comfyui.training_graph import slug
from influencer.errors import Conflict, Invalid, NotFound, Problem
from influencer.jobs import services as jobs

KIND = "train_lora"
FULL_STRENGTH = 1.0
NO_BASE = "A LoRA can't be trained for this model: its family is unknown or not supported."


@dataclass(frozen=True)
class Offer:
    """What the dialog starts with: models to train on, suggestions, each family's usual values."""

    bases: list[Base]
    base: Base | None
    trigger_word: str
    defaults: dict[Family, TrainingDefaults]


def get(pk: str, *, character_id: str = "") -> Training:
    """Raises `NotFound`, also for another character's training."""
    found = Training.objects.filter(pk=pk)
    training = (found.filter(character_id=character_id) if character_id else found).first()
    if training is None:
        raise NotFound("There is no such training.")
    return training


def search(*, character_id: str = "", state: str = "") -> QuerySet[Training]:
    """Trainings that were begun, newest first."""
    found = Training.objects.exclude(state=TrainingState.DRAFT)
    if character_id:
        found = found.filter(character_id=character_id)
    return found.filter(state=state) if state else found


def versions(character_id: str) -> QuerySet[Training]:
    """The LoRAs a character has, newest first."""
    return search(character_id=character_id, state=TrainingState.SUCCEEDED)


def jobs_of_trainings() -> QuerySet[Any]:
    """The jobs that trainings name: one that failed is trained again from there."""
    return Training.objects.exclude(job_id="").order_by().values("job_id")


def running(character_id: str) -> QuerySet[Training]:
    return search(character_id=character_id).filter(state__in=OPEN)


def offer(character: Character) -> Offer:
    """What can be asked for. The servers' last answer counts, at most a minute old. Raises `Unavailable`."""
    listed, _ = catalog.ask()
    return Offer(
        bases=placing.bases(listed),
        base=placing.base_for(character),
        trigger_word=suggested_trigger(character),
        defaults={family: training_defaults(family) for family in trainable()},
    )


def suggested_trigger(character: Character) -> str:
    return str(character.trigger_word) or f"{slug(character.name) or 'my'}_character"


def warnings(training: Training) -> list[dict[str, Any]]:
    """What speaks against its pictures; before a model is chosen, at SDXL's size."""
    return dataset.warnings(training.images, training.resolution or training_defaults(Family.SDXL).resolution)


# --- from the beginning to the end -----------------------------------------------------------


def start(
    character: Character,
    sources: Sequence[Source],
    wish: Wish,
    *,
    user_id: int | None = None,
    bind: Callable[[str], None] = lambda pk: None,
    field: str = "images",
) -> Training:
    """Take the pictures and begin, or refuse all of it; `field` is what the caller calls the pictures.

    Raises `Invalid` with `fields` (`too_few_images`, `too_many_images`, `image_refused`, …).
    """
    dataset.check_count(len(sources), field)
    collected = drafts.collect(character, sources)
    try:
        if collected.refused:
            raise dataset.refused(collected.refused, field)
        return begin(collected.training.pk, wish, user_id=user_id, bind=bind)
    except Problem:
        drafts.discard(collected.training.pk)
        raise


def begin(
    pk: str,
    wish: Wish,
    *,
    captions: Mapping[int, str] | None = None,
    user_id: int | None = None,
    bind: Callable[[str], None] = lambda pk: None,
) -> Training:
    """Queue the training of a draft; `bind` is called with its id in the transaction that does it.

    Raises `Invalid` for its pictures or a model that can't be trained on, `Conflict` when it has begun.
    """
    training = drafts.get(pk)
    character = characters.get(training.character_id)
    dataset.check_count(len(training.images))
    training.images = drafts.captioned(training.images, captions or {})
    _fill_in(training, character, wish)
    dataset.write_captions(training, training.trigger_word)
    with transaction.atomic():
        if not Training.objects.filter(pk=pk, state=TrainingState.DRAFT).exists():
            raise drafts.begun()
        request = {"trainingId": pk, "attach": wish.attach}
        job = jobs.start(KIND, character_id=character.pk, request=request, user_id=user_id)
        training.job_id, training.state = job.pk, TrainingState.QUEUED
        training.created_at = timezone.now()
        training.save()
        bind(pk)
    return training


def _fill_in(training: Training, character: Character, wish: Wish) -> None:
    base = placing.base_for(character, wish.base_model)
    if base is None:
        raise Invalid(NO_BASE, code="family_unsupported", fields={"baseModel": [NO_BASE]})
    usual = training_defaults(base.family)
    training.name = wish.name or character.name
    training.base_model, training.family = base.name, str(base.family)
    training.trigger_word = wish.trigger_word or suggested_trigger(character)
    training.steps = wish.steps or usual.steps
    training.rank = wish.rank or usual.rank
    training.learning_rate = wish.learning_rate or usual.learning_rate
    training.resolution = wish.resolution or usual.resolution
    training.seed = secrets.randbelow(2**53) if wish.seed is None else wish.seed
    training.images_count = len(training.images)
    training.rights_confirmed = wish.rights_confirmed


def cancel(pk: str) -> Training:
    """Stop a training, wherever it is. Raises `NotFound`, `Conflict` (`already_finished`)."""
    training = get(pk)
    if training.state == TrainingState.DRAFT:
        raise Conflict("This training has not begun.", code="not_begun")
    jobs.cancel(training.job_id)
    return get(pk)


# --- using a LoRA ----------------------------------------------------------------------------


def attach(training: Training) -> Character:
    """Have the character use this LoRA, its trigger word and a model of its family.

    Raises `Conflict` (`not_proven`) for one that has not succeeded, `NotFound`.
    """
    if training.state != TrainingState.SUCCEEDED:
        raise Conflict("This training has no proven LoRA to use.", code="not_proven")
    return put_on(training)


def put_on(training: Training) -> Character:
    """`attach` without asking whether the training has ended."""
    own = set(search(character_id=training.character_id).exclude(lora="").values_list("lora", flat=True))
    fits = placing.own_family(characters.get(training.character_id)) == training.family

    def change(record: Character) -> None:
        # A weight that was found for one version is kept for the next.
        if record.lora not in own or record.lora_strength is None:
            record.lora_strength = FULL_STRENGTH
        record.lora, record.trigger_word = training.lora, training.trigger_word
        if not fits:
            record.preferred_model = training.base_model

    changed: Character = Character.objects.change(training.character_id, change)
    return changed


def lora_owners() -> dict[str, str]:
    """Whose LoRA each trained one is, by the server's name for it."""
    return dict(search().exclude(lora="").values_list("lora", "character_id"))


def attached(trainings: Sequence[Training]) -> set[str]:
    """The ids of those whose LoRA their character uses."""
    ids = {training.character_id for training in trainings}
    used = dict(Character.objects.filter(pk__in=list(ids)).values_list("pk", "lora"))
    return {one.pk for one in trainings if one.lora and used.get(one.character_id) == one.lora}
