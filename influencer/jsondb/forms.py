"""Forms over records: texts that come back as they went out, and what someone else saved meanwhile."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from . import seen
from .fields import SecretField


class LineField(forms.CharField):
    """Text on one line."""

    allowed = ""

    def to_python(self, value: Any) -> str:
        text = seen.as_shown(super().to_python(value) or "")
        if any(unicodedata.category(sign) == "Cc" and sign not in self.allowed for sign in text):
            raise ValidationError("This holds a control character. Type it again without.")
        return text

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.shown(initial), data)

    def shown(self, initial: Any) -> str:
        """The stored text as a browser sends it back when nobody has touched it."""
        return seen.as_shown(re.sub(r"[\r\n]", "", initial or ""))


class TextField(LineField):
    """Text with line breaks and tabs, stored with plain newlines whatever a browser sends."""

    allowed = "\n\t"

    def shown(self, initial: Any) -> str:
        return seen.as_shown(initial or "")


def text_fields(model: type[models.Model]) -> dict[str, type[forms.Field]]:
    """The form fields of a model's texts."""
    kinds: dict[type, type[forms.Field]] = {models.CharField: LineField, models.TextField: TextField}
    return {field.name: kinds[type(field)] for field in model._meta.concrete_fields if type(field) in kinds}


class RecordForm(forms.ModelForm):
    """A form that knows what it showed: `digest` goes out with it and comes back."""

    @property
    def digest(self) -> str:
        """A mark of each field as first shown; the same when the form comes back with errors."""
        return self.data.get("digest") or seen.marks(self.shown(self.instance).values())

    @property
    def watched(self) -> list[str]:
        """The fields whose values may be shown. Secrets are not."""
        return [name for name in self._meta.fields or () if not self._is_secret(name)]

    def is_current(self, record: models.Model) -> bool:
        """Whether the record still is as this form showed it."""
        sent = self.data.get("digest")
        return not sent or sent == seen.marks(self.shown(record).values())

    def marks_sent(self) -> dict[str, str]:
        """The marks of the fields as they were shown to the person who sent the form."""
        return dict(zip(self.watched, self.data.get("digest", "").split("."), strict=False))

    @property
    def said(self) -> list[str]:
        """The fields about which the form says something new."""
        return [name for name in self._meta.fields or () if name in self.changed_data]

    def apply(self, record: models.Model) -> None:
        """Carry what a valid form says over into a record, which may be newer than the form's own."""
        for name in self.said:
            field: Any = record._meta.get_field(name)
            field.save_form_data(record, self.cleaned_data[name])

    def shown(self, record: models.Model) -> dict[str, Any]:
        """What the watched fields show of a record."""
        return {name: getattr(record, name) for name in self.watched}

    def _is_secret(self, name: str) -> bool:
        return isinstance(self._meta.model._meta.get_field(name), SecretField)
