"""A task's `config` as the fields of the editor, and back."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import pretty_name
from django.utils.text import capfirst

from characters.images import api as images_api
from characters.images.forms import LONGEST_PROMPT, WishForm
from characters.training import dataset
from characters.training.forms import TrainingForm
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import MOST_SCENES
from influencer.errors import Invalid
from influencer.jsondb import seen
from influencer.jsondb.forms import TextField
from scheduling import lessons, recipe
from scheduling.lessons import Pictures
from scheduling.models import Task, TaskType
from scheduling.recipe import LONGEST_CAPTION, POSTS_TO, PROMPTS_AT_ONCE, SWITCHES, PromptSource

SOURCES = (
    (PromptSource.TEXT.value, "This text"),
    (PromptSource.LIBRARY.value, "Next unused prompt"),
    (PromptSource.NARRATIVE.value, "Current chapter"),
)
PLATFORMS = {"post_to_instagram": Platform.INSTAGRAM, "post_to_twitter": Platform.X}
SETTINGS = tuple(
    name for key, name in images_api.KEYS.items() if key not in recipe.NOT_THE_IMAGES and name != "count"
)
# Field → key. Two fields may share one: they belong to different types.
KEYS = {
    "prompt_source": "promptSource",
    "prompt": "prompt",
    "caption": "caption",
    "alt_text": "altText",
    "generate_caption": "generateCaption",
    "force": "force",
    "image_ids": "imageIds",
    "count": "count",
    "prompt_count": "count",
    "narrative_id": "narrativeId",
    "wish": "prompt",
    "media": "media",
    "pictures": "pictures",
    "picture_count": "count",
    "attach": "attach",
    "rights_confirmed": "rightsConfirmed",
    **{f"train_{name}": key for key, name in lessons.KEYS.items()},
    **{name: key for key, name in images_api.KEYS.items() if name in SETTINGS},
}
# Other names under which a file may say the same.
ALSO = {"prompt": "customPrompt", "narrativeId": "narrative", "imageIds": "imageId"}
WORDS = ("caption", "alt_text", "generate_caption", "force")
SCENE = ("prompt_source", "prompt")
POST = (*SCENE, *WORDS, *SETTINGS)
TRAINING = ("pictures", "picture_count", "image_ids", *lessons.FLAGS) + tuple(
    f"train_{name}" for name in lessons.KEYS.values()
)
FIELDS_OF: dict[str, tuple[str, ...]] = {
    TaskType.GENERATE_AND_POST: POST,
    TaskType.GENERATE_AND_POST_TO_X: POST,
    TaskType.GENERATE_ONLY: (*SCENE, "count", *SETTINGS),
    TaskType.POST_APPROVED: ("image_ids", *WORDS),
    TaskType.WRITE_PROMPTS: ("prompt_count", "narrative_id", "wish"),
    TaskType.TRAIN_LORA: TRAINING,
    TaskType.BACKUP: ("media",),
}


class ImagesField(forms.MultipleChoiceField):
    """Images by id; the choices are those of the character's gallery."""

    widget = forms.CheckboxSelectMultiple


def fields() -> dict[str, forms.Field]:
    """The fields of the editor, one for each thing a config may say."""
    settings = {name: WishForm.base_fields[name] for name in ("count", *SETTINGS)}
    return _of_posts() | _of_prompts() | _of_training() | copy.deepcopy(settings)


def _of_posts() -> dict[str, forms.Field]:
    return {
        "prompt_source": forms.ChoiceField(
            label="Prompt", choices=SOURCES, required=False, widget=forms.RadioSelect
        ),
        "prompt": _text("Text", LONGEST_PROMPT, rows=3),
        "caption": _text("Caption", LONGEST_CAPTION, rows=3),
        "alt_text": _text("Alt text", LONGEST_CAPTION, rows=2),
        "generate_caption": _box("Write the caption with AI"),
        "force": _box("Post the same again: also an image or caption that went out within 30 days"),
        "post_to_instagram": _box("Instagram"),
        "post_to_twitter": _box("X"),
        "image_ids": ImagesField(label="Images", required=False),
    }


def _of_prompts() -> dict[str, forms.Field]:
    return {
        "prompt_count": _number("How many", (1, MOST_SCENES)),
        "narrative_id": forms.ChoiceField(label="Story", required=False),
        "wish": _text("What they share", LONGEST_PROMPT, rows=2),
        "media": _box("With all images"),
    }


def _of_training() -> dict[str, forms.Field]:
    """Those of the training dialog under names of their own: images have steps and a seed too."""
    own = copy.deepcopy({name: TrainingForm.base_fields[name] for name in lessons.KEYS.values()})
    for name, field in own.items():
        field.label = field.label or pretty_name(name)
    return {
        "pictures": forms.ChoiceField(label="Train on", choices=spoken(Pictures), required=False),
        "picture_count": _number("How many images", (dataset.FEWEST, dataset.MOST)),
        "attach": _box("Use the new LoRA once it is proven"),
        "rights_confirmed": _box(str(TrainingForm.base_fields["rights_confirmed"].label)),
        **{f"train_{name}": field for name, field in own.items()},
    }


def of(task: Task) -> dict[str, Any]:
    """What the fields show of a task; what can't be read stands there as it is."""
    config, known = task.options, fields()
    found = {name: _shown(known[name], _value(config, key)) for name, key in KEYS.items()}
    found["prompt_source"] = found["prompt_source"] or PromptSource.TEXT.value
    found["prompt_count"] = found["prompt_count"] or PROMPTS_AT_ONCE
    found["count"] = found["count"] or 1
    found["pictures"] = found["pictures"] or (Pictures.CHOSEN if found["image_ids"] else Pictures.SET).value
    found["picture_count"] = found["picture_count"] or lessons.NEWEST
    found["attach"] = config.get("attach") is not False
    to = platforms_of(task)
    return found | {name: platform in to for name, platform in PLATFORMS.items()}


def platforms_of(task: Task) -> tuple[Platform, ...]:
    """Where a task posts; where its type does when its config can't be read."""
    try:
        return recipe.read(task.type, task.config).platforms
    except Invalid:
        return POSTS_TO.get(task.type, ())  # type: ignore[call-overload]


def changes(task: Task, kind: str, cleaned: dict[str, Any]) -> dict[str, Any]:
    """The keys of the config that the fields of that type change; None takes one away."""
    found: dict[str, Any] = {}
    before = of(task)
    for name in FIELDS_OF.get(kind, ()):
        if seen.mark(cleaned.get(name)) != seen.mark(before[name]):
            found |= {KEYS[name]: _kept(name, cleaned[name])}
    found |= {ALSO[key]: None for key in list(found) if ALSO.get(key) in task.options}
    return found | _switches(task, kind, cleaned)


def _kept(name: str, value: Any) -> Any:
    """What stands in the file: nothing where that means the same."""
    if name == "attach":
        return None if value else False
    return value or None


def _switches(task: Task, kind: str, cleaned: dict[str, Any]) -> dict[str, Any]:
    """Where it posts, said only as far as the type does not say it already."""
    usual = POSTS_TO.get(kind)  # type: ignore[call-overload]
    wanted = {platform for name, platform in PLATFORMS.items() if cleaned.get(name)}
    if not usual or (kind == task.type and wanted == set(platforms_of(task))):
        return {}
    said = {key: platform in wanted for key, platform in SWITCHES.items()}
    return {key: on if on != (SWITCHES[key] in usual) else None for key, on in said.items()}


def spoken(choices: type[models.TextChoices]) -> list[tuple[str, str]]:
    """Choices as a form words them."""
    return [(str(value), capfirst(label)) for value, label in choices.choices]


def _value(config: dict[str, Any], key: str) -> Any:
    value = config.get(key) or config.get(ALSO.get(key, ""))
    return [value] if key == "imageIds" and isinstance(value, str) else value


def _shown(field: forms.Field, value: Any) -> Any:
    """A stored value as the field would give it back."""
    try:
        return field.to_python(value)
    except ValidationError:
        return value


def _text(label: str, longest: int, *, rows: int) -> forms.Field:
    widget = forms.Textarea(attrs={"rows": rows})
    return TextField(label=label, required=False, max_length=longest, widget=widget)


def _box(label: str) -> forms.Field:
    return forms.BooleanField(label=label, required=False)


def _number(label: str, limits: tuple[int, int]) -> forms.Field:
    return forms.IntegerField(label=label, min_value=limits[0], max_value=limits[1], required=False)
