"""Conditions and sort keys of a query, turned into functions on the rows as they lie in the file."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.utils import timezone

from .errors import NotSupported
from .fields import SecretField
from .ids import identity
from .layout import Entry, Layout, layout

Test = Callable[[Entry], bool]
Getter = Callable[[Entry], Any]
Compare = Callable[[Any, Any], bool]

# Whether both sides are folded to one case first, and the comparison.
_TEXT: dict[str, tuple[bool, Compare]] = {
    "iexact": (True, operator.eq),
    "contains": (False, operator.contains),
    "icontains": (True, operator.contains),
    "startswith": (False, str.startswith),
    "istartswith": (True, str.startswith),
    "endswith": (False, str.endswith),
    "iendswith": (True, str.endswith),
}
_ORDER: dict[str, Compare] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "range": lambda value, wanted: wanted[0] <= value <= wanted[1],
    "in": lambda value, wanted: value in wanted,
}
LOOKUPS = ("isnull", *_ORDER, *_TEXT)


@dataclass(frozen=True)
class Target:
    """What a name like `character__name` or `created_at__date` reads from a row."""

    name: str
    field: models.Field[Any, Any]
    value: Getter
    clean: Callable[[Any], Any]


def resolve(own: Layout, name: str) -> tuple[Target, str]:
    """The target of a lookup and the lookup itself. Raises `FieldError`, `NotSupported`."""
    first, *rest = name.split(LOOKUP_SEP)
    target = _target(own, first)
    if rest and own.parent is not None and target.field is own.parent and rest[0] not in LOOKUPS:
        return _through_parent(own, LOOKUP_SEP.join(rest))
    if rest and rest[0] == "date" and isinstance(target.field, models.DateTimeField):
        target, rest = _as_date(target), rest[1:]
    lookup = rest[0] if rest else "exact"
    if len(rest) > 1 or lookup not in LOOKUPS:
        raise NotSupported(f"{name}: records in files can't be searched by {LOOKUP_SEP.join(rest)}.")
    return target, lookup


def tests_of(own: Layout, condition: models.Q) -> list[Test]:
    """What an entry must meet, all of it: simple conditions one by one, which is quicker."""
    if condition.connector == models.Q.AND and not condition.negated:
        return [_part(own, child) for child in condition.children]
    return [_test_of(own, condition)]


def _test_of(own: Layout, condition: models.Q) -> Test:
    parts = [_part(own, child) for child in condition.children]
    if not parts:
        return lambda entry: True
    if condition.connector == models.Q.XOR:
        raise NotSupported("Conditions can't be joined by ^.")
    joined = any if condition.connector == models.Q.OR else all
    if condition.negated:
        return lambda entry: not joined(part(entry) for part in parts)
    return lambda entry: joined(part(entry) for part in parts)


def sort_key(own: Layout, name: str) -> Callable[[Entry], Any]:
    """A key to sort by: nothing first, text without regard to case."""
    target, lookup = resolve(own, name)
    if lookup != "exact" or isinstance(target.field, models.JSONField | SecretField):
        raise NotSupported(f"Records can't be ordered by {name}.")
    value = target.value

    def key(entry: Entry) -> Any:
        found = value(entry)
        if found is None:
            return (False,)
        return (True, found.casefold()) if isinstance(found, str) else (True, found)

    return key


def _part(own: Layout, child: Any) -> Test:
    if isinstance(child, models.Q):
        return _test_of(own, child)
    if not isinstance(child, tuple):
        raise NotSupported(f"{type(child).__name__} needs SQL; records lie in files.")
    name, wanted = child
    target, lookup = resolve(own, name)
    return _compared(target, lookup, wanted)


def _compared(target: Target, lookup: str, wanted: Any) -> Test:
    value = target.value
    if lookup == "isnull" or (lookup in {"exact", "iexact"} and wanted is None):
        null = wanted is None or _is_true(wanted)
        return lambda entry: (value(entry) is None) is null
    if hasattr(wanted, "resolve_expression") and not isinstance(wanted, models.QuerySet):
        raise NotSupported("Only values can be compared with, no expressions.")
    if lookup in _TEXT:
        return _text_test(value, lookup, str(wanted))
    compare, wanted = _ORDER[lookup], _cleaned(target, lookup, wanted)

    def test(entry: Entry) -> bool:
        found = value(entry)
        return found is not None and compare(found, wanted)

    return test


def _text_test(value: Getter, lookup: str, wanted: str) -> Test:
    folded, compare = _TEXT[lookup]
    if not folded:
        return lambda entry: (found := value(entry)) is not None and compare(str(found), wanted)
    wanted = wanted.casefold()
    return lambda entry: (found := value(entry)) is not None and compare(str(found).casefold(), wanted)


def _cleaned(target: Target, lookup: str, wanted: Any) -> Any:
    if lookup == "range":
        low, high = wanted
        return target.clean(low), target.clean(high)
    if lookup == "in":
        return _members(target, wanted)
    return target.clean(wanted)


def _members(target: Target, wanted: Iterable[Any]) -> Any:
    members = [target.clean(item) for item in wanted if item is not None]
    try:
        return frozenset(members)
    except TypeError:
        return members


def _target(own: Layout, name: str) -> Target:
    parent = own.parent
    if parent is not None and name in {parent.name, parent.attname}:
        return Target(name, parent, _owner_id, key_of)
    column = own.column(name)
    if column is None:
        raise FieldError(f"{own.model.__name__} has no field “{name}” that can be searched.")
    clean = key_of if column.field.primary_key else column.field.to_python
    of = column.of
    return Target(name, column.field, lambda entry: of(entry[0]), clean)


def _through_parent(own: Layout, rest: str) -> tuple[Target, str]:
    assert own.parent is not None
    target, lookup = resolve(layout(own.parent.remote_field.model), rest)
    value = target.value
    return Target(
        target.name, target.field, lambda entry: value((entry[1] or {}, None)), target.clean
    ), lookup


def _as_date(target: Target) -> Target:
    value = target.value

    def day(entry: Entry) -> datetime.date | None:
        moment = value(entry)
        return None if moment is None else timezone.localtime(moment).date()

    return Target(target.name, target.field, day, models.DateField().to_python)


def _owner_id(entry: Entry) -> str | None:
    return identity(entry[1])


def key_of(wanted: Any) -> str:
    """The id that a record, or an id, stands for."""
    return str(wanted.pk if isinstance(wanted, models.Model) else wanted)


def _is_true(wanted: Any) -> bool:
    return wanted not in (False, 0, "0", "false", "False")
