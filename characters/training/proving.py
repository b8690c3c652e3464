"""Whether a LoRA does something: one picture with it and one without, by the same seed."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from characters import services as characters
from characters.images import generation
from characters.images import services as images
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from characters.training import pixels
from characters.training.models import Training
from influencer.clients.comfyui import Family, compose, defaults
from influencer.clients.errors import ServiceError
from influencer.errors import Conflict, NotFound, Problem, TookTooLong
from influencer.jobs import Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job

LOOK_AGAIN = timedelta(seconds=1)
PATIENCE_HERE = 3600.0
STRENGTH = 1.0
SUBJECT = "portrait"
# The share of the whole that is done when the proof begins.
FROM = 0.9


def prove(job: JobContext, training: Training) -> None:
    """Have both pictures made and compare them; raises `Wait` meanwhile.

    Raises `ServiceError` (`lora_broken`, `lora_without_effect`), and what a picture failed with.
    """
    children = [_ended(job, pk) for pk in _children(job, training)]
    try:
        made = [images.get(jobs.result_of(child)["imageIds"][0]) for child in children]
    except Problem:
        job.remember(children=[])  # a retry makes new ones
        raise
    _compare(job, *made)
    training.image_with, training.image_without = made[0].pk, made[1].pk
    training.note("The test images with and without the LoRA differ")
    training.save(update_fields=["image_with", "image_without", "log"])


def stop(job: JobContext) -> None:
    """Cancel the pictures still being made."""
    for pk in job.memo.get("children") or []:
        with suppress(Conflict, NotFound):
            jobs.cancel(pk)


def _children(job: JobContext, training: Training) -> list[str]:
    """The two jobs, with the LoRA first; started once, however often this is asked."""
    if not job.memo.get("children"):
        character = characters.get(training.character_id)
        seed = secrets.randbelow(2**53)
        with transaction.atomic():
            started = [
                generation.start(character, _wish(training, character, lora, seed), user_id=job.user_id).pk
                for lora in (training.lora, "")
            ]
            job.remember(children=started)
    found: list[str] = job.memo["children"]
    return found


def _wish(training: Training, character: Character, lora: str, seed: int) -> Wish:
    """The family's own settings, so that nothing but the LoRA makes the difference."""
    usual = defaults(Family(training.family), training.base_model)
    prompt = compose(
        character.base_prompt or SUBJECT,
        "",
        style=character.style,
        mood=character.mood,
        trigger_word=training.trigger_word,
    )
    return Wish(
        final_prompt=prompt,
        model=training.base_model,
        lora=lora,
        lora_strength=STRENGTH,
        width=usual.width,
        height=usual.height,
        steps=usual.steps,
        cfg=usual.cfg,
        sampler=usual.sampler,
        scheduler=usual.scheduler,
        seed=seed,
    )


def _ended(job: JobContext, pk: str) -> Job:
    """The child once it has ended. Raises `Wait` until then, so that no worker is held meanwhile."""
    child = jobs.get(pk)
    if jobs.works_here() and not child.is_final:
        with suppress(TookTooLong):
            child = jobs.wait_for(pk, seconds=PATIENCE_HERE)
    if child.is_final:
        return child
    job.progress(FROM, words := f"Test image: {child.message or 'queued'}")
    raise Wait(timezone.now() + LOOK_AGAIN, "following", words)


def _compare(job: JobContext, with_it: Image, without: Image) -> None:
    if pixels.is_one_colour(with_it.path.read_bytes()):
        job.remember(children=[])
        raise _trouble(
            "lora_broken",
            "The image made with the LoRA is empty: its numbers are broken.",
            "Train again with a lower learning rate.",
        )
    if with_it.pixel_hash == without.pixel_hash:
        job.remember(children=[])
        raise _trouble(
            "lora_without_effect",
            "The images with and without the LoRA are the same: it has no effect.",
            "Check that the base model is of the family the LoRA was trained for, then train again.",
        )


def _trouble(code: str, sentence: str, fix: str) -> ServiceError:
    return ServiceError(sentence, service="ComfyUI", code=code, fix=fix)
