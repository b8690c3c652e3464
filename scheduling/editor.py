"""All a person may say about a task in one form: when, what, and every setting by its own name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from influencer.clients import captions
from influencer.errors import Invalid
from scheduling import options
from scheduling.models import Approval, MissedPolicy, Task, TaskType
from scheduling.options import FIELDS_OF, PLATFORMS
from scheduling.payload import merged
from scheduling.recipe import POSTS_TO
from scheduling.when_form import WHEN, WhenForm

PICKS = 40
CHOSEN = ("type", "missed_policy", "approval")
ONE_TYPE = {TaskType.GENERATE_AND_POST, TaskType.GENERATE_AND_POST_TO_X}
DEEDS = (
    (TaskType.GENERATE_AND_POST, "Generate and post"),
    (TaskType.GENERATE_ONLY, "Generate"),
    (TaskType.POST_APPROVED, "Post an approved image"),
    (TaskType.WRITE_PROMPTS, "Write prompts"),
    (TaskType.TRAIN_LORA, "Train a LoRA"),
    (TaskType.BACKUP, "Back up"),
)


class DeedField(forms.ChoiceField):
    """What to do. The two types that generate and post are one choice: the platforms tell them apart."""

    def prepare_value(self, value: Any) -> Any:
        return TaskType.GENERATE_AND_POST if value in ONE_TYPE else value

    def valid_value(self, value: Any) -> bool:
        return value in TaskType.values


class EditorForm(WhenForm):
    """The form behind Add Task and Edit. Fields that are not the type's own are left as they are."""

    class Meta(WhenForm.Meta):
        fields: Any = ("character_id", "type", *WHEN, "missed_policy", "late_hours", "approval")

    def __init__(self, data: Any = None, *args: Any, instance: Task | None = None, **kwargs: Any) -> None:
        task = instance or Task(type=TaskType.GENERATE_AND_POST)
        if data is not None:
            data = _with_type(data, task)
        shown = options.of(task) | {name: getattr(task, name) for name in CHOSEN}
        initial = {**shown, **(kwargs.pop("initial", None) or {})}
        super().__init__(data, *args, instance=instance, initial=initial, **kwargs)
        self.fields |= options.fields()
        self.fields["type"] = DeedField(label="Do", choices=DEEDS)
        self.fields["approval"] = forms.ChoiceField(
            label="Before posting", choices=options.spoken(Approval), widget=forms.RadioSelect
        )
        self.fields["missed_policy"].choices = options.spoken(MissedPolicy)  # type: ignore[attr-defined]
        self._offer_choices()

    @property
    def watched(self) -> list[str]:
        return [*super().watched, *options.KEYS, *PLATFORMS]

    def shown(self, record: Any) -> dict[str, Any]:
        own = {name: getattr(record, name) for name in super().watched}
        return own | options.of(record)

    @property
    def config(self) -> dict[str, Any]:
        """The keys of the config that a valid form changes; None takes one away."""
        return options.changes(self.instance, str(self.cleaned_data["type"]), self.cleaned_data)

    @property
    def gallery(self) -> list[tuple[Image, bool]]:
        """The images to choose from, each with whether it is chosen."""
        chosen = set(self["image_ids"].value() or [])
        return [(image, image.pk in chosen) for image in self._images()]

    @property
    def opens_more(self) -> bool:
        """Whether something among the rarer settings is wrong."""
        return not {*options.SETTINGS, *options.TRAINING, "alt_text", "count"}.isdisjoint(self.errors)

    def clean(self) -> dict[str, Any]:
        self._leave_alone()
        if {"type", *self._own_fields()}.isdisjoint(self.errors):
            self._check_places()
            self.cleaned_data["config"] = merged(self.instance.options, self.config)
        return super().clean()

    def _leave_alone(self) -> None:
        """What belongs to other types was not seen: it stays, and nothing is wrong with it."""
        kept = self.shown(self.instance)
        for name in set(kept) - set(self._own_fields()):
            self.errors.pop(name, None)
            self.cleaned_data[name] = kept[name]

    def _own_fields(self) -> list[str]:
        """The fields that count for the type that was chosen."""
        kind = self.cleaned_data.get("type", "")
        posts = [*PLATFORMS, "approval"] if kind in POSTS_TO else []
        whose = [] if kind == TaskType.BACKUP else ["character_id"]
        late = ["late_hours"] if self.cleaned_data.get("missed_policy") == MissedPolicy.LATE else []
        return ["type", *WHEN, "missed_policy", *whose, *late, *posts, *FIELDS_OF.get(kind, ())]

    def _check_places(self) -> None:
        """A post needs a place, and words that fit there."""
        if self.cleaned_data["type"] not in POSTS_TO:
            return
        places = [place for name, place in PLATFORMS.items() if self.cleaned_data[name]]
        if not places:
            self.add_error("post_to_instagram", "Choose where it is posted.")
        for place in places:
            for finding in captions.check(place, self.cleaned_data["caption"]):
                if finding.level == "error":
                    self.add_error("caption", finding.message)

    def refuse_recipe(self, problem: Invalid) -> None:
        """Tell what is wrong with the config at the field that says it."""
        key = problem.details.get("key")
        own = set(self._own_fields())
        place = next((name for name, said in options.KEYS.items() if said == key and name in own), "type")
        self.add_error(place, capfirst(problem.details.get("what") or problem.message))

    # --- what there is to choose from --------------------------------------------------------

    def _offer_choices(self) -> None:
        chapters, pictures = self._chapters(), self._images()
        known: Any = self.fields
        known["character_id"].widget = forms.Select(choices=self._characters())
        known["narrative_id"].choices = [("", "All of it"), *chapters]
        kept = [pk for pk in options.of(self.instance)["image_ids"] or [] if isinstance(pk, str)]
        known["image_ids"].choices = [(pk, pk) for pk in {*kept, *(image.pk for image in pictures)}]

    def _characters(self) -> list[tuple[str, str]]:
        """All of them; the one it belongs to stays, also when it is gone."""
        found = list(Character.objects.order_by("name").values_list("pk", "name"))
        own = self.instance.character_id
        if own and own not in dict(found):
            found.append((own, f"{self.instance.character_name or own} (deleted)"))
        return found if own else [("", "Choose a character"), *found]

    def _chapters(self) -> list[tuple[str, str]]:
        character = Character.objects.filter(pk=self._character_id).first()
        found = [(one.pk, one.title) for one in character.narratives.all()] if character else []
        kept = options.of(self.instance)["narrative_id"]
        return found if not kept or kept in dict(found) else [*found, (kept, kept)]

    def _images(self) -> list[Image]:
        """The latest of the gallery, before them those that are approved already."""
        kept = options.of(self.instance)["image_ids"] or []
        latest = images.gallery(self._character_id)
        chosen = list(latest.filter(pk__in=[pk for pk in kept if isinstance(pk, str)]))
        return chosen + [image for image in latest[:PICKS] if image not in chosen]

    @property
    def _character_id(self) -> str:
        return str(self["character_id"].value() or "")


def _with_type(data: Any, task: Task) -> Any:
    """The data with the type that generates and posts there, as the file calls it."""
    wanted = {place for name, place in PLATFORMS.items() if data.get(name)}
    if data.get("type") not in ONE_TYPE:
        return data
    changed, only_x = data.copy(), wanted == set(POSTS_TO[TaskType.GENERATE_AND_POST_TO_X])
    same = task.type in ONE_TYPE and wanted == set(options.platforms_of(task))
    other = TaskType.GENERATE_AND_POST_TO_X if only_x else TaskType.GENERATE_AND_POST
    changed["type"] = task.type if same else other
    return changed
