"""The fields a record has beyond Django's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from .ids import new_id
from .secret import MASK, Secret, named_variable


class IdField(models.TextField):
    """The primary key: text, made with the prefix of the model it belongs to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"primary_key": True, "editable": False, **kwargs})

    def has_default(self) -> bool:
        return True

    def get_default(self) -> str:
        return new_id(self.model.Store.prefix)  # type: ignore[attr-defined]


class ObjectField(models.JSONField):
    """An object with keys of its own, `{}` when there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": dict, "blank": True, **kwargs})


class ParentKey(models.ForeignKey):
    """The record in whose list a nested row lives."""

    def __init__(self, to: Any, **kwargs: Any) -> None:
        super().__init__(to, **{"on_delete": models.CASCADE, "db_constraint": False, **kwargs})


class SecretField(models.Field):
    """A credential: a `Secret` in Python, sealed in the file, never rendered.

    Text may be assigned. A value that names an environment variable (`INSTAGRAM_…`, `TWITTER_…`,
    bare or behind `env:`) stays readable; any other `env:` is invalid.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": "", **kwargs})

    def get_internal_type(self) -> str:
        return "TextField"

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SecretAttribute(self.attname))

    def to_python(self, value: Any) -> Secret:
        return value if isinstance(value, Secret) else Secret("" if value is None else str(value).strip())

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        if not value and not self.blank:
            raise ValidationError(self.error_messages["blank"], code="blank")
        if value.stored.startswith("env:") and not named_variable(value.stored):
            raise ValidationError(
                "After env: only names that begin with INSTAGRAM_ or TWITTER_ can be used.", code="env"
            )

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        kwargs = {"form_class": SecretFormField, **kwargs, "required": False}
        return super().formfield(**kwargs)

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        if data is not KEEP:
            super().save_form_data(instance, data)


class _SecretAttribute:
    """Keeps a `Secret` whatever is assigned, so that no plain text waits in an instance to be printed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: models.Model, value: Any) -> None:
        secret = value if isinstance(value, Secret) else Secret("" if value is None else str(value).strip())
        instance.__dict__[self.name] = secret


class _Keep:
    """What a form gives for a secret nobody typed anything for."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""


KEEP = _Keep()


class SecretFormField(forms.CharField):
    """Write-only: the stored secret is never sent out, and an empty field keeps it."""

    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def clean(self, value: Any) -> Any:
        return KEEP if _nothing_typed(value) else super().clean(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not _nothing_typed(data)


def _nothing_typed(value: Any) -> bool:
    return value is None or str(value).strip() in {"", MASK}
