"""Making images: from what a person asks for to files in the gallery, surviving every crash."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from characters.images import planning, storage
from characters.images.models import Image, new_image_id
from characters.images.planning import Place, Wish
from characters.images.storage import Making
from characters.models import Character
from influencer.clients.comfyui import (
    ComfyUI,
    Event,
    GenerationSettings,
    Graph,
    Outcome,
    Preview,
    Progress,
    Queued,
    build,
    new_prompt_id,
)
from influencer.clients.errors import ServiceError
from influencer.jobs import Cancelled, Wait, services
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job

KIND = "generate_image"
SERVER_DOWN_PATIENCE = timedelta(minutes=10)
SERVER_DOWN_PAUSE = timedelta(seconds=5)
ASK_AGAIN = timedelta(seconds=2)


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
    shots: list[Shot]
    sandbox: bool

    def settings_of(self, shot: Shot) -> GenerationSettings:
        return replace(self.settings, seed=shot.seed, prefix=f"influencer/{shot.image_id}")


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. Each image is saved as it arrives; a later attempt goes on from there."""
    try:
        with job.step("prepare"):
            shots, place = _shots(job), _place(job)
        found = planning.endpoint(place)
        with ComfyUI(found.url, headers=found.headers) as client:
            settings = planning.settings_of(job.request, place, client)
            stand = Stand(client, settings, shots, place.sandbox)
            for shot in shots:
                if not Image.objects.filter(pk=shot.image_id).exists():
                    _make(job, stand, shot)
    except Cancelled:
        _stop_on_server(job)
        raise
    return {"imageIds": [shot.image_id for shot in shots], "sandbox": place.sandbox}


def _shots(job: JobContext) -> list[Shot]:
    """The job's images, with ids and seeds that stay the same over all attempts."""
    if "shots" not in job.memo:
        count, seed = job.request["count"], job.request["seed"]
        seeds = [secrets.randbelow(2**53) if seed is None else (seed + i) % 2**53 for i in range(count)]
        job.remember(shots=[[new_image_id(), seed] for seed in seeds])
    return [Shot(index, image_id, seed) for index, (image_id, seed) in enumerate(job.memo["shots"])]


def _place(job: JobContext) -> Place:
    if not job.memo.get("place"):
        job.remember(place=asdict(planning.choose(job.request)))
    return Place(**job.memo["place"])


def _make(job: JobContext, stand: Stand, shot: Shot) -> None:
    graph = stand.client.fitted(build(stand.settings_of(shot)))
    began = time.monotonic()
    with job.step("generate"):
        prompt_id = _submit_once(job, stand.client, graph, shot)
        outcome = _follow(job, stand, shot, prompt_id)
    with job.step("save"):
        seconds = outcome.seconds or time.monotonic() - began
        _save(job, stand, shot, _Made(outcome, graph, round(seconds * 1000)))


def _submit_once(job: JobContext, client: ComfyUI, graph: Graph, shot: Shot) -> str:
    """The prompt's id, stored before it is sent; one that has arrived is never sent again."""
    sent = job.memo.get("sent") or {}
    if sent.get("image") != shot.image_id:
        sent = {"image": shot.image_id, "prompt": new_prompt_id(), "accepted": False}
        job.remember(sent=sent)
    elif not sent["accepted"]:
        arrived = client.submitted(sent["prompt"])
        if arrived is None:
            raise Wait(timezone.now() + ASK_AGAIN, "server down", "ComfyUI does not answer")
        sent = sent | {"accepted": arrived}
    if not sent["accepted"]:
        _submit(job, client, graph, sent["prompt"])
        job.remember(sent=sent | {"accepted": True})
    return str(sent["prompt"])


def _submit(job: JobContext, client: ComfyUI, graph: Graph, prompt_id: str) -> None:
    try:
        client.submit(graph, prompt_id=prompt_id, reference=job.id)
    except ServiceError as error:
        if error.outcome_unknown:
            raise Wait(timezone.now() + ASK_AGAIN, "following", "Asking whether ComfyUI has it") from error
        _begin_anew(job)
        raise


def _follow(job: JobContext, stand: Stand, shot: Shot, prompt_id: str) -> Outcome:
    def cancelled() -> bool:
        # Only a person's cancel stops the server; a worker that lets go leaves it running.
        try:
            job.check_cancelled()
        except Cancelled:
            return True
        return False

    def tell(event: Event) -> None:
        _tell(job, event, shot.index, len(stand.shots))

    try:
        outcome = stand.client.follow(prompt_id, on_event=tell, cancelled=cancelled)
    except ServiceError as error:
        _wait_for_server(job, error)
        raise
    if not outcome.succeeded or not outcome.images:
        job.check_cancelled()
        _begin_anew(job)
        outcome.result()
        raise _no_image()
    return outcome


def _tell(job: JobContext, event: Event, index: int, count: int) -> None:
    """Show an event to whoever watches the job."""
    which = f"Image {index + 1} of {count} · " if count > 1 else ""
    match event:
        case Queued(position):
            job.progress(index / count, f"{which}Queued at {position}")
        case Progress(step, steps, _):
            job.progress((index + step / max(steps, 1)) / count, f"{which}Step {step} of {steps}")
        case Preview(jpeg):
            job.preview(jpeg)


def _wait_for_server(job: JobContext, error: ServiceError) -> None:
    """Lay the job aside while the server is silent, for ten minutes; then let the error pass."""
    now = timezone.now()
    since = datetime.fromisoformat(job.memo.get("down_since") or now.isoformat())
    if not error.retryable or now - since > SERVER_DOWN_PATIENCE:
        _begin_anew(job)
        return
    job.remember(down_since=since.isoformat())
    raise Wait(now + SERVER_DOWN_PAUSE, "server down", error.message) from error


@dataclass(frozen=True)
class _Made:
    outcome: Outcome
    graph: Graph
    duration_ms: int


def _save(job: JobContext, stand: Stand, shot: Shot, made: _Made) -> None:
    prompt_id = job.memo["sent"]["prompt"]
    content = stand.client.fetch(made.outcome.images[0])
    making = Making(
        sandbox=stand.sandbox,
        recipe=recipe_of(stand.settings_of(shot)),
        workflow=made.graph,
        duration_ms=made.duration_ms,
        job_id=job.id,
    )
    with transaction.atomic():
        storage.store(shot.image_id, character_id=job.character_id, content=content, making=making)
        job.remember(sent={}, down_since="")
    _forget_on_server(stand.client, prompt_id)


def _forget_on_server(client: ComfyUI, prompt_id: str) -> None:
    """The server keeps whole graphs in memory; ours is saved."""
    with suppress(ServiceError):
        client.delete_history(prompt_id)


def recipe_of(settings: GenerationSettings) -> dict[str, Any]:
    """What is needed to make the image again, and nothing that is not its own."""
    left_out = {"count", "prefix", "parts"}
    return {name: value for name, value in asdict(settings).items() if name not in left_out}


def _begin_anew(job: JobContext) -> None:
    """Have a retry choose a server and send a new prompt: this one has ended badly."""
    job.remember(sent={}, place=None, down_since="")


def _stop_on_server(job: JobContext) -> None:
    """Take a cancelled prompt off the server, as far as it can be reached."""
    sent, place = job.memo.get("sent") or {}, job.memo.get("place")
    if not sent or not place:
        return
    try:
        found = planning.endpoint(Place(**place))
        with ComfyUI(found.url, headers=found.headers) as client:
            client.cancel(sent["prompt"])
    except ServiceError:
        pass  # nobody left to tell; the job is cancelled all the same


def _no_image() -> ServiceError:
    return ServiceError(
        "ComfyUI finished without an image. Retry, or choose another model.",
        service="ComfyUI",
        code="no_image",
        fix="Retry, or choose another model.",
        retryable=True,
    )
