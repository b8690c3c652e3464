"""Between an instance and its row: filling one from the other, and storing what was changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson
from django.db import models
from django.db.models.base import ModelState

from influencer.errors import Conflict, Invalid, NotFound

from .declared import KeyPath
from .errors import NotSupported
from .ids import identity
from .keys import MISSING, Row, merge, pick, put, without
from .layout import Entry, Layout, layout
from .rows import Rows
from .text import pure
from .values import UNUSABLE, is_unset, read_moment, text_of

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Patch:
    """What one save is to change, whatever else has changed in the row since."""

    values: tuple[tuple[KeyPath, Any], ...] = field(repr=False)
    extra_before: Row = field(repr=False)
    extra_after: Row = field(repr=False)

    def apply(self, row: Row) -> bool:
        """Change the row; whether there was anything to change."""
        changed = self.extra_before != self.extra_after
        merge(row, self.extra_before, self.extra_after)
        for path, value in self.values:
            found = pick(row, path)
            if (found is MISSING and is_unset(value)) or (found == value and type(found) is type(value)):
                continue
            put(row, path, value)
            changed = True
        return changed


def blank(model: type[M]) -> M:
    """An instance without values. `__init__` is left out: 50 of these are built for a page."""
    instance = model.__new__(model)
    instance._state = ModelState()
    return instance


def fill(instance: M, entry: Entry) -> M:
    """Make an instance show a row. The row stays the store's own; no value refers into it."""
    row, owner = entry
    own = layout(type(instance))
    values = instance.__dict__
    for name, of in own.readers:
        values[name] = of(row)
    if own.parent is not None and owner is not None:
        values["_owner"] = values[own.parent.attname] = identity(owner)
    values["_row"] = row
    values.pop("_extra", None)
    instance._state.adding = False
    instance._state.db = "default"
    return instance


def digest(own: Layout, row: Row) -> str:
    """A hash of a row. Secrets are left out: sealing one changes nothing anyone edits."""
    content = orjson.dumps(without(row, own.secret_keys), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def unknown_keys(own: Layout, row: Row) -> Row:
    """A copy of what no field accounts for."""
    return pure(without(row, own.known_keys))


def patch_of(instance: models.Model, *, new: bool = False, only: set[str] | None = None) -> Patch:
    """What was changed in an instance since it was loaded; everything, if it is to be a new row."""
    own = layout(type(instance))
    row = instance.__dict__.get("_row") or {}
    values = []
    for column in own.columns[1:]:
        names = {column.field.name, column.attname}
        if "updated_at" in names or (only is not None and not names & only):
            continue
        value, before = column.field.pre_save(instance, new), column.of(row)
        # Compared before it is written: a secret is sealed differently each time.
        if new or (value != before and column.write(value) != column.write(before)):
            values.append((column.path, column.write(value)))
    before = unknown_keys(own, row)
    after = before if only is not None else unknown_keys(own, instance.__dict__.get("_extra", before))
    return Patch(tuple(values), {} if new else before, after)


def store(instance: models.Model, rows: Rows, patch: Patch, *, new: bool) -> None:
    """Carry a patch into the rows, and let the instance show the outcome."""
    own = layout(type(instance))
    if own.parent is None:
        row = _store_record(instance, rows, patch, new=new)
        fill(instance, (row, None))
    else:
        fill(instance, _store_nested(instance, rows, patch, new=new))


def remove(instance: models.Model, rows: Rows) -> bool:
    """Take an instance's row out; whether it was there."""
    own = layout(type(instance))
    if own.parent is None:
        return rows.remove(str(instance.pk))
    owner = rows.find(getattr(instance, own.parent.attname))
    place = None if owner is None else _place(_items(owner, own.list_key), str(instance.pk))
    if owner is None or place is None:
        return False
    del owner[own.list_key][place]
    _put_touched(rows, owner)
    return True


def _store_record(instance: models.Model, rows: Rows, patch: Patch, *, new: bool) -> Row:
    name = str(instance.pk)
    if not new:
        row = rows.get(name)
        if patch.apply(row):
            _put_touched(rows, row)
        return rows.get(name)
    row = {"id": name}
    patch.apply(row)
    now = datetime.now(UTC)
    row.setdefault("createdAt", text_of(now))
    row["updatedAt"] = text_of(getattr(instance, "updated_at", None) or now)
    rows.add(layout(type(instance)).arranged(row))
    return rows.get(name)


def _store_nested(instance: models.Model, rows: Rows, patch: Patch, *, new: bool) -> Entry:
    own = layout(type(instance))
    assert own.parent is not None
    name, owner_name = str(instance.pk), str(getattr(instance, own.parent.attname))
    if not new and owner_name != instance.__dict__.get("_owner"):
        raise NotSupported(f"{name} can't move to another record; delete it and add it there.")
    owner = rows.get(owner_name)
    items = _items(owner, own.list_key)
    place = _place(items, name)
    if new and place is not None:
        raise Conflict(f"There is a {name} already.", code="exists")
    if not new and place is None:
        raise NotFound(f"There is no {name} any more.")
    row = {"id": name} if place is None else items[place]
    changed = patch.apply(row)
    if place is None:
        items.append(row)
    owner[own.list_key] = items
    if changed or new:
        _put_touched(rows, owner)
    return pure(row), owner


def _put_touched(rows: Rows, row: Row) -> None:
    """Store a changed record with a time of change later than the one it had."""
    moment = datetime.now(UTC)
    before = _last_changed(row)
    if before is not None:
        moment = max(moment, before + timedelta(milliseconds=1))
    row["updatedAt"] = text_of(moment)
    rows.put(row)


def _last_changed(row: Row) -> datetime | None:
    try:
        return read_moment(row.get("updatedAt"))
    except UNUSABLE:
        return None


def _items(owner: Row, key: str) -> list[Any]:
    items = owner.get(key)
    if items and not isinstance(items, list):
        raise Invalid(f"“{key}” of {owner.get('id')} is not a list in the file. Mend it there first.")
    return items or []


def _place(items: list[Any], name: str) -> int | None:
    return next((place for place, row in enumerate(items) if identity(row) == name), None)
