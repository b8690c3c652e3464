"""Reading a task's `config`: each value checked, a fault told with the key it stands under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from influencer.errors import Invalid

Config = Mapping[str, Any]


def text(config: Config, key: str, longest: int) -> str:
    """Raises `Invalid`, like all of these."""
    value = config.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise refused(key, "must be text")
    if len(value) > longest:
        raise refused(key, f"may be {longest} characters long")
    return value.strip()


def flag(config: Config, key: str, *, default: bool) -> bool:
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise refused(key, "must be true or false")
    return value


def number(config: Config, key: str, *, default: int, limits: tuple[int, int]) -> int:
    value, (low, high) = config.get(key), limits
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise refused(key, f"must be a number from {low} to {high}")
    return value


def choice(config: Config, key: str, values: list[str], *, default: str) -> str:
    name = text(config, key, 60) or default
    if name not in values:
        raise refused(key, f"must be one of {', '.join(values)}")
    return name


def image_ids(config: Config) -> tuple[str, ...]:
    """The images named under `imageIds`, or the one under `imageId`."""
    one, several = text(config, "imageId", 60), config.get("imageIds") or []
    if not isinstance(several, list) or not all(isinstance(name, str) for name in several):
        raise refused("imageIds", "must be a list of image ids")
    return tuple([one] if one else several)


def settings(
    config: Config, keys: Mapping[str, str], form: type[forms.Form], problem: Callable[[Any], Invalid]
) -> Any:
    """The settings a dialog asks for, by its own valid form; None when there are none.

    `keys`: those of the config with the names of the fields.
    """
    data: dict[str, Any] = {}
    for key, name in keys.items():
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, bool | list | dict):
            raise refused(key, "must be text or a number")
        data[name] = value
    if not data:  # a form is costly, and lists read many tasks
        return None
    bound = form(data)
    if not bound.is_valid():
        key, messages = next(iter(problem(bound).fields.items()))
        raise refused(key, f"can't be used. {messages[0]}")
    return bound


def refused(key: str, what: str) -> Invalid:
    name = "config" if key == "config" else f"config.{key}"
    what = what.rstrip(".") + "."
    sentence, details = f"{name} {what}", {"key": key, "what": what}
    return Invalid(sentence, code="bad_config", fields={"config": [sentence]}, details=details)
