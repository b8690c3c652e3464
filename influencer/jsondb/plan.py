"""What a query asks for, and finding those rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db.models import Q

from .errors import NotSupported
from .layout import Entry, Layout
from .lookups import key_of, sort_key, tests_of
from .rows import Table

ORDERS_KEPT = 16


@dataclass(frozen=True)
class Plan:
    """Conditions, order and cut of a query; `order` None is the model's own."""

    where: tuple[Q, ...] = ()
    order: tuple[str, ...] | None = None
    backwards: bool = False
    low: int = 0
    high: int | None = None
    nothing: bool = False

    @property
    def is_cut(self) -> bool:
        return bool(self.low) or self.high is not None

    def reordered(self, **order: Any) -> Plan:
        if self.is_cut:
            raise TypeError("Cannot reorder a query once a slice has been taken.")
        return replace(self, **order)

    def narrowed(self, *conditions: Q) -> Plan:
        if self.is_cut:
            raise TypeError("Cannot filter a query once a slice has been taken.")
        return replace(self, where=(*self.where, *conditions))

    def either(self, other: Plan) -> Plan:
        """What this or the other one finds."""
        if self.nothing or other.nothing:
            return other if self.nothing else self
        if self.is_cut or other.is_cut:
            raise TypeError("Cannot combine queries once a slice has been taken.")
        return replace(self, where=(Q(*self.where) | Q(*other.where),) if self.where and other.where else ())

    def both(self, other: Plan) -> Plan:
        if self.nothing or other.nothing:
            return replace(self, nothing=True)
        if other.is_cut:
            raise TypeError("Cannot combine queries once a slice has been taken.")
        return self.narrowed(*other.where)

    def cut(self, low: int, high: int | None) -> Plan:
        """A part of this part."""
        ends = [end for end in (self.high, None if high is None else self.low + high) if end is not None]
        return replace(self, low=self.low + low, high=min(ends) if ends else None)

    def ordering(self, own: Layout) -> tuple[str, ...]:
        names: tuple[Any, ...] = tuple(own.model._meta.ordering or ()) if self.order is None else self.order
        for name in names:
            if not isinstance(name, str) or name == "?":
                raise NotSupported(f"Records can't be ordered by {name!r}: only by names of fields.")
        return names

    def entries(self, own: Layout, table: Table) -> list[Entry]:
        """The rows asked for, in order."""
        if self.nothing or self.high == 0:
            return []
        ids = self._record_ids(own)
        names = self.ordering(own)
        found = _all_sorted(own, table, names) if ids is None else _sorted(own, _of(own, table, ids), names)
        rows = reversed(found) if self.backwards else iter(found)
        for condition in self.where:
            for test in tests_of(own, condition):
                rows = filter(test, rows)
        return list(islice(rows, self.low, self.high))

    def _record_ids(self, own: Layout) -> list[str] | None:
        """The only records that can fit, when a condition names them."""
        for condition in self.where:
            if condition.negated or condition.connector != Q.AND:
                continue
            for child in condition.children:
                name, wanted = child if isinstance(child, tuple) else ("", None)
                if name in own.record_keys and wanted is not None:
                    return [key_of(wanted)]
                # Others, such as a generator, are gone once they are looked through.
                if name in own.record_key_lists and isinstance(wanted, list | tuple | set | frozenset):
                    return [key_of(one) for one in wanted if one is not None]
        return None


class Matches:
    """The rows of a query before it is cut, kept between counting them and cutting out a page."""

    table: Table | None = None
    entries: Sequence[Entry] = ()

    def __reduce__(self) -> tuple[type[Matches], tuple[()]]:
        return Matches, ()

    def part(self, plan: Plan, own: Layout, table: Table) -> Sequence[Entry]:
        """What the plan asks for, from what is kept while the table is the same."""
        if self.table is not table:
            if plan.is_cut:
                return plan.entries(own, table)
            self.entries = plan.entries(own, table)
            self.table = table
        return self.entries[plan.low : plan.high]


def _all_sorted(own: Layout, table: Table, names: tuple[str, ...]) -> list[Entry]:
    """Every row in order; kept with the table, so that the next page only has to be cut out."""
    key = (own.model, names)
    found = table.memo.get(key)
    if found is None:
        if len(table.memo) >= ORDERS_KEPT:
            table.memo.clear()
        found = table.memo[key] = _sorted(own, own.entries(table), names)
    return found


def _of(own: Layout, table: Table, ids: Iterable[str]) -> Iterable[Entry]:
    """The records with these ids, or the rows nested in them, in the file's order."""
    for place in sorted({table.index[name] for name in ids if name in table.index}):
        row = table.rows[place]
        yield from ((row, None),) if own.parent is None else own.within(row)


def _sorted(own: Layout, found: Iterable[Entry], names: tuple[str, ...]) -> list[Entry]:
    rows = list(found)
    for name in reversed(names):
        rows.sort(key=sort_key(own, name.removeprefix("-")), reverse=name.startswith("-"))
    return rows
