"""Captions: asked of the writer, kept with the prompt they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from characters import services as characters
from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import Ask, Chapter, Persona, Written
from influencer.errors import Invalid
from prompts import asking, library, pen, services
from prompts.models import Prompt


@dataclass(frozen=True)
class Wish:
    """What a caption is wanted for. None and "" mean: as the character has it.

    `narrative` is a chapter, or the id or title of one of the character's; without it the chapter
    of today counts.
    """

    platform: Platform = Platform.INSTAGRAM
    narrative: Chapter | str | None = None
    image_id: str = ""
    tone: str = ""
    language: str = ""


PLAIN = Wish()


def write(character: Character, scene: str, wish: Wish = PLAIN, *, but: str = "") -> Written:
    """A caption for a picture of this scene; at most 30 s. Raises `NotFound`, `WriterError`.

    `but` is the id of a prompt whose own caption may come again.
    """
    ask = Ask(
        asking.persona(character),
        asking.today(character),
        chapters=_chapters(character, wish.narrative),
        scene=scene,
        image=_picture(wish.image_id, character.pk),
        recent=asking.recent_captions(character.pk, but=but),
        **_common(wish),
    )
    return _asked(ask)


def write_for_stranger(persona: Persona, scene: str, wish: Wish) -> Written:
    """The same for a character that is only described. Raises `Invalid`, `WriterError`."""
    if isinstance(wish.narrative, str) and wish.narrative:
        raise Invalid("Send the narrative as an object: the character is not one of the library's.")
    told = (wish.narrative,) if isinstance(wish.narrative, Chapter) else ()
    image = _picture(wish.image_id, "")
    return _asked(Ask(persona, asking.today(None), chapters=told, scene=scene, image=image, **_common(wish)))


def write_for(pk: str, wish: Wish = PLAIN) -> tuple[Prompt, Written]:
    """Write a prompt's caption and alt text and keep them with it; at most 30 s.

    Raises `NotFound`, also when the prompt goes meanwhile; `WriterError`: then nothing has changed.
    """
    prompt = services.get(pk)
    character = characters.get(prompt.character_id)
    written = write(character, prompt.prompt, _filled(wish, prompt, character), but=prompt.pk)
    return keep(pk, written, wish.platform), written


def keep(pk: str, written: Written, platform: Platform) -> Prompt:
    """Put what was written into the prompt: the common caption is Instagram's, X gets its own."""

    def change(record: Prompt) -> None:
        if platform is Platform.X:
            record.x_caption = written.caption
        else:
            record.instagram_caption = ""
        if platform is Platform.INSTAGRAM or not record.caption:
            record.caption, record.caption_source = written.caption, pen.source_of(written.writer)
        record.alt_text = written.alt_text or record.alt_text

    kept: Prompt = Prompt.objects.change(pk, change)
    return kept


def _filled(wish: Wish, prompt: Prompt, character: Character) -> Wish:
    """The wish with the prompt's own picture and chapter, where it names none."""
    image = library.image_of(prompt, character) if not wish.image_id else None
    narrative = wish.narrative
    if not narrative and character.narratives.filter(pk=prompt.narrative_id).exists():
        narrative = prompt.narrative_id
    return Wish(wish.platform, narrative, image.pk if image else wish.image_id, wish.tone, wish.language)


def _common(wish: Wish) -> dict[str, Any]:
    return {
        "platform": wish.platform,
        "tone": wish.tone,
        "language": wish.language,
        "seed": asking.new_seed(),
    }


def _chapters(character: Character, narrative: Chapter | str | None) -> tuple[Chapter, ...]:
    if not narrative:
        return asking.chapters(character)
    if isinstance(narrative, Chapter):
        return (narrative,)
    return (asking.chapter_named(character, narrative),)


def _picture(image_id: str, character_id: str) -> bytes | None:
    """The picture itself; one whose file is gone is done without."""
    if not image_id:
        return None
    image: Image = images.get(image_id, character_id=character_id)
    try:
        return image.path.read_bytes()
    except OSError:
        return None


def _asked(ask: Ask) -> Written:
    _let_go()
    return pen.writer().write_caption(ask)


def _let_go() -> None:
    """Hold no connection while the writer thinks; inside a transaction there is none to let go."""
    if not connection.in_atomic_block:
        connection.close()
