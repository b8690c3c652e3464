"""The writer without any AI: what a key is not needed for. The same ask and seed bring the same words.

It knows a handful of moods, the story's part and what the prompt shows, and it knows English only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from influencer.clients.comfyui import prompting
from influencer.clients.writers import fitting, story
from influencer.clients.writers import template_words as words
from influencer.clients.writers.fitting import DoesNotFit, Fitted
from influencer.clients.writers.interface import MOST_SCENES, Ask, Model, Scene, Written, WrittenScenes
from influencer.clients.writers.likeness import Seen
from influencer.clients.writers.story import Beat

NOTE = "Written without AI."
NOTE_ENGLISH = "Written without AI, which knows English only."
TRIES = 24

_MODEL = Model("templates", "Templates, without AI")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")
_LORA_TAG = re.compile(r"<[^<>]*>")
_WEIGHT = re.compile(r"[()\[\]{}]|:\s*\d+(?:\.\d+)?")
_MADE_AS = re.compile(
    r"^(?:(?:a|an|the)\s+)?(?:[\w-]+\s+){0,2}(?:portrait|photo|photograph|picture|image|painting|selfie|close-up)"
    r"(?:\s+of)?\b\s*",
    re.IGNORECASE,
)
_HERS = re.compile(r"\b(?:her|his)(?= [a-z])")
_LAST_WORD = re.compile(r"([^\W\d_]{4,})$")
_TERSE = re.compile(r"\b(?:one (?:observation|line|sentence|word)|terse|laconic|few words)\b", re.IGNORECASE)
Choice = TypeVar("Choice")


class TemplateWriter:
    """Always there, never fails, asks nobody."""

    writer = "template"
    at_once = MOST_SCENES

    def write_caption(self, ask: Ask) -> Written:
        """A caption unlike the recent ones, as far as there are words for it."""
        seen = Seen(ask.recent)
        tries = (_caption(ask, ask.seed + number) for number in range(TRIES))
        text = next((text for text in tries if seen.add(text)), "") or _caption(ask, ask.seed)
        fitted = _fitted(ask, text)
        return Written(fitted.caption, fitted.alt_text, fitted.hashtags, self.writer, note=_note(ask))

    def write_scenes(self, ask: Ask) -> WrittenScenes:
        """Prompts that differ in place, doing, hour and framing, spread over the story."""
        seen, scenes = Seen(ask.recent), []
        places = _places(ask)
        for beat in story.beats(ask):
            tries = (_scene(ask, beat, places, number) for number in range(TRIES))
            if prompt := next((prompt for prompt in tries if seen.add(prompt)), ""):
                scenes.append(Scene(prompt, beat.chapter.id if beat.chapter else ""))
        return WrittenScenes(tuple(scenes), self.writer, note=NOTE)

    def models(self) -> tuple[Model, ...]:
        return (_MODEL,)

    def check(self) -> Model:
        return _MODEL


def _fitted(ask: Ask, text: str) -> Fitted:
    try:
        return fitting.fit(ask.platform, text, _hashtags(ask), alt_text=_alt_text(ask))
    except DoesNotFit:
        # Something in the prompt or the story that the platform refuses, two cashtags for example.
        opening = _pick(words.OPENINGS[_mood(ask)], ask.seed)
        return fitting.fit(ask.platform, opening, (), alt_text=_alt_text(ask))


def _caption(ask: Ask, seed: int) -> str:
    mood, key = _mood(ask), (seed, ask.persona.name, ask.scene, ask.platform)
    opening = _pick(words.OPENINGS[mood], "opening", *key)
    shown, told = _sentence(_HERS.sub("my", _shown(ask))), _story_line(ask)
    lines = [opening, shown, told, _pick(words.CLOSINGS[mood], "closing", *key)]
    if _TERSE.search(ask.persona.voice):
        lines = _pick(([shown or opening, told], [opening, shown], [shown or opening]), "lines", *key)
    between = "\n" if "lines" in ask.persona.voice.lower() else " "
    return between.join(line for line in lines if line)


def _mood(ask: Ask) -> str:
    """The mood most words hint at; the tone asked for goes before the character's own."""
    for text in (ask.tone, f"{ask.persona.voice} {ask.persona.personality}"):
        hits = {mood: _hits(text, hints) for mood, hints in words.MOODS.items()}
        best = max(hits, key=lambda mood: hits[mood])
        if hits[best]:
            return best
    return words.PLAIN


def _story_line(ask: Ask) -> str:
    chapter = story.current(ask.chapters, ask.today)
    if chapter is None:
        return ""
    share = story.fraction(chapter, ask.today)
    title = _UNPRINTABLE.sub(" ", chapter.title).strip(" .")
    if share is None:
        return f"{title}."
    return words.STORY_LINES[story.PARTS.index(story.part_at(share))].format(title=title)


def _shown(ask: Ask) -> str:
    """What the prompt shows, without the character's look, weights and words about the making."""
    text = _WEIGHT.sub(" ", _LORA_TAG.sub(" ", _UNPRINTABLE.sub(" ", ask.scene)))
    look = {part.strip().lower() for part in ask.persona.look.split(",")}
    parts = [part for part in prompting.tidy(text).split(", ") if part.lower() not in look]
    plain = (_without_subject(part, ask) for part in parts if not _hits(part, words.TECHNICAL))
    return ", ".join([part for part in plain if part][:2])


def _without_subject(part: str, ask: Ask) -> str:
    looks = sorted(ask.persona.look.split(","), key=len, reverse=True)
    for subject in (*looks, ask.persona.trigger_word, ask.persona.name):
        if subject.strip():
            part = re.sub(rf"(?<!\w){re.escape(subject.strip())}(?!\w)", " ", part, flags=re.IGNORECASE)
    return prompting.tidy(_MADE_AS.sub("", part.strip()))


def _alt_text(ask: Ask) -> str:
    return _sentence(_UNPRINTABLE.sub(" ", f"{ask.persona.name} {_shown(ask)}"))


def _hashtags(ask: Ask) -> Iterator[str]:
    yield _run_together(ask.persona.name)
    chapter = story.current(ask.chapters, ask.today)
    if chapter:
        yield _run_together(chapter.title)
    ends = (_LAST_WORD.search(part) for part in _shown(ask).lower().split(", "))
    yield from (end[1] for end in ends if end and end[1] not in words.STOPS)


def _places(ask: Ask) -> list[str]:
    """Places of the character's world first, in an order of the seed's; never the same one twice."""
    told = " ".join(f"{chapter.title} {chapter.description}" for chapter in ask.chapters)
    world = f"{ask.persona.personality} {ask.persona.backstory} {ask.persona.look} {told}"
    themes = [theme for theme, hints in words.THEMES.items() if _names(world, hints)]
    own = [place for theme in themes for place in words.PLACES[theme]]
    key = (ask.seed, ask.persona.name)
    return [*_shuffled(own, key), *_shuffled(words.ANYWHERE, key)]


def _scene(ask: Ask, beat: Beat, places: Sequence[str], attempt: int) -> str:
    number = beat.number - 1
    moment = story.MOMENTS.index(beat.moment)
    doing = words.ACTIONS[moment]
    phrases = [
        f"{ask.persona.trigger_word} {places[(number + attempt * 7) % len(places)]}".strip(),
        doing[(number // len(story.MOMENTS) + attempt) % len(doing)],
        _trace(beat),
        ask.scene.strip(),
        beat.hour,
        words.FRAMINGS[moment],
    ]
    return prompting.with_trigger(prompting.join(*phrases), ask.persona.trigger_word)


def _trace(beat: Beat) -> str:
    """Something of the chapter in every other picture."""
    things = _things(beat.chapter.description) if beat.chapter else []
    if not things or beat.number % 2 == 0:
        return ""
    thing = things[beat.number // 2 % len(things)]
    return words.TRACES[story.PARTS.index(beat.part)].format(thing=thing)


def _things(text: str) -> list[str]:
    """Names of things: an article and up to two words after it, as far as they look like a name."""
    found = []
    for part in re.split(r"[.,;:!?()]", text.lower()):
        spoken = part.split()
        for position, word in enumerate(spoken):
            if word in words.ARTICLES and (name := list(_name(spoken[position + 1 : position + 3]))):
                found.append(" ".join([word, *name]))
    return found


def _name(spoken: Sequence[str]) -> Iterator[str]:
    for position, word in enumerate(spoken):
        # A second word that ends so is a verb more often than not: "the crystal answers".
        verb = position and word.endswith(("s", "ed"))
        if verb or word in words.STOPS or word in words.ARTICLES or not word.replace("-", "").isalpha():
            return
        yield word


def _note(ask: Ask) -> str:
    return NOTE if ask.tongue.lower().startswith("en") else NOTE_ENGLISH


def _hits(text: str, hints: Iterable[str]) -> int:
    lowered = text.lower()
    return sum(1 for hint in hints if re.search(rf"\b{re.escape(hint)}", lowered))


def _names(text: str, nouns: Iterable[str]) -> bool:
    return bool(re.search(rf"\b(?:{'|'.join(nouns)})(?:s|es|er|ers)?\b", text, re.IGNORECASE))


def _sentence(text: str) -> str:
    text = text.strip(" ,.")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _run_together(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", text))


def _pick(choices: Sequence[Choice], *key: object) -> Choice:
    return choices[_number(*key) % len(choices)]


def _shuffled(choices: Iterable[str], key: tuple[object, ...]) -> list[str]:
    return sorted(dict.fromkeys(choices), key=lambda choice: _number(choice, *key))


def _number(*key: object) -> int:
    return int(hashlib.sha256("|".join(map(str, key)).encode()).hexdigest()[:12], 16)
