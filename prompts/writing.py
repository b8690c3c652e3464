"""Writing many prompts for a character: a job that keeps each as it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from influencer import jsondb
from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.interface import MOST_SCENES, Ask, Scene, WrittenScenes
from influencer.errors import Invalid
from influencer.jobs import Wait, services
from influencer.jobs.context import JobContext
from influencer.jobs.models import OPEN, Job
from influencer.jsondb.ids import new_id
from prompts import asking, pen
from prompts.models import Prompt

KIND = "write_prompts"
# Answers that brought too little, and waits for a service that asked for patience, before it is enough.
MOST_SHORT, MOST_WAITS = 3, 5
LONGEST_WAIT = 3600


def start(
    character: Character, *, count: int, narrative: str = "", wish: str = "", user_id: int | None = None
) -> Job:
    """Queue the writing of 1 to 50 prompts; milliseconds, no network.

    `narrative` is a chapter's id or title; without it all that is not over is told.
    Raises `Invalid`, `NotFound`.
    """
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_SCENES:
        message = f"This must be a number from 1 to {MOST_SCENES}."
        raise Invalid(f"count must be a number from 1 to {MOST_SCENES}.", fields={"count": [message]})
    chapter = asking.chapter_named(character, narrative).id if narrative else ""
    request = {"count": count, "narrative_id": chapter, "wish": wish, "seed": asking.new_seed()}
    return services.start(KIND, character_id=character.pk, request=request, user_id=user_id)


def open_jobs() -> list[Job]:
    """Those at work or waiting, the newest first."""
    return list(Job.objects.filter(kind=KIND, state__in=OPEN))


def run(job: JobContext) -> None:
    """The worker's part. What is written stays, however it ends; a later attempt goes on from there."""
    count: int = job.request["count"]
    if "ids" not in job.memo:
        job.remember(ids=[new_id(Prompt.Store.prefix) for _ in range(count)], made=0, short=0)
    with job.step("write"):
        while job.memo["made"] < count and job.memo["short"] < MOST_SHORT:
            job.check_cancelled()
            job.progress(job.memo["made"] / count, f"Prompt {job.memo['made'] + 1} of {count}")
            _write_some(job, count)
    made: int = job.memo["made"]
    said = f"Wrote {made} prompt{'' if made == 1 else 's'}"
    message = said if made == count else f"{said} of {count}: the others repeated something"
    job.finish({"promptIds": job.memo["ids"][:made]}, message)


def _write_some(job: JobContext, count: int) -> None:
    """One answer of the writer, kept before the next is asked for."""
    character = characters.get(job.character_id)
    made, writer = job.memo["made"], pen.writer()
    ask = _ask(job, character, first=made, count=min(writer.at_once, count - made))
    try:
        written = writer.write_scenes(ask)
    except WriterError as error:
        _wait_or_fail(job, error)
        raise
    _keep(job, character, written, ids=job.memo["ids"][made : made + len(written.scenes)])
    short = job.memo["short"] + (len(written.scenes) < ask.count)
    job.remember(made=made + len(written.scenes), short=short)


def _ask(job: JobContext, character: Character, *, first: int, count: int) -> Ask:
    chapter, wish = job.request["narrative_id"], job.request["wish"]
    told = asking.chapters(character)
    chosen = tuple(one for one in told if one.id == chapter)
    return Ask(
        asking.persona(character),
        character.today,
        chapters=chosen or told,
        scene=wish,
        recent=asking.recent_prompts(character.pk),
        count=count,
        first=first,
        total=job.request["count"],
        seed=job.request["seed"] + job.memo["short"],
    )


def _keep(job: JobContext, character: Character, written: WrittenScenes, *, ids: Sequence[str]) -> None:
    """All of one answer in one write. What an attempt that died has kept already is left as it is."""
    with jsondb.batch():
        there = set(Prompt.objects.filter(pk__in=list(ids)).values_list("pk", flat=True))
        for pk, scene in zip(ids, written.scenes, strict=True):
            if pk not in there:
                _prompt(pk, scene, character, written.writer).save(force_insert=True)


def _prompt(pk: str, scene: Scene, character: Character, writer: str) -> Prompt:
    return Prompt(
        id=pk,
        character_id=character.pk,
        character_name=character.name,
        prompt=scene.prompt,
        narrative_id=scene.chapter_id,
        source=pen.source_of(writer),
    )


def _wait_or_fail(job: JobContext, error: WriterError) -> None:
    """Come back later when the service says when; raises `Wait` then."""
    waits = job.memo.get("waits", 0)
    if not error.retryable or waits >= MOST_WAITS:
        return
    seconds = min(error.retry_after or 30 * 2**waits, LONGEST_WAIT)
    job.remember(waits=waits + 1)
    limited = error.http_status == 429
    until = timezone.now() + timedelta(seconds=seconds)
    local = timezone.localtime(until)
    message = f"{error.message} It will be tried again at {local:%H:%M}."
    raise Wait(until, "rate limit" if limited else "backoff", message) from error


def link(job: Job) -> tuple[str, str]:
    """Where its prompts are."""
    return "See the prompts", f"{reverse('prompts:list')}?{urlencode({'character': job.character_id})}"
