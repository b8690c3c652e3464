"""What a training needs on its server: the pictures in shape and their captions, in a fresh folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone

from characters.images.planning import Place
from characters.training import dataset, pixels
from characters.training.models import Training
from influencer.clients.comfyui import (
    ComfyUI,
    Family,
    ModelKind,
    Parts,
    TrainingSettings,
    lora_prefix,
    training,
)
from influencer.clients.comfyui.training_graph import FOLDER
from influencer.errors import Invalid, NotFound
from influencer.jobs.context import JobContext

# The share of the whole that is done when all pictures are sent.
SENT = 0.05


@dataclass(frozen=True)
class Names:
    """Names on the server that no training had before: the data set's folder and the LoRA's beginning."""

    folder: str
    prefix: str


@dataclass(frozen=True)
class Desk:
    """What one attempt at a training works with."""

    job: JobContext
    training: Training
    place: Place
    client: ComfyUI

    @cached_property
    def names(self) -> Names:
        """Remembered before they are used, and the same in every attempt."""
        if not self.job.memo.get("names"):
            token = secrets.token_hex(4)
            prefix = lora_prefix(self.training.name, Family(self.place.family), token)
            folder = f"{FOLDER}/{timezone.now():%Y%m%d}-{token}"
            self.job.remember(names={"folder": folder, "prefix": prefix}, sent_images=0)
        return Names(**self.job.memo["names"])

    def settings(self) -> TrainingSettings:
        kind = ModelKind(self.place.kind)
        parts = self.client.models().flux1_parts() if kind is ModelKind.DIFFUSION else Parts((), "")
        return TrainingSettings(
            model=self.training.base_model,
            family=Family(self.place.family),
            folder=self.names.folder,
            prefix=self.names.prefix,
            steps=self.training.steps,
            rank=self.training.rank,
            learning_rate=self.training.learning_rate,
            seed=self.training.seed,
            kind=kind,
            parts=parts,
        )


def send(desk: Desk) -> None:
    """Send what has not been sent yet, one picture with its caption at a time. Raises `ServiceError`."""
    images, folder = desk.training.images, desk.names.folder
    for place in range(desk.job.memo["sent_images"], len(images)):
        desk.job.check_cancelled()
        row, stem = images[place], f"{place:03}"
        training.send(desk.client, f"{stem}.png", _picture(desk.training, row), folder=folder)
        caption = dataset.final_caption(row, desk.training.trigger_word)
        training.send(desk.client, f"{stem}.txt", caption.encode(), folder=folder)
        desk.job.remember(sent_images=place + 1)
        desk.job.progress(SENT * (place + 1) / len(images), f"Image {place + 1} of {len(images)} sent")


def _picture(made: Training, row: dataset.Row) -> bytes:
    """Raises `NotFound`, `Invalid`: the file may have been touched since it was taken."""
    try:
        return pixels.fit((made.folder / row["file"]).read_bytes(), made.resolution)
    except OSError:
        raise NotFound(f"The training image {row['name']} is gone from data/media.") from None
    except Invalid as problem:
        raise Invalid(f"{row['name']}: {problem.message}", code=problem.code) from problem
