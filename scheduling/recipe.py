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
from scheduling import config as configs
from scheduling import lessons
from scheduling.config import Config
from scheduling.lessons import Lesson, Pictures
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

    `count` and `narrative` (id or title) are those of `write_prompts`, `lesson` that of `train_lora`.
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
    lesson: Lesson = Lesson(Pictures.SET)

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
        raise configs.refused("config", "must be an object")
    of_type = task_type(kind)
    return Recipe(
        type=of_type,
        source=PromptSource(
            configs.choice(config, "promptSource", PromptSource.values, default=PromptSource.TEXT)
        ),
        prompt=_either(config, ("prompt", "customPrompt"), LONGEST_PROMPT),
        caption=configs.text(config, "caption", LONGEST_CAPTION),
        alt_text=configs.text(config, "altText", LONGEST_CAPTION),
        write_caption=configs.flag(config, "generateCaption", default=False),
        force=configs.flag(config, "force", default=False),
        platforms=_platforms(of_type, config),
        images=configs.image_ids(config),
        count=_count(config) if of_type == TaskType.WRITE_PROMPTS else PROMPTS_AT_ONCE,
        narrative=_either(config, ("narrativeId", "narrative"), 200),
        wish=_wish(config) if of_type in MAKES_IMAGES else Wish(),
        lesson=lessons.read(config) if of_type == TaskType.TRAIN_LORA else Lesson(Pictures.SET),
    )


def task_type(name: str) -> TaskType:
    """The type of that name. Raises `Invalid`."""
    if name not in TaskType.values:
        sentence = f"“{name[:60]}” is no type of task."
        raise Invalid(sentence, fields={"type": [sentence]})
    return TaskType(name)


def _either(config: Config, keys: tuple[str, str], longest: int) -> str:
    """The text under the first key, else the one under the second."""
    return configs.text(config, keys[0], longest) or configs.text(config, keys[1], longest)


def _platforms(of_type: TaskType, config: Config) -> tuple[Platform, ...]:
    usual = POSTS_TO.get(of_type, ())
    return tuple(
        platform for key, platform in SWITCHES.items() if configs.flag(config, key, default=platform in usual)
    )


def _count(config: Config) -> int:
    return configs.number(config, "count", default=PROMPTS_AT_ONCE, limits=(1, MOST_SCENES))


def _wish(config: Config) -> Wish:
    """The image settings: those of the dialog, under the same keys."""
    keys = {key: name for key, name in images_api.KEYS.items() if key not in NOT_THE_IMAGES}
    form: WishForm | None = configs.settings(config, keys, WishForm, images_api.form_problem)
    return form.wish() if form else Wish()
