"""Django models whose rows lie in a JSON file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.base import ModelBase

from .batching import write
from .declared import declaration
from .fields import IdField
from .keys import Row, merge, put
from .layout import Layout, declare, layout
from .manager import Manager
from .persist import digest, patch_of, remove, store, unknown_keys
from .text import pure


class RecordBase(ModelBase):
    """Keeps every record's model away from the database, whatever its `Meta` says."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> Any:
        meta = attrs.get("Meta")
        if meta is not None:
            meta.managed = False
            meta.base_manager_name = "objects"
        model: Any = super().__new__(cls, name, bases, attrs, **kwargs)
        if not model._meta.abstract:
            declare(model)
        return model


class Stored(models.Model, metaclass=RecordBase):
    """What records and the rows nested in them have in common."""

    id = IdField()

    objects = Manager()

    _row: Row | None = None

    class Meta:
        abstract = True

    def save(  # type: ignore[override]
        self,
        *,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Store what was changed since this was loaded, on top of what the row holds by now.

        Raises `NotFound` when the row is gone, `Conflict` (`exists`) for a new one whose id is
        taken, and the store's errors.
        """
        new = self._state.adding or force_insert
        if not self.pk:
            self.pk = self._meta.pk.get_default()
        patch = patch_of(self, new=new, only=None if update_fields is None else set(update_fields))
        write(self._layout().collection, lambda rows: store(self, rows, patch, new=new))

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Take the row out of the file; nothing happens when it is gone already."""
        gone = write(self._layout().collection, lambda rows: remove(self, rows))
        return int(gone), {self._meta.label: 1} if gone else {}

    @property
    def digest(self) -> str:
        """A hash of the row this instance was loaded from; empty for a new one."""
        return digest(self._layout(), self._row) if self._row is not None else ""

    @property
    def extra(self) -> Row:
        """The keys no field accounts for. What is changed in it is saved with the instance.

        Keys of fields and of nested rows are left out when it is saved.
        """
        if "_extra" not in self.__dict__:
            self.__dict__["_extra"] = unknown_keys(self._layout(), self._row or {})
        return self.__dict__["_extra"]

    @extra.setter
    def extra(self, keys: Row) -> None:
        self.__dict__["_extra"] = pure(keys)

    def as_json(self) -> Row:
        """The instance under its file's keys, every field included; a set secret is the mask."""
        own = self._layout()
        row: Row = {}
        for column in own.columns:
            value = getattr(self, column.attname)
            put(row, column.path, str(value) if column.path in own.secrets else column.write(value))
        merge(row, {}, self.extra)
        return pure(row)

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        """Load the instance again. Raises `DoesNotExist`."""
        self._state.fields_cache.clear()
        self.__dict__.pop("_extra", None)
        self.__dict__.update(self._current().__dict__)

    def _current(self) -> Any:
        return type(self)._base_manager.get(pk=self.pk)

    @classmethod
    def _layout(cls) -> Layout:
        return layout(cls)


class Record(Stored):
    """An object of a file's list. `class Store` names `file` and `prefix`, `keys` that differ, and
    the `order` of a new record's keys.

    `updated_at` rises with every change, also of a row nested in the record.
    """

    created_at = models.DateTimeField("created", null=True, blank=True, editable=False)
    updated_at = models.DateTimeField("last changed", null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def as_json(self) -> Row:
        """The record under its file's keys with the rows nested in it; a set secret is the mask."""
        row = super().as_json()
        for key in declaration(self._layout().file).lists:
            row[key] = pure((self._row or {}).get(key) or [])
        return row


class Nested(Stored):
    """An object of a list within a record. `class Store` names `parent`, `key` and `prefix`."""

    class Meta:
        abstract = True
