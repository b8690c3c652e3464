"""A job's prompt at its server: sent once, found again after every crash, taken off when cancelled.

The job remembers it as `sent` from right before it is sent until its image is saved.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone

from characters.images import planning, storage
from characters.images.planning import Place
from influencer.clients.comfyui import ComfyUI, Event, Graph, Outcome, new_prompt_id
from influencer.clients.errors import ServiceError
from influencer.errors import Problem
from influencer.jobs import Cancelled, Wait
from influencer.jobs.context import JobContext

# How long a silent server is waited for once it has a prompt, and how often it is looked for.
PATIENCE = timedelta(minutes=10)
PAUSE = timedelta(seconds=3)
SILENCE = {"unreachable", "timeout", "too_many_requests", "sandbox_down"}


def prompt_for(job: JobContext, image_id: str) -> str:
    """The id of the prompt that makes the image: the one that may have been sent, else a new one."""
    sent = job.memo.get("sent") or {}
    return str(sent["prompt"]) if sent.get("image") == image_id else new_prompt_id()


def submit_once(job: JobContext, client: ComfyUI, graph: Graph, *, prompt_id: str, image_id: str) -> None:
    """Send the prompt; one that an earlier attempt may have sent is asked for first, never sent blindly."""
    sent = job.memo.get("sent") or {}
    again = sent.get("prompt") == prompt_id
    if again and (sent["accepted"] or _has_arrived(client, prompt_id)):
        return
    sent = {"image": image_id, "prompt": prompt_id, "accepted": False}
    if not again:
        job.remember(sent=sent)
    _submit(job, client, graph, prompt_id)
    job.remember(sent=sent | {"accepted": True})


def _has_arrived(client: ComfyUI, prompt_id: str) -> bool:
    # In this order: a prompt moves from the queue to the history in one step.
    return client.place(prompt_id) is not None or client.history(prompt_id) is not None


def _submit(job: JobContext, client: ComfyUI, graph: Graph, prompt_id: str) -> None:
    try:
        client.submit(graph, prompt_id=prompt_id, reference=job.id)
    except ServiceError as error:
        if not error.outcome_unknown:
            job.remember(sent={})
        raise


def follow(job: JobContext, client: ComfyUI, tell: Callable[[Event], None]) -> Outcome:
    """Wait for the prompt's images. Raises `ServiceError` for any other ending, `Cancelled`."""

    def cancelled() -> bool:
        # Only a person's cancel stops the server; a worker that lets go leaves it running.
        try:
            job.check_cancelled()
        except Cancelled:
            return True
        return False

    def heard(event: Event) -> None:
        if job.memo.get("down_since"):
            job.remember(down_since="")
        tell(event)

    outcome = client.follow(job.memo["sent"]["prompt"], on_event=heard, cancelled=cancelled)
    if not outcome.succeeded:
        job.check_cancelled()
    if not outcome.result():
        raise no_image()
    return outcome


def after(job: JobContext, error: Problem) -> None:
    """What follows a failure: raises `Wait` while the server is silent, else prepares a retry.

    A prompt that a server may have is waited for; without one, another server is chosen once.
    """
    if error.code == storage.UNWRITABLE:
        return  # the server has the image: a retry only fetches it
    if error.code in SILENCE and job.memo.get("sent"):
        _wait_for_server(job, error)
    elif error.code in SILENCE and job.memo.get("place") and not job.memo.get("fresh"):
        begin_anew(job)
        job.remember(fresh=True)
        raise Wait(timezone.now(), "server down", error.message) from error
    begin_anew(job)


def _wait_for_server(job: JobContext, error: Problem) -> None:
    now = timezone.now()
    since = datetime.fromisoformat(job.memo.get("down_since") or now.isoformat())
    if now - since > PATIENCE:
        return
    job.remember(down_since=since.isoformat())
    raise Wait(now + PAUSE, "server down", error.message) from error


def begin_anew(job: JobContext) -> None:
    """Have a retry choose a server and send a new prompt: this one has ended badly."""
    job.remember(sent={}, place=None, down_since="", fresh=False)


def stop(job: JobContext) -> None:
    """Take a cancelled prompt off the server, as far as it can be reached."""
    sent, place = job.memo.get("sent") or {}, job.memo.get("place")
    if sent and place:
        with suppress(Problem):
            found = planning.endpoint(Place(**place))
            with ComfyUI(found.url, headers=found.headers) as client:
                client.cancel(sent["prompt"])
    begin_anew(job)


def no_image() -> ServiceError:
    return _trouble("no_image", "ComfyUI finished without an image.", "Retry, or choose another model.")


def damaged_image() -> ServiceError:
    return _trouble("not_an_image", "ComfyUI sent a damaged image.", "Retry; it is made once more.")


def _trouble(code: str, sentence: str, fix: str) -> ServiceError:
    return ServiceError(sentence, service="ComfyUI", code=code, fix=fix, retryable=True)
