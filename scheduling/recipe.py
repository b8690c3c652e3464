"""What a task's `config` asks for: which prompt, which image, which words, posted where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from characters.images import api as images_api
from characters.images.forms import LONGEST_PROMPT, WishForm
from characters.images.planning import Wish
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import MOST_SCENES
from influencer.errors import Invalid
from scheduling.models import TaskType

# As the composer makes a new image for a post.
POST_SHAPE = "4:5"
LONGEST_CAPTION = 10_000
# Where a type posts unless its config says otherwise.
POSTS_TO = {
    TaskType.GENERATE_AND_POST: (Platform.INSTAGRAM,),
    TaskType.GENERATE_AND_POST_TO_X: (Platform.X,),
    TaskType.POST_APPROVED: (Platform.INSTAGRAM,),
}
MAKES_IMAGES = {TaskType.GENERATE_AND_POST, TaskType.GENERATE_AND_POST_TO_X, TaskType.GENERATE_ONLY}
PROMPTS_AT_ONCE = 5
SWITCHES = {"postToInstagram": Platform.INSTAGRAM, "postToTwitter": Platform.X}
NOT_THE_IMAGES = {"prompt", "finalPrompt"}


class PromptSource(models.TextChoices):
    TEXT = "text", "this text"
    LIBRARY = "library", "the next unused prompt"
    NARRATIVE = "narrative", "the current chapter"


@dataclass(frozen=True)
class Recipe:
    """One run's work. `images` are the approved ones a `post_approved` task may use, in order.

    `count` and `narrative` (id or title) are those of `write_prompts`.
    """

    type: TaskType
    source: PromptSource = PromptSource.TEXT
    prompt: str = ""
    caption: str = ""
    alt_text: str = ""
    write_caption: bool = False
    force: bool = False
    platforms: tuple[Platform, ...] = ()
    images: tuple[str, ...] = ()
    count: int = PROMPTS_AT_ONCE
    narrative: str = ""
    wish: Wish = Wish()

    def wish_for(self, prompt: str, *, own_size: bool) -> Wish:
        """What to ask for to have this prompt made into an image. A post takes one, in its shape.

        `own_size` says that the character has a size of its own.
        """
        wish = replace(self.wish, prompt=prompt)
        if not self.platforms:
            return wish
        sized = own_size or wish.width or wish.height or wish.shape
        return replace(wish, count=1, shape=wish.shape if sized else POST_SHAPE)


def read(kind: str, config: Any) -> Recipe:
    """The recipe of a task of that type. Keys nobody knows do no harm.

    Raises `Invalid` with a sentence that names the key at fault.
    """
    if not isinstance(config, Mapping):
        raise _refused("config", "must be an object")
    of_type = task_type(kind)
    return Recipe(
        type=of_type,
        source=_source(config),
        prompt=_text(config, "prompt", LONGEST_PROMPT) or _text(config, "customPrompt", LONGEST_PROMPT),
        caption=_text(config, "caption", LONGEST_CAPTION),
        alt_text=_text(config, "altText", LONGEST_CAPTION),
        write_caption=_flag(config, "generateCaption", default=False),
        force=_flag(config, "force", default=False),
        platforms=_platforms(of_type, config),
        images=_images(config),
        count=_count(config) if of_type == TaskType.WRITE_PROMPTS else PROMPTS_AT_ONCE,
        narrative=_text(config, "narrativeId", 200) or _text(config, "narrative", 200),
        wish=_wish(config) if of_type in MAKES_IMAGES else Wish(),
    )


def task_type(name: str) -> TaskType:
    """The type of that name. Raises `Invalid`."""
    if name not in TaskType.values:
        sentence = f"“{name[:60]}” is no type of task."
        raise Invalid(sentence, fields={"type": [sentence]})
    return TaskType(name)


def _source(config: Mapping[str, Any]) -> PromptSource:
    name = _text(config, "promptSource", 60) or PromptSource.TEXT
    if name not in PromptSource.values:
        raise _refused("promptSource", f"must be one of {', '.join(PromptSource.values)}")
    return PromptSource(name)


def _platforms(of_type: TaskType, config: Mapping[str, Any]) -> tuple[Platform, ...]:
    usual = POSTS_TO.get(of_type, ())
    return tuple(
        platform for key, platform in SWITCHES.items() if _flag(config, key, default=platform in usual)
    )


def _images(config: Mapping[str, Any]) -> tuple[str, ...]:
    one, several = _text(config, "imageId", 60), config.get("imageIds") or []
    if not isinstance(several, list) or not all(isinstance(name, str) for name in several):
        raise _refused("imageIds", "must be a list of image ids")
    return tuple([one] if one else several)


def _count(config: Mapping[str, Any]) -> int:
    count = config.get("count", PROMPTS_AT_ONCE)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_SCENES:
        raise _refused("count", f"must be a number from 1 to {MOST_SCENES}")
    return count


def _wish(config: Mapping[str, Any]) -> Wish:
    """The image settings: those of the dialog, under the same keys."""
    data: dict[str, Any] = {}
    for key, name in images_api.KEYS.items():
        value = config.get(key)
        if value is None or key in NOT_THE_IMAGES:
            continue
        if isinstance(value, bool | list | dict):
            raise _refused(key, "must be text or a number")
        data[name] = value
    form = WishForm(data)
    if not form.is_valid():
        key, messages = next(iter(images_api.form_problem(form).fields.items()))
        raise _refused(key, f"can't be used. {messages[0]}")
    return form.wish()


def _text(config: Mapping[str, Any], key: str, longest: int) -> str:
    value = config.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _refused(key, "must be text")
    if len(value) > longest:
        raise _refused(key, f"may be {longest} characters long")
    return value.strip()


def _flag(config: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _refused(key, "must be true or false")
    return value


def _refused(key: str, what: str) -> Invalid:
    name = "config" if key == "config" else f"config.{key}"
    sentence = f"{name} {what}".rstrip(".") + "."
    return Invalid(sentence, code="bad_config", fields={"config": [sentence]})
