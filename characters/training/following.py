"""A training at its server: sent once, looked at every few seconds, no worker held in between."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NoReturn

from django.utils import timezone

from characters.training.models import Training, TrainingState
from characters.training.sending import SENT, Desk
from influencer.clients.comfyui import Ending, Graph, build_training, new_prompt_id, training
from influencer.clients.comfyui.training import Look
from influencer.clients.errors import ServiceError
from influencer.jobs import Cancelled, Wait, wording
from influencer.jobs.context import JobContext

LOOK_AGAIN = timedelta(seconds=2)
# A training of hours need not be looked at as often as one of minutes.
LOOK_RARELY = timedelta(seconds=5)
YOUNG = timedelta(minutes=10)
# Nowhere for so long while the server answers: lost.
LOST_AFTER = timedelta(seconds=5)
STALLED_AFTER = timedelta(minutes=15)
TRAINED = 0.9
MOST_POINTS = 400


def train(desk: Desk) -> str:
    """The name of the trained LoRA, as the server lists it; raises `Wait` while it is not there.

    Raises `ServiceError` for a training that ended badly, `Cancelled` for one stopped on the server.
    """
    _submit(desk)
    seen = training.look(
        desk.client,
        desk.training.prompt_id,
        steps=desk.training.steps,
        mark=desk.job.memo.get("mark") or "",
    )
    desk.job.remember(mark=seen.mark, down_since="")
    _draw(desk.training, seen)
    if seen.outcome is None and seen.place is None:
        return _absent(desk)
    desk.job.remember(absent_since="")
    if seen.diverged:
        _stop(desk, seen)
    if seen.outcome is not None:
        return _result(desk, seen)
    _wait(desk, seen)


def stop(job: JobContext, desk: Desk) -> None:
    """Take a cancelled training off its server, whatever it is doing there. Raises `ServiceError`."""
    if sent := job.memo.get("sent"):
        desk.client.cancel(sent["prompt"])


def _submit(desk: Desk) -> None:
    """Hand the graph over, once. Its id is stored before; one that may have been sent is asked for first."""
    job, row = desk.job, desk.training
    sent = job.memo.get("sent") or {}
    if sent.get("accepted"):
        return
    if not sent:
        graph = desk.client.fitted(build_training(desk.settings()))
        sent = {"prompt": new_prompt_id(), "accepted": False}
        job.remember(sent=sent, mark=training.console_mark(desk.client))
        _send(desk, graph)
    elif not _has_arrived(desk, sent["prompt"]):
        _send(desk, desk.client.fitted(build_training(desk.settings())))
    job.remember(sent={**sent, "accepted": True})
    row.prompt_id = sent["prompt"]
    row.note(f"Handed over to {row.server}")
    row.save(update_fields=["prompt_id", "log"])


def _send(desk: Desk, graph: Graph) -> None:
    try:
        desk.client.submit(graph, prompt_id=desk.job.memo["sent"]["prompt"], reference=desk.job.id)
    except ServiceError as error:
        if not error.outcome_unknown:
            desk.job.remember(sent={})
        raise


def _has_arrived(desk: Desk, prompt_id: str) -> bool:
    """Whether the server has it, or had it and finished it before it forgot."""
    client = desk.client
    # In this order: a prompt moves from the queue to the history in one step.
    known = client.place(prompt_id) is not None or client.history(prompt_id) is not None
    return known or bool(training.find_lora(client, desk.names.prefix))


def _result(desk: Desk, seen: Look) -> str:
    outcome = seen.outcome
    assert outcome is not None
    if outcome.ending is Ending.INTERRUPTED and outcome.error is not None:
        _interrupted(desk, outcome.error)
    if outcome.error is not None:
        raise outcome.error
    _enter(desk.training, TrainingState.SAVING, f"All {desk.training.steps} steps are done")
    lora = training.find_lora(desk.client, desk.names.prefix)
    if not lora:
        raise training.without_file()
    return lora


def _absent(desk: Desk) -> str:
    """Neither waiting nor running nor ended: a restarted server has forgotten it, finished or not."""
    if lora := training.find_lora(desk.client, desk.names.prefix):
        return lora
    now = timezone.now()
    since = datetime.fromisoformat(desk.job.memo.get("absent_since") or now.isoformat())
    if now - since > LOST_AFTER:
        raise training.lost()
    desk.job.remember(absent_since=since.isoformat())
    raise Wait(now + LOOK_AGAIN, "following", "Looking for the training on the server")


def _interrupted(desk: Desk, error: ServiceError) -> NoReturn:
    """Someone stopped it on the server: that is a cancel, not a failure."""
    desk.training.error = {
        "step": "train",
        "service": error.service,
        "code": error.code,
        "message": error.message,
        "fix": error.fix,
        "retryable": True,
    }
    desk.training.note(error.message)
    desk.training.save(update_fields=["error", "log"])
    raise Cancelled


def _stop(desk: Desk, seen: Look) -> NoReturn:
    with suppress(ServiceError):
        desk.client.cancel(desk.training.prompt_id)
    raise training.diverged(seen.loss[-1][0], desk.training.learning_rate)


def _wait(desk: Desk, seen: Look) -> NoReturn:
    now = timezone.now()
    if seen.place is not None and not seen.place.running:
        raise Wait(now + LOOK_AGAIN, "following", f"Queued at {seen.place.position} on the server")
    begun = _begun_at(desk.training, now)
    words = _tell(desk, seen.step, now)
    raise Wait(now + (LOOK_AGAIN if now - begun < YOUNG else LOOK_RARELY), "following", words)


def _begun_at(row: Training, now: datetime) -> datetime:
    """When the server began; noted at the first look that sees it running."""
    if row.state != TrainingState.RUNNING:
        row.started_at = now
        row.save(update_fields=["started_at"])
        _enter(row, TrainingState.RUNNING, "The server has begun")
    return row.started_at or now


def _tell(desk: Desk, step: int, now: datetime) -> str:
    """Step, time left, and when nothing moves that too."""
    row, job = desk.training, desk.job
    if step > row.step:
        job.remember(moved_at=now.isoformat(), first=job.memo.get("first") or [step, now.isoformat()])
        row.step, row.seconds_left = step, _left(job, row.steps, step)
        row.save(update_fields=["step", "seconds_left"])
    elif not job.memo.get("moved_at"):
        job.remember(moved_at=now.isoformat())
    words = f"Step {row.step} of {row.steps}" if row.step else "Preparing the images on the server"
    job.progress(SENT + (TRAINED - SENT) * row.step / row.steps, words)
    still = now - datetime.fromisoformat(job.memo["moved_at"])
    if still > STALLED_AFTER:
        return f"{words} · nothing new for {wording.duration(still.total_seconds())}"
    left = wording.duration(row.seconds_left)
    return f"{words} · {left} left" if left and row.step else words


def _left(job: JobContext, steps: int, step: int) -> int | None:
    """Seconds to go at the pace since the first step that was seen."""
    first, at = job.memo["first"]
    seconds = (timezone.now() - datetime.fromisoformat(at)).total_seconds()
    return round(seconds * (steps - step) / (step - first)) if step > first else None


def _draw(row: Training, seen: Look) -> None:
    """Put new points of the loss into the curve, which is thinned out when it grows long."""
    last = row.loss[-1][0] if row.loss else 0
    new = [[step, round(value, 6)] for step, value in seen.loss if step > last and value == value]
    if not new:
        return
    row.loss = [*row.loss, *new]
    while len(row.loss) > MOST_POINTS:
        row.loss = [*row.loss[:-1:2], row.loss[-1]]
    row.save(update_fields=["loss"])


def _enter(row: Training, state: TrainingState, sentence: str) -> None:
    if row.state != state:
        row.state = state
        row.note(sentence)
        row.save(update_fields=["state", "log"])
