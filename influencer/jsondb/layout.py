"""How a model lies in its file: which field under which key, in which list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.db import models

from .declared import KeyPath, declaration
from .fields import ParentKey, SecretField
from .ids import identity
from .keys import MISSING, Row, Tree, camel_case, pick, tree_of
from .rows import Table
from .store import Collection, collection
from .values import Convert, reader, writer

TIMESTAMPS = ("created_at", "updated_at")

# A row with the record that holds it; a top-level record has no such owner.
Entry = tuple[Row, Row | None]


@dataclass(frozen=True)
class Column:
    """One field and its place in a row."""

    field: models.Field[Any, Any]
    path: KeyPath
    write: Convert
    of: Callable[[Row], Any]  # the field's value in a row

    @property
    def attname(self) -> str:
        return self.field.attname


@dataclass(frozen=True)
class Layout:
    """A model's file, list and columns (the id first, the timestamps last)."""

    model: type[models.Model]
    file: str
    columns: tuple[Column, ...]
    secrets: frozenset[KeyPath]
    parent: ParentKey | None = None
    list_key: str = ""
    order: tuple[str, ...] = ()

    @property
    def collection(self) -> Collection:
        return collection(self.file)

    def column(self, name: str) -> Column | None:
        """By field name, attribute name or `pk`."""
        if name == "pk":
            return self.columns[0]
        return next((column for column in self.columns if name in (column.field.name, column.attname)), None)

    @cached_property
    def readers(self) -> tuple[tuple[str, Callable[[Row], Any]], ...]:
        """Attribute names with what reads them from a row."""
        return tuple((column.attname, column.of) for column in self.columns)

    @cached_property
    def record_keys(self) -> frozenset[str]:
        """Lookups that name one record of the file."""
        return frozenset(name for key in self._keys for name in (key, f"{key}__exact"))

    @cached_property
    def record_key_lists(self) -> frozenset[str]:
        """Lookups that name several records of the file."""
        return frozenset(f"{key}__in" for key in self._keys)

    @property
    def _keys(self) -> tuple[str, ...]:
        if self.parent is None:
            return "pk", "id"
        name = self.parent.name
        return name, self.parent.attname, f"{name}__pk", f"{name}__id"

    @property
    def known_keys(self) -> Tree:
        """Every key this model and the rows nested in it account for."""
        lists = () if self.parent else tuple(declaration(self.file).lists)
        return _known_keys(self.model, lists)

    @cached_property
    def secret_keys(self) -> Tree:
        return tree_of(self.secrets)

    def arranged(self, row: Row) -> Row:
        """A new row with its keys as `Store.order` names them, empty lists included; others behind."""
        if not self.order:
            return row
        whole = {**{key: [] for key in declaration(self.file).lists}, **row}
        return {key: whole[key] for key in dict.fromkeys((*self.order, *whole)) if key in whole}

    def entries(self, table: Table) -> Iterator[Entry]:
        """All rows of this model, in the file's order."""
        if self.parent is None:
            return ((row, None) for row in table.records)
        return (entry for row in table.records for entry in self.within(row))

    def within(self, owner: Row) -> Iterator[Entry]:
        """The nested rows of one record; of two with the same id the first."""
        seen: set[str] = set()
        items = owner.get(self.list_key)
        for row in items if isinstance(items, list) else ():
            name = identity(row)
            if name is not None and name not in seen:
                seen.add(name)
                yield row, owner


@cache
def layout(model: type[models.Model]) -> Layout:
    """The layout a model's fields and its `Store` describe."""
    store: Any = model.Store  # type: ignore[attr-defined]
    keys = getattr(store, "keys", {})
    columns = tuple(_column(field, keys) for field in _stored_fields(model))
    parent = _parent(model)
    return Layout(
        model=model,
        file=layout(parent.remote_field.model).file if parent else store.file,
        columns=columns,
        secrets=frozenset(column.path for column in columns if isinstance(column.field, SecretField)),
        parent=parent,
        list_key=store.key if parent else "",
        order=getattr(store, "order", ()),
    )


@cache
def _known_keys(model: type[models.Model], lists: tuple[str, ...]) -> Tree:
    return tree_of([*(column.path for column in layout(model).columns), *((key,) for key in lists)])


def declare(model: type[models.Model]) -> None:
    """Tell the store what it must know of this model without importing it."""
    own = layout(model)
    declared = declaration(own.file)
    declared.holds_records = True
    if own.parent is None:
        declared.prefix = model.Store.prefix  # type: ignore[attr-defined]
        declared.secrets |= own.secrets
    elif own.secrets:
        raise TypeError(f"{model.__name__}: secrets are kept in records, not in rows within them.")
    else:
        declared.lists[own.list_key] = model.Store.prefix  # type: ignore[attr-defined]
    declared.models.append(model)


def _stored_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, ParentKey)]
    return sorted(fields, key=lambda field: (not field.primary_key, field.name in TIMESTAMPS))


def _parent(model: type[models.Model]) -> ParentKey | None:
    return next((field for field in model._meta.concrete_fields if isinstance(field, ParentKey)), None)


def _column(field: models.Field[Any, Any], keys: dict[str, str]) -> Column:
    dotted = keys.get(field.name, camel_case(field.attname))
    path = tuple(dotted.split("."))
    read = _read_id if field.primary_key else reader(field)
    return Column(field, path, writer(field), _getter(path, read))


def _getter(path: KeyPath, read: Convert) -> Callable[[Row], Any]:
    """Called for every row of a search: the common case, a key of the row itself, is kept short."""
    if len(path) > 1:
        return lambda row: read(pick(row, path))
    key = path[0]
    return lambda row: read(row.get(key, MISSING))


def _read_id(raw: Any) -> str:
    return raw if type(raw) is str else str(raw)
