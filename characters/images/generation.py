"""Making images: from what a person asks for to files in the gallery, surviving every crash."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction

from characters.images import planning, storage, tracking
from characters.images.models import Image, new_image_id
from characters.images.planning import Place, Wish
from characters.images.storage import Making
from characters.models import Character
from influencer.clients.comfyui import (
    ComfyUI,
    Event,
    GenerationSettings,
    Outcome,
    Preview,
    Progress,
    Queued,
    build,
)
from influencer.clients.errors import ServiceError
from influencer.endpoints import Endpoint
from influencer.errors import Invalid, Unavailable
from influencer.jobs import Cancelled, services
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job

KIND = "generate_image"


def start(character: Character, wish: Wish, *, user_id: int | None = None) -> Job:
    """Queue the making of `wish.count` images; milliseconds, no network."""
    request = planning.request_of(character, wish)
    return services.start(KIND, character_id=character.pk, request=request, user_id=user_id)


@dataclass(frozen=True)
class Shot:
    """One image of a job: its number from 0, the id it will have, its seed."""

    index: int
    image_id: str
    seed: int


@dataclass(frozen=True)
class Stand:
    """What stands ready for the shots of one attempt."""

    client: ComfyUI
    settings: GenerationSettings
    count: int
    sandbox: bool


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. Each image is saved as it arrives; a later attempt goes on from there."""
    try:
        with job.step("prepare"):
            shots, place = _prepare(job)
        _make_missing(job, shots, place)
    except Cancelled:
        tracking.stop(job)
        raise
    except (ServiceError, Unavailable) as error:
        tracking.after(job, error)
        raise
    result = {"imageIds": [shot.image_id for shot in shots], "sandbox": place.sandbox}
    job.finish(result, "Made an image" if len(shots) == 1 else f"Made {len(shots)} images")
    return result


def _prepare(job: JobContext) -> tuple[list[Shot], Place]:
    """The job's images, with ids and seeds that stay the same over all attempts, and where they are made."""
    memo = job.memo
    if not memo.get("place"):
        place = planning.choose(job.request, fresh=bool(memo.get("fresh")))
        job.remember(shots=memo.get("shots") or _new_shots(job.request), place=asdict(place))
    shots = [Shot(index, image_id, seed) for index, (image_id, seed) in enumerate(job.memo["shots"])]
    return shots, Place(**job.memo["place"])


def _new_shots(request: dict[str, Any]) -> list[tuple[str, int]]:
    count, seed = request["count"], request["seed"]
    seeds = [secrets.randbelow(2**53) if seed is None else (seed + i) % 2**53 for i in range(count)]
    return [(new_image_id(), seed) for seed in seeds]


def _make_missing(job: JobContext, shots: list[Shot], place: Place) -> None:
    made = set(Image.objects.filter(pk__in=[shot.image_id for shot in shots]).values_list("pk", flat=True))
    client = _client(planning.endpoint(place))
    settings = planning.settings_of(job.request, place, client)
    stand = Stand(client, settings, len(shots), place.sandbox)
    for shot in shots:
        if shot.image_id not in made:
            _make(job, stand, shot)


_kept = threading.local()


def _client(found: Endpoint) -> ComfyUI:
    """This thread's client of a server, kept between jobs: it remembers for a minute what the server has."""
    client: ComfyUI | None = getattr(_kept, "client", None)
    if client is None or _kept.endpoint != found:
        if client is not None:
            client.close()
        client = ComfyUI(found.url, headers=found.headers)
        _kept.client, _kept.endpoint = client, found
    return client


def _make(job: JobContext, stand: Stand, shot: Shot) -> None:
    began = time.monotonic()
    with job.step("generate"):
        prompt_id = tracking.prompt_for(job, shot.image_id)
        # A file name of its own for each prompt: a server that lost a file would name it again.
        prefix = f"influencer/{shot.image_id}-{prompt_id[:8]}"
        settings = replace(stand.settings, seed=shot.seed, prefix=prefix)
        graph = stand.client.fitted(build(settings))
        tracking.submit_once(job, stand.client, graph, prompt_id=prompt_id, image_id=shot.image_id)
        outcome = tracking.follow(job, stand.client, _teller(job, shot, stand.count))
    with job.step("save"):
        seconds = outcome.seconds or time.monotonic() - began
        making = Making(
            sandbox=stand.sandbox,
            recipe=recipe_of(settings),
            workflow=graph,
            duration_ms=round(seconds * 1000),
            job_id=job.id,
        )
        _save(job, stand.client, outcome, _Wanted(shot.image_id, making))


def _teller(job: JobContext, shot: Shot, count: int) -> Callable[[Event], None]:
    """Shows what happens to whoever watches the job."""
    which = f"Image {shot.index + 1} of {count} · " if count > 1 else ""

    def tell(event: Event) -> None:
        match event:
            case Queued(position):
                job.progress(shot.index / count, f"{which}Queued at {position}")
            case Progress(step, steps, _):
                fraction = (shot.index + step / max(steps, 1)) / count
                job.progress(fraction, f"{which}Step {step} of {steps}")
            case Preview(jpeg):
                job.preview(jpeg)

    return tell


@dataclass(frozen=True)
class _Wanted:
    image_id: str
    making: Making


def _save(job: JobContext, client: ComfyUI, outcome: Outcome, wanted: _Wanted) -> None:
    """Files first, then the row and the job's memory of the prompt together."""
    content = client.fetch(outcome.images[0])
    try:
        image = storage.write_files(
            wanted.image_id, character_id=job.character_id, content=content, making=wanted.making
        )
    except Invalid as error:
        raise tracking.damaged_image() from error
    prompt_id = job.memo["sent"]["prompt"]
    with transaction.atomic():
        storage.record(image)
        job.remember(sent={}, down_since="")
    with suppress(ServiceError):  # the server keeps whole graphs in memory; ours is saved
        client.delete_history(prompt_id)


def recipe_of(settings: GenerationSettings) -> dict[str, Any]:
    """What is needed to make the image again, and nothing that is not its own."""
    left_out = {"count", "prefix", "parts"}
    return {name: value for name, value in asdict(settings).items() if name not in left_out}
