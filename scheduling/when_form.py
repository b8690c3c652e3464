"""When a task runs, as a person picks it: a rhythm, a schedule of its own, or one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from influencer.errors import Invalid
from scheduling import presets, timetable, wall
from scheduling.forms import TaskForm
from scheduling.models import Task
from scheduling.presets import DAYS, HOURS, Preset, Rhythm
from scheduling.timetable import Clocks

AHEAD = 10
WHEN = ("schedule", "run_at", "timezone")


class WhenForm(TaskForm):
    """A rhythm is turned into the schedule it means before anything is checked.

    What is wrong with it is told at the field that was filled in. Without `rhythm` schedule and
    moment count as they are sent.
    """

    rhythm = forms.ChoiceField(label="When", choices=Rhythm.choices, required=False)
    at = forms.CharField(label="At", required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    weekday = forms.ChoiceField(label="On", choices=DAYS, required=False)
    day = forms.IntegerField(label="On day", min_value=1, max_value=31, required=False)
    every = forms.ChoiceField(label="Every", choices=HOURS, required=False)

    class Meta(TaskForm.Meta):
        fields: Any = WHEN

    def __init__(self, data: Any = None, *args: Any, instance: Task | None = None, **kwargs: Any) -> None:
        task = instance or Task()
        if data is not None:
            data = _with_schedule(data, task)
        initial = {**_initial(task), **(kwargs.pop("initial", None) or {})}
        super().__init__(data, *args, instance=instance, initial=initial, **kwargs)

    def add_error(self, field: str | None, error: Any) -> None:
        """Tell it where it was said."""
        place = self._place
        if field == "schedule":
            field = place
        elif field is None and "schedule" in getattr(error, "error_dict", {}):
            error.error_dict.setdefault(place, error.error_dict.pop("schedule"))
        super().add_error(field, error)

    @property
    def _place(self) -> str:
        """The field that stands for the schedule."""
        rhythm = self.data.get("rhythm")
        special = {Rhythm.ONCE: "run_at", Rhythm.HOURS: "every"}
        if rhythm in special:
            return special[Rhythm(rhythm)]
        return "schedule" if presets.from_data(self.data) is None else "at"


@dataclass(frozen=True)
class Preview:
    """What a schedule that is being typed comes to, or what is wrong with it."""

    words: str = ""
    schedule: str = ""
    zone: str = ""
    runs: list[datetime] = field(default_factory=list)
    problem: str = ""


def preview(data: Any, task: Task | None = None) -> Preview:
    """The next ten runs of what a form says so far."""
    known = task or Task()
    given = Task(character_id=data.get("character_id") or known.character_id, created_at=known.created_at)
    form = WhenForm(data, instance=given)
    if not form.is_valid():
        return Preview(problem=" ".join(str(one) for found in form.errors.values() for one in found))
    return preview_of(form.save(commit=False))


def preview_of(task: Task) -> Preview:
    """The same for a task as it stands."""
    clocks, now = Clocks.now(), timezone.now()
    task.created_at = task.created_at or now
    try:
        times = timetable.of(task, clocks)
    except Invalid as problem:
        return Preview(problem=problem.message)
    words = timetable.describe(task, clocks)
    return Preview(words, task.schedule, times.zone.key, times.coming(now, AHEAD))


def _initial(task: Task) -> dict[str, Any]:
    """The fields as they show a task; of a new one as they are most often wanted."""
    if task.run_at is not None:
        return {**_preset(Preset(Rhythm.ONCE)), "run_at": _shown_moment(task)}
    if not task.schedule:
        return {**_preset(Preset()), "schedule": Preset().schedule}
    return _preset(presets.of(task.schedule))


def _preset(preset: Preset) -> dict[str, Any]:
    return {name: getattr(preset, name) for name in ("rhythm", "at", "weekday", "day", "every")}


def _with_schedule(data: Any, task: Task) -> Any:
    """The data with the schedule its rhythm means, and a moment nobody has touched as it was."""
    rhythm, preset = data.get("rhythm"), presets.from_data(data)
    if preset is not None:
        return _changed(data, schedule=preset.schedule, run_at="")
    if rhythm == Rhythm.OWN:
        return _changed(data, run_at="")
    same_clock = all(
        data.get(name, "") == getattr(task, name) for name in ("timezone", "character_id") if name in data
    )
    if task.run_at and same_clock and data.get("run_at") == _shown_moment(task):
        data = _changed(data, run_at=task.run_at.isoformat())
    return _changed(data, schedule="") if rhythm == Rhythm.ONCE else data


def _changed(data: Any, **values: str) -> Any:
    changed = data.copy()
    for name, value in values.items():
        changed[name] = value
    return changed


def _shown_moment(task: Task) -> str:
    """A task's one moment by the clock on its wall."""
    assert task.run_at is not None
    if task.run_at.year not in wall.YEARS:
        return task.run_at.isoformat()
    shown = wall.shown_at(task.run_at, _zone_of(task))
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def _zone_of(task: Task) -> ZoneInfo:
    clocks = Clocks.now()
    try:
        return clocks.of(task)
    except Invalid:
        return clocks.home
