"""What a run is about: its prompt from text, library or story, and the words that go with the image."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from datetime import date, timedelta

from django.utils import timezone

from characters.models import Character, Narrative
from characters.publishing import posting
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.interface import Ask, Written
from influencer.errors import Conflict, NotFound
from influencer.jobs import Wait
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import Reason
from influencer.jobs.models import OPEN, Job
from prompts import asking, captions, claiming, pen
from prompts.models import Prompt
from scheduling.recipe import PromptSource, Recipe

log = logging.getLogger(__name__)

MOST_WAITS, FIRST_WAIT, LONGEST_WAIT = 3, 30, 3600
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def choose(job: JobContext, character: Character, recipe: Recipe) -> None:
    """Settle the run's prompt and remember it: text, and which of the library it is.

    Raises `Conflict` (`no_unused_prompt`, `no_narrative`).
    """
    if recipe.source == PromptSource.LIBRARY:
        taken = _take_from_library(job, character)
        job.remember(prompt=taken.prompt, prompt_id=taken.pk)
    elif recipe.source == PromptSource.NARRATIVE:
        job.remember(prompt=_fresh_scene(character))
    else:
        job.remember(prompt=recipe.prompt)


def keep(job: JobContext) -> None:
    """Make sure the run still has the prompt it took: a retry may come after it was given back.

    Raises `Conflict` (`prompt_taken`). A prompt that was deleted meanwhile is no loss.
    """

    def take(prompt: Prompt) -> None:
        if not prompt.is_free:
            raise Conflict(
                "Another run has taken this prompt meanwhile. Run the task again.", code="prompt_taken"
            )
        prompt.used_by = job.id

    prompt_id = job.memo.get("prompt_id")
    prompt = Prompt.objects.filter(pk=prompt_id).first() if prompt_id else None
    if prompt is not None and prompt.used_by != job.id:
        with suppress(NotFound):
            Prompt.objects.change(prompt.pk, take)


def write_captions(job: JobContext, character: Character, recipe: Recipe) -> None:
    """Settle and remember what is said on each platform, and what the image shows in words.

    Raises `Invalid` for what a platform would refuse.
    """
    prompt = Prompt.objects.filter(pk=job.memo.get("prompt_id") or "").first()
    alt_text = recipe.alt_text or (prompt.alt_text if prompt else "")
    said: dict[str, str] = job.memo.get("captions") or {}
    for platform in recipe.platforms:
        if platform not in said:
            text = recipe.caption or (prompt.caption_for(platform) if prompt else "")
            if not text and recipe.write_caption:
                written = _written(job, character, platform)
                text, alt_text = written.caption, alt_text or written.alt_text
            said = {**said, str(platform): text}
            job.remember(captions=said, alt_text=alt_text)
        posting.check_caption(Intention(platform, said[platform], job.memo["alt_text"]))


def scene_of(chapter: Narrative, day: date) -> str:
    """A scene of the chapter, composed without AI: each day the next sentence of its story."""
    beats = [beat.strip() for beat in _SENTENCE.split(chapter.description.strip()) if beat.strip()]
    return beats[day.toordinal() % len(beats)] if beats else chapter.title


def _fresh_scene(character: Character) -> str:
    """A scene of the current chapter by the writer; by a silent one's leave, a sentence of the story."""
    chapter = _chapter(character)
    told = tuple(one for one in asking.chapters(character) if one.id == chapter.pk)
    ask = Ask(
        asking.persona(character),
        character.today,
        chapters=told,
        recent=asking.recent_prompts(character.pk),
        seed=asking.new_seed(),
    )
    try:
        scenes = pen.writer().write_scenes(ask).scenes
    except WriterError as error:
        log.warning("a scene is composed from the story: %s", error.code)
        scenes = ()
    return scenes[0].prompt if scenes else scene_of(chapter, character.today)


def _written(job: JobContext, character: Character, platform: Platform) -> Written:
    """A caption by the writer, who sees the image. Raises `WriterError`."""
    images = job.memo.get("image_ids") or [""]
    wish = captions.Wish(platform=platform, image_id=images[0])
    scene, but = job.memo.get("prompt") or "", job.memo.get("prompt_id") or ""
    try:
        return captions.write(character, scene, wish, but=but)
    except WriterError as error:
        _wait_for_writer(job, error)
        raise


def _wait_for_writer(job: JobContext, error: WriterError) -> None:
    """Raise `Wait` where the writer may do better in a while; at most so often."""
    waits = job.memo.get("waits", 0)
    if not error.retryable or waits >= MOST_WAITS:
        return
    job.remember(waits=waits + 1)
    pause = timedelta(seconds=min(error.retry_after or FIRST_WAIT * 2**waits, LONGEST_WAIT))
    reason: Reason = "rate limit" if error.http_status == 429 else "backoff"
    raise Wait(timezone.now() + pause, reason, error.message) from error


def _take_from_library(job: JobContext, character: Character) -> Prompt:
    _give_back_for_the_dead(character)
    taken = claiming.claim(character.pk, job_id=job.id)
    if taken is None:
        raise Conflict(
            f"{character.name} has no unused prompt left. Add some under Prompts.", code="no_unused_prompt"
        )
    return taken


def _give_back_for_the_dead(character: Character) -> None:
    """A job gives its prompt back when it ends; one whose process died just then could not."""
    held = Prompt.objects.filter(character_id=character.pk, used=False).exclude(used_by="")
    holders = set(held.values_list("used_by", flat=True))
    alive = Job.objects.filter(pk__in=list(holders), state__in=OPEN).values_list("pk", flat=True)
    for job_id in holders - set(alive):
        claiming.release(job_id)


def _chapter(character: Character) -> Narrative:
    chapter = character.current_narrative(character.today)
    if chapter is None:
        raise Conflict(
            f"No chapter of {character.name}'s story holds today. Add one, or choose another prompt source.",
            code="no_narrative",
        )
    return chapter
