"""One field's value in Python and in the file. Reading is lenient: a record written by hand must open."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from .fields import SecretField
from .keys import MISSING
from .secret import Secret, sealed
from .text import pure, render

Convert = Callable[[Any], Any]

UNUSABLE = (TypeError, ValueError, ValidationError, OverflowError)
# 2286 in seconds, 1970 in milliseconds: what is larger must be milliseconds.
_MILLISECONDS = 10_000_000_000


def reader(field: models.Field[Any, Any]) -> Convert:
    """From the file. What is missing or can't be used reads as the field's default."""
    convert, fallback = _converter(field), _fallback(field)
    if isinstance(field, models.CharField | models.TextField):
        return lambda raw: raw if type(raw) is str else fallback() if raw is MISSING else convert(raw)

    def read(raw: Any) -> Any:
        if raw is MISSING:
            return fallback()
        try:
            return convert(raw)
        except UNUSABLE:
            return fallback()

    return read


def writer(field: models.Field[Any, Any]) -> Convert:
    """To the file. Raises `ValidationError` for what the field can't take."""
    for kind, write in _WRITERS:
        if isinstance(field, kind):
            return lambda value: None if value is None else write(field, value)
    return lambda value: None if value is None else str(value)


def is_unset(value: Any) -> bool:
    """Whether there is no need to write this where no key was."""
    return value is None or value in ("", [], {})


def usable(field: models.Field[Any, Any], raw: Any) -> bool:
    """Whether a value found in a file is one the field can take."""
    try:
        _converter(field)(raw)
    except UNUSABLE:
        return False
    return True


def text_of(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC with milliseconds: `2025-08-07T00:57:56.811Z`."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fallback(field: models.Field[Any, Any]) -> Callable[[], Any]:
    if isinstance(field, SecretField):
        return Secret
    default = field.get_default()
    if isinstance(default, dict | list):
        return field.get_default
    if isinstance(field, models.DateField) and callable(field.default):
        return lambda: None  # a record that has no date was not made just now
    return lambda: default


def _converter(field: models.Field[Any, Any]) -> Convert:
    if isinstance(field, SecretField):
        return _read_secret
    if isinstance(field, models.JSONField):
        return pure
    if isinstance(field, models.DateTimeField):
        return read_moment
    if isinstance(field, models.DateField):
        return _read_day
    if isinstance(field, models.CharField | models.TextField):
        return _read_optional_text if field.null else _read_text
    return lambda raw: _read_other(field, raw)


def _read_secret(raw: Any) -> Secret:
    if raw is not None and not isinstance(raw, str):
        raise TypeError("A secret is text.")
    return Secret(raw or "")


def _read_text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if raw is None:
        return ""
    return render(raw).decode().strip()


def _read_optional_text(raw: Any) -> str | None:
    return None if raw is None else _read_text(raw)


def read_moment(raw: Any) -> datetime.datetime | None:
    """An aware moment from ISO text or a JavaScript time stamp; without a zone it is UTC."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        seconds = raw / 1000 if abs(raw) > _MILLISECONDS else raw
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    moment = datetime.datetime.fromisoformat(raw)
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)


def _read_day(raw: Any) -> datetime.date | None:
    if raw is None or raw == "":
        return None
    if len(raw) == 10:
        return datetime.date.fromisoformat(raw)
    return datetime.datetime.fromisoformat(raw).date()


def _read_other(field: models.Field[Any, Any], raw: Any) -> Any:
    value = field.to_python(None if raw == "" else raw)
    if value is None and not field.null:
        raise ValueError("A value is missing.")
    return value


def _write_moment(field: models.Field[Any, Any], value: Any) -> str | None:
    moment = field.to_python(value)
    if moment is None:
        return None
    return text_of(timezone.make_aware(moment) if timezone.is_naive(moment) else moment)


def _write_day(field: models.Field[Any, Any], value: Any) -> str | None:
    day = field.to_python(value)
    return None if day is None else day.isoformat()


def _write_secret(_: models.Field[Any, Any], value: Any) -> str:
    return sealed(value.stored if isinstance(value, Secret) else str(value))


def _write_json(_: models.Field[Any, Any], value: Any) -> Any:
    return pure(value)


def _write_native(field: models.Field[Any, Any], value: Any) -> Any:
    return field.to_python(value)


_WRITERS: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
    (SecretField, _write_secret),
    (models.JSONField, _write_json),
    (models.DateTimeField, _write_moment),
    (models.DateField, _write_day),
    ((models.BooleanField, models.IntegerField, models.FloatField), _write_native),
)
