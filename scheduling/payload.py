"""Tasks as JSON: from a request's body to form data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from characters.payload import camel, refused
from influencer.errors import Invalid
from influencer.jsondb.values import read_moment
from scheduling.forms import TaskForm, partial_form
from scheduling.models import Task

NAMES = {camel(name): name for name in TaskForm.Meta.fields}
KEYS = {name: key for key, name in NAMES.items()}
# Kept or worked out by the product itself, whatever a body says.
OWN = {
    *("id", "createdAt", "updatedAt", "characterName"),
    *("nextRun", "lastRun", "lastResult", "lastJobId", "lastWhy", "description", "problem"),
}
DEFAULTS: dict[str, Any] = {field.name: field.get_default() for field in Task._meta.concrete_fields}
WHEN = ("schedule", "run_at")
NEW = ("character_id", "type", *WHEN, "config")

Faults = dict[str, list[str]]


@dataclass(frozen=True)
class Payload:
    """A body taken apart: form data by field name, what changes in `config`, keys no field accounts for."""

    data: dict[str, Any]
    config: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    seen_at: datetime | None = None

    def form(self, instance: Task | None = None) -> TaskForm:
        """The bound form of just the fields that were given; required ones too for a new record.

        Of schedule and one-off moment the one that is given takes the other's place.
        """
        data = dict(self.data)
        if self.config is not None:
            data["config"] = merged(instance.options if instance else {}, self.config)
        names = [name for name in TaskForm.Meta.fields if name in data or (name in WHEN and _has_when(data))]
        if instance is None:
            names = list(dict.fromkeys([*NEW, *names]))
        return partial_form(names)(data, instance=instance)

    def is_current(self, task: Task) -> bool:
        """Whether the record is still the one whose `updatedAt` the body names, if it names one."""
        return self.seen_at is None or self.seen_at == task.updated_at


def read(body: Any) -> Payload:
    """Sort the keys of a task. Raises `Invalid` with `fields` for values of the wrong type."""
    if not isinstance(body, dict):
        raise Invalid("Send the task as an object: task.", fields={"task": ["This must be an object."]})
    data: dict[str, Any] = {}
    faults: Faults = {}
    for key in filter(body.__contains__, NAMES):
        _take(key, body[key], data, faults)
    seen_at = _moment(body.get("updatedAt"), faults)
    if faults:
        raise refused(faults)
    extra = {key: value for key, value in body.items() if key not in {*NAMES, *OWN}}
    return Payload(data, data.pop("config", None), extra, seen_at)


def merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The config with the given keys over it; null takes one away."""
    return {key: value for key, value in {**before, **given}.items() if value is not None}


def form_problem(form: TaskForm) -> Invalid:
    """A refused form as the API words it, under the keys of the request."""
    return refused(
        {KEYS.get(name, name): [str(one) for one in faults] for name, faults in form.errors.items()}
    )


def _has_when(data: dict[str, Any]) -> bool:
    return any(data.get(name) for name in WHEN)


def _take(key: str, value: Any, data: dict[str, Any], faults: Faults) -> None:
    name = NAMES[key]
    default = DEFAULTS[name]
    fault = _fault(default, value)
    if value is not None and fault:
        faults[key] = [f"This must be {fault}."]
    elif value is not None:
        data[name] = value
    else:
        data[name] = {} if name == "config" else "" if default is None else default


def _fault(default: Any, value: Any) -> str:
    """What the value should have been, by the field's default; empty when it is."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, dict):
        return "" if isinstance(value, dict) else "an object"
    if isinstance(default, int):
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    return "" if isinstance(value, str) else "text"


def _moment(value: Any, faults: Faults) -> datetime | None:
    try:
        return read_moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        faults["updatedAt"] = ["This must be a time as the API gives it."]
        return None
