"""What a person or a program may say about a task, cleaned once for HTML and JSON alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst

from characters.models import Character
from influencer.errors import Invalid
from influencer.jsondb.forms import RecordForm, text_fields
from influencer.web.filters import Filter
from scheduling import cron, recipe, wall
from scheduling.models import Task, TaskType
from scheduling.timetable import Clocks

GONE = "There is no such character."


class MomentField(forms.Field):
    """ISO 8601. Without an offset it is meant by the clock of the task's time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValidationError("This is no moment; try 2027-05-14T15:00.") from None
        if moment.year not in wall.YEARS:
            raise ValidationError(f"The year must be {wall.YEARS[0]} to {wall.YEARS[-1]}.")
        return moment


class TaskForm(RecordForm):
    """All a person may say about a task. `schedule` and `run_at` belong together: one of them."""

    class Meta:
        model = Task
        fields = (
            "character_id",
            "type",
            "schedule",
            "run_at",
            "timezone",
            "active",
            "missed_policy",
            "late_hours",
            "approval",
            "config",
        )
        field_classes: ClassVar = {**text_fields(Task), "run_at": MomentField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("type", "missed_policy", "approval"):
            if name in self.fields:
                field: Any = Task._meta.get_field(name)
                label = capfirst(field.verbose_name)
                self.fields[name] = forms.ChoiceField(choices=field.choices, label=label)

    def clean_character_id(self) -> str:
        pk = str(self.cleaned_data["character_id"])
        if pk and pk != self.instance.character_id and not Character.objects.filter(pk=pk).exists():
            raise ValidationError(GONE)
        return pk

    def clean_timezone(self) -> str:
        name = str(self.cleaned_data["timezone"])
        if name:
            _refuse_invalid(lambda: cron.zone_of(name))
        return name

    def clean_schedule(self) -> str:
        text = " ".join(str(self.cleaned_data["schedule"]).split())
        if text:
            _refuse_invalid(lambda: cron.parse(text))
        return text

    def clean_config(self) -> dict[str, Any]:
        config = self.cleaned_data["config"] or {}
        if not isinstance(config, dict):
            raise ValidationError("This must be an object.")
        return config

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._need_character()
        self._place_moment()
        self._check_recipe()
        return cleaned

    def add_error(self, field: str | None, error: Any) -> None:
        """Of what the record's own rules say, that counts which is about fields of this form."""
        if field is None and hasattr(error, "error_dict"):
            here = set(self.fields) - set(self.errors)
            error.error_dict = {name: found for name, found in error.error_dict.items() if name in here}
        super().add_error(field, error)

    def _need_character(self) -> None:
        if "character_id" not in self.cleaned_data or self._now("type") == TaskType.BACKUP:
            return
        if not self.cleaned_data["character_id"]:
            self.add_error("character_id", "Choose a character.")

    def _place_moment(self) -> None:
        """A time on the wall becomes a moment, by the zone the task will have."""
        moment = self.cleaned_data.get("run_at")
        if moment is None:
            return
        if timezone.is_naive(moment):
            whose = {name: str(self._now(name) or "") for name in ("timezone", "character_id")}
            moment = wall.moment_of(moment, Clocks.now().of(Task(**whose)))
        self.cleaned_data["run_at"] = moment
        if moment <= timezone.now() and moment != self.instance.run_at:
            self.add_error("run_at", "This moment has passed.")

    def _check_recipe(self) -> None:
        """Type and config must fit; the fault is told where it was said."""
        if {"type", "config"} & set(self.errors) or not {"type", "config"} & set(self.fields):
            return
        try:
            recipe.read(str(self._now("type")), self._now("config"))
        except Invalid as problem:
            self.refuse_recipe(problem)

    def refuse_recipe(self, problem: Invalid) -> None:
        """Tell what is wrong with type and config together."""
        self.add_error("config" if "config" in self.fields else "type", problem.message)

    def _now(self, name: str) -> Any:
        """The value the record will have."""
        return self.cleaned_data.get(name, getattr(self.instance, name))


class TaskFilter(Filter):
    """Search, filters and sort of the Scheduling tab."""

    STATE = (("", "Active and paused"), ("active", "Active"), ("paused", "Paused"), ("failing", "Failing"))
    KIND = (("", "Everything"), *((name, capfirst(label)) for name, label in TaskType.choices))
    SORT = (("", "Next run"), ("name", "Character"), ("newest", "Newest"))

    q = forms.CharField(required=False, max_length=200)
    character = forms.CharField(required=False, max_length=120)
    state = forms.ChoiceField(required=False, choices=STATE)
    kind = forms.ChoiceField(required=False, choices=KIND)
    sort = forms.ChoiceField(required=False, choices=SORT)


def partial_form(names: tuple[str, ...] | list[str]) -> type[TaskForm]:
    """A form that reads and changes only `names`."""
    form: type[TaskForm] = forms.modelform_factory(Task, form=TaskForm, fields=names)  # type: ignore[assignment]
    return form


def _refuse_invalid(check: Any) -> None:
    try:
        check()
    except Invalid as problem:
        raise ValidationError(problem.message) from None
