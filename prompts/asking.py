"""From the records to what a writer is asked: who speaks, the story, what was said lately."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from characters.models import Character, Narrative
from characters.publishing.models import Post
from influencer.clients.writers.interface import Chapter, Persona
from influencer.errors import Invalid, NotFound
from influencer.jsondb.values import read_moment
from prompts.models import Prompt

RECENT = 20
TEXTS = ("name", "personality", "backstory", "voice", "language", "triggerWord")


def persona(character: Character) -> Persona:
    return Persona(
        name=character.name,
        personality=character.personality,
        backstory=character.backstory,
        voice=character.voice,
        language=character.language,
        look=character.base_prompt,
        trigger_word=character.trigger_word,
    )


def persona_of(given: Mapping[str, Any]) -> Persona:
    """A character as a request describes it, in the keys of the API. Raises `Invalid`."""
    settings = given.get("promptSettings")
    look = settings.get("basePrompt", "") if isinstance(settings, dict) else ""
    texts = {key: given.get(key) or "" for key in TEXTS} | {"look": look or ""}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    if wrong or not texts["name"]:
        key = wrong[0] if wrong else "name"
        message = "This must be text." if wrong else "This is required."
        raise Invalid(f"character.{key}: {message}", fields={f"character.{key}": [message]})
    return Persona(**{"trigger_word" if key == "triggerWord" else key: text for key, text in texts.items()})


def chapters(character: Character) -> tuple[Chapter, ...]:
    return tuple(map(chapter, character.narratives.all()))


def chapter(narrative: Narrative) -> Chapter:
    return Chapter(
        narrative.title, narrative.description, narrative.start_date, narrative.end_date, narrative.pk
    )


def chapter_named(character: Character, name: str) -> Chapter:
    """The chapter of that id or title. Raises `NotFound`."""
    told = chapters(character)
    for one in told:
        if one.id == name:
            return one
    for one in told:
        if one.title.casefold() == name.strip().casefold():
            return one
    raise NotFound(f"{character.name} has no chapter {name}.")


def chapter_of(given: Mapping[str, Any]) -> Chapter:
    """A chapter as a request describes it, in the keys of the API. Raises `Invalid`."""
    texts = {key: given.get(key) or "" for key in ("title", "description", "id")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise Invalid(
                f"narrative.{key} must be text.", fields={f"narrative.{key}": ["This must be text."]}
            )
    first, last = _day(given, "startDate"), _day(given, "endDate")
    return Chapter(texts["title"], texts["description"], first, last, texts["id"])


def _day(given: Mapping[str, Any], key: str) -> date | None:
    try:
        moment = read_moment(given.get(key))
    except (TypeError, ValueError, OverflowError, OSError):
        raise Invalid(
            f"narrative.{key} must be a day.", fields={f"narrative.{key}": ["This must be a day."]}
        ) from None
    return moment.date() if isinstance(moment, datetime) else None


def today(character: Character | None) -> date:
    return character.today if character else timezone.localdate()


def recent_captions(character_id: str, *, but: str = "") -> tuple[str, ...]:
    """What was posted and written lately, so that it is not said again; without prompt `but`'s own."""
    posted = Post.objects.filter(character_id=character_id).exclude(caption="")
    written = Prompt.objects.filter(character_id=character_id).exclude(pk=but).exclude(caption="")
    texts = [
        *posted.values_list("caption", flat=True)[:RECENT],
        *written.values_list("caption", flat=True)[:RECENT],
    ]
    return tuple(dict.fromkeys(texts))[:RECENT]


def recent_prompts(character_id: str, *, most: int = 200) -> tuple[str, ...]:
    """The newest prompts of a character."""
    found = Prompt.objects.filter(character_id=character_id).values_list("prompt", flat=True)
    return tuple(found[:most])


def new_seed() -> int:
    return secrets.randbelow(1_000_000)
