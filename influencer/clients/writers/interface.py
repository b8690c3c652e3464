"""What a writer is asked and what it answers, with or without AI behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from influencer.clients.platform import Platform
from influencer.errors import Invalid

MOST_SCENES = 50


@dataclass(frozen=True)
class Persona:
    """Who speaks. `look` is the base prompt, which every picture's prompt gets anyway."""

    name: str
    personality: str = ""
    backstory: str = ""
    voice: str = ""
    language: str = ""
    look: str = ""
    trigger_word: str = ""


@dataclass(frozen=True)
class Chapter:
    """A part of the story and the days it covers; a missing day leaves that end open."""

    title: str
    description: str = ""
    first_day: date | None = None
    last_day: date | None = None
    id: str = ""

    def holds(self, day: date) -> bool:
        begun = self.first_day is None or self.first_day <= day
        return begun and not self.is_over(day)

    def is_over(self, day: date) -> bool:
        return self.last_day is not None and self.last_day < day


@dataclass(frozen=True)
class Ask:
    """One wish to a writer.

    For a caption: `scene` is the picture's prompt, `image` the picture itself (PNG, JPEG or WebP),
    and of `chapters` the one that holds `today` counts. For prompts: `count` scenes, spread over
    `chapters`; a longer list asked for in several parts says in `first` how many came before and
    in `total` how many it will be. `recent` are texts not to repeat. The same `seed` brings the
    same templates. Raises `Invalid` for numbers out of range.
    """

    persona: Persona
    today: date
    chapters: tuple[Chapter, ...] = ()
    platform: Platform = Platform.INSTAGRAM
    scene: str = ""
    image: bytes | None = field(default=None, repr=False)
    tone: str = ""
    language: str = ""
    recent: tuple[str, ...] = ()
    count: int = 1
    first: int = 0
    total: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.first < 0 or self.first + self.count > MOST_SCENES:
            raise Invalid(f"Between 1 and {MOST_SCENES} prompts can be written at once.", code="bad_count")

    @property
    def tongue(self) -> str:
        """The language to write in, as a person named it."""
        return self.language.strip() or self.persona.language.strip() or "English"


@dataclass(frozen=True)
class Written:
    """A caption that fits its platform, `hashtags` (without #) already in it.

    `tokens` were used for it; `note` is for the person who reads it, "" when there is nothing to say.
    """

    caption: str
    alt_text: str
    hashtags: tuple[str, ...]
    writer: str
    model: str = ""
    tokens: int = 0
    note: str = ""


@dataclass(frozen=True)
class Scene:
    """One prompt for a picture, and the chapter it tells of."""

    prompt: str
    chapter_id: str = ""


@dataclass(frozen=True)
class WrittenScenes:
    """New prompts, none alike; fewer than asked for when the rest repeated something."""

    scenes: tuple[Scene, ...]
    writer: str
    model: str = ""
    tokens: int = 0
    note: str = ""


@dataclass(frozen=True)
class Model:
    """A model a key may use; limits are in tokens, 0 when not told."""

    name: str
    label: str = ""
    input_limit: int = 0
    output_limit: int = 0


class CaptionWriter(Protocol):
    """Writes captions and prompts. Every call raises `WriterError` and ends within 30 s.

    `writer` is its name in records; `at_once` is how many scenes it should be asked for in one call.
    """

    @property
    def writer(self) -> str: ...

    @property
    def at_once(self) -> int: ...

    def write_caption(self, ask: Ask) -> Written: ...

    def write_scenes(self, ask: Ask) -> WrittenScenes: ...

    def models(self) -> tuple[Model, ...]:
        """What the key can write with."""
        ...

    def check(self) -> Model:
        """Prove that key, address and model work; writes nothing."""
        ...
