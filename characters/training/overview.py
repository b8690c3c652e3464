"""What pages show of trainings: the Training section, the chip on a card, the dialog's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from typing import Any

from django.http import HttpRequest

from characters import catalog
from characters.images.models import Image
from characters.models import Character
from characters.training import dataset, services
from characters.training.curve import Curve, curve
from characters.training.dataset import Row
from characters.training.models import OPEN, Training, TrainingState
from influencer.jobs.models import Job

# With the drafts; older ones are in the admin.
MOST_RUNS = 40
MOST_LINES = 20


@dataclass(frozen=True)
class Run:
    """A training that was begun, with all a page says of it. `lost`: no server lists its LoRA now."""

    training: Training
    job: Job | None
    with_it: Image | None = None
    without: Image | None = None
    attached: bool = False
    lost: bool = False

    @cached_property
    def curve(self) -> Curve:
        """The loss, drawn only for the few that show it."""
        return curve(self.training.loss, self.training.steps)

    @property
    def goes_on(self) -> bool:
        """Whether it is at work. One that is retried counts from the click on, before a worker has it."""
        return not self.job.is_final if self.job else not self.training.is_final

    @property
    def proof(self) -> list[Image]:
        """The images with and without the LoRA, as far as they are still there."""
        return [image for image in (self.with_it, self.without) if image]

    @property
    def lines(self) -> list[tuple[datetime, str]]:
        """The end of the log."""
        return [(datetime.fromisoformat(at), said) for at, said in self.training.log[-MOST_LINES:]]


@dataclass(frozen=True)
class Figures:
    """A character's card: the training that goes on, and which version of the LoRA is in use."""

    running: Training | None
    version: int | None


@dataclass(frozen=True)
class Picture:
    """One picture of a draft with what speaks against it, in a word and in a sentence."""

    row: Row
    warnings: list[tuple[str, str]]

    @property
    def stem(self) -> str:
        return PurePath(self.row["file"]).stem


def section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Training section of the character page."""
    return section_context(character)


def section_context(character: Character) -> dict[str, Any]:
    latest = list(Training.objects.filter(character_id=character.pk).defer("images")[:MOST_RUNS])
    drafts = [one for one in latest if one.state == TrainingState.DRAFT]
    found = runs([one for one in latest if one not in drafts], character)
    going, ended = [run for run in found if run.goes_on], [run for run in found if not run.goes_on]
    versions = [run for run in ended if run.training.state == TrainingState.SUCCEEDED]
    failed = ended[0] if ended and ended[0] not in versions else None
    return {
        "draft": drafts[0] if drafts else None,
        "running": going,
        "failed": None if going else failed,
        "versions": versions,
        "earlier": [run for run in ended if run not in versions and (going or run is not failed)],
        "count": len(versions),
    }


def runs(trainings: Sequence[Training], character: Character) -> list[Run]:
    """All that is shown of trainings of one character, by two queries."""
    jobs = Job.objects.in_bulk([one.job_id for one in trainings])
    images = Image.objects.in_bulk([pk for one in trainings for pk in (one.image_with, one.image_without)])
    listed = catalog.known(character).loras if any(one.lora for one in trainings) else []
    lost = {lora.name for lora in listed if lora.lost}
    return [
        Run(
            one,
            jobs.get(one.job_id),
            images.get(one.image_with),
            images.get(one.image_without),
            attached=bool(one.lora) and one.lora == character.lora,
            lost=one.lora in lost,
        )
        for one in trainings
    ]


def card_parts(ids: Sequence[str]) -> dict[str, Figures]:
    """The figures of each card: two queries for a whole page."""
    begun = services.search().filter(character_id__in=ids)
    going = {one.character_id: one for one in begun.filter(state__in=OPEN).order_by("created_at")}
    used = dict(Character.objects.filter(pk__in=list(ids)).values_list("pk", "lora"))
    made = begun.filter(lora__in=[lora for lora in used.values() if lora]).exclude(version=None)
    versions = {one.character_id: one.version for one in made if used.get(one.character_id) == one.lora}
    return {pk: Figures(going.get(pk), versions.get(pk)) for pk in ids}


def pictures(draft: Training | None, resolution: int) -> list[Picture]:
    """A draft's pictures, each with what speaks against it at this size."""
    rows = draft.images if draft else []
    names = {row["n"]: row["name"] for row in rows}
    said: dict[int, list[tuple[str, str]]] = {row["n"]: [] for row in rows}
    for one in dataset.warnings(rows, resolution):
        word = f"like {names[one['of']]}" if "of" in one else one["code"]
        said[one["image"]].append((word, one["message"]))
    return [Picture(row, said[row["n"]]) for row in rows]
