"""The queryset of records: Django's interface, answered from the file's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from django.db import models

from .batching import batch, visible
from .errors import NotSupported
from .layout import Entry, Layout, layout
from .lookups import resolve
from .persist import blank, fill
from .plan import Matches, Plan

M = TypeVar("M", bound=models.Model)


class _Query:
    """The corner of Django's SQL query that the admin and the deletion collector look into."""

    select_related = True
    distinct = False

    def __init__(self, order_by: tuple[str, ...]) -> None:
        self.order_by = order_by


# A base for the admin, which asks for the type; nothing of it is used.
_DjangoQuerySet: Any = models.QuerySet


class QuerySet(_DjangoQuerySet):
    """A lazy list of records. Instances are built last, and only those that are asked for."""

    _prefetch_related_lookups = ()
    _fields = None

    def __init__(
        self, model: Any = None, query: Any = None, using: str | None = None, hints: Any = None
    ) -> None:
        self.model = model
        self._plan = Plan()
        self._names: tuple[str, ...] = ()
        self._flat = False
        self._distinct = False
        self._known_related_objects: dict[Any, dict[Any, Any]] = {}
        self._matches = Matches()
        self._result_cache: list[Any] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.model.__name__}>"

    def __iter__(self) -> Iterator[Any]:
        return iter(self._results())

    def __len__(self) -> int:
        return len(self._results())

    def __bool__(self) -> bool:
        return bool(self._results())

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return self._sliced(key)
        if key < 0:
            raise ValueError("Negative indexing is not supported.")
        if self._result_cache is not None:
            return self._result_cache[key]
        return list(self._with(self._plan.cut(key, key + 1)))[0]

    def __and__(self, other: QuerySet) -> QuerySet:
        return self._with(self._plan.both(other._plan))

    def __or__(self, other: QuerySet) -> QuerySet:
        return self._with(self._plan.either(other._plan))

    # What narrows, orders and cuts.

    def all(self) -> QuerySet:
        return self._with(self._plan)

    def none(self) -> QuerySet:
        return self._with(replace(self._plan, nothing=True))

    def filter(self, *args: models.Q, **lookups: Any) -> QuerySet:
        return self._with(self._plan.narrowed(models.Q(*args, **lookups)))

    def exclude(self, *args: models.Q, **lookups: Any) -> QuerySet:
        return self._with(self._plan.narrowed(~models.Q(*args, **lookups)))

    def complex_filter(self, condition: models.Q | dict[str, Any]) -> QuerySet:
        return self.filter(condition) if isinstance(condition, models.Q) else self.filter(**condition)

    def order_by(self, *names: str) -> QuerySet:
        """Stable: records that sort alike stay in the file's order. No names: the file's order."""
        return self._with(self._plan.reordered(order=names, backwards=False))

    def reverse(self) -> QuerySet:
        return self._with(self._plan.reordered(backwards=not self._plan.backwards))

    def distinct(self) -> QuerySet:
        clone = self.all()
        clone._distinct = True
        return clone

    def values_list(self, *names: str, flat: bool = False) -> QuerySet:
        if flat and len(names) != 1:
            raise TypeError("flat=True needs exactly one field.")
        clone = self.all()
        clone._names, clone._flat = names, flat
        return clone

    def using(self, alias: str | None) -> QuerySet:
        return self.all()

    def select_related(self, *names: Any) -> QuerySet:
        return self.all()

    def only(self, *names: str) -> QuerySet:
        return self.all()

    def defer(self, *names: str) -> QuerySet:
        return self.all()

    # What answers.

    def get(self, *args: models.Q, **lookups: Any) -> Any:
        found = list(self.filter(*args, **lookups)[:2])
        name = self.model._meta.verbose_name
        if not found:
            raise self.model.DoesNotExist(f"There is no such {name}.")
        if len(found) > 1:
            raise self.model.MultipleObjectsReturned(f"There is more than one such {name}.")
        return found[0]

    def first(self) -> Any:
        return next(iter(self[:1]), None)

    def last(self) -> Any:
        return self.reverse().first()

    def exists(self) -> bool:
        return bool(self[:1]._entries() if self._result_cache is None else self._result_cache)

    def count(self) -> int:
        if self._result_cache is not None or (self._distinct and self._names):
            return len(self)
        return len(self._entries())

    def contains(self, instance: models.Model) -> bool:
        return self.filter(pk=instance.pk).exists()

    def in_bulk(self, ids: Iterable[str] | None = None) -> dict[str, Any]:
        found = self if ids is None else self.filter(pk__in=list(ids))
        return {record.pk: record for record in found}

    def iterator(self, chunk_size: int | None = None) -> Iterator[Any]:
        entries = self._entries()
        if not self._names:
            return map(self._built, entries)
        columns = [map(resolve(self._layout, name)[0].value, entries) for name in self._names]
        return columns[0] if self._flat else zip(*columns, strict=True)

    # What writes.

    def create(self, **values: Any) -> Any:
        instance = self.model(**values)
        instance.save(force_insert=True)
        return instance

    def bulk_create(self, instances: Iterable[M]) -> list[M]:
        """All in one write."""
        made = list(instances)
        with batch():
            for instance in made:
                instance.save(force_insert=True)
        return made

    def delete(self) -> tuple[int, dict[str, int]]:
        """All in one write."""
        with batch():
            gone = sum(record.delete()[0] for record in self)
        return gone, {self.model._meta.label: gone} if gone else {}

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    # What Django's own code looks at.

    @property
    def ordered(self) -> bool:
        """Always: without an order it is the file's."""
        return True

    @property
    def query(self) -> _Query:
        return _Query(self._plan.ordering(self._layout))

    @property
    def db(self) -> str:
        return "default"

    def _add_hints(self, **hints: Any) -> None:
        """Hints choose a database; there is none."""

    def _clone(self) -> QuerySet:
        return self.all()

    @property
    def _layout(self) -> Layout:
        return layout(self.model)

    def _with(self, plan: Plan) -> QuerySet:
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        clone._plan = plan
        clone._matches = Matches()
        clone._result_cache = None
        return clone

    def _sliced(self, cut: slice) -> Any:
        if self._result_cache is not None:
            return self._result_cache[cut]
        low, high = cut.start or 0, cut.stop
        if low < 0 or (high is not None and high < 0):
            raise ValueError("Negative indexing is not supported.")
        part = self._with(self._plan.cut(low, high))
        part._matches = self._matches
        return list(part)[:: cut.step] if cut.step else part

    def _entries(self) -> Sequence[Entry]:
        own = self._layout
        return self._matches.part(self._plan, own, visible(own.collection))

    def _fetch_all(self) -> None:
        self._results()

    def _results(self) -> list[Any]:
        if self._result_cache is None:
            found = list(self.iterator())
            self._result_cache = list(dict.fromkeys(found)) if self._distinct else found
        return self._result_cache

    def _built(self, entry: Entry) -> Any:
        instance = fill(blank(self.model), entry)
        for field, known in self._known_related_objects.items():
            owner = known.get(getattr(instance, field.attname))
            if owner is not None:
                field.set_cached_value(instance, owner)
        return instance


def _refuse(name: str) -> Callable[..., Any]:
    def refused(self: QuerySet, *args: Any, **kwargs: Any) -> Any:
        raise NotSupported(f"{self.model.__name__}.objects.{name}() needs SQL; records lie in files.")

    refused.__name__ = name
    return refused


# Whatever else Django's own queryset can do would reach for a table that is not there.
for _name in dir(models.QuerySet):
    if _name == "__xor__" or not (_name.startswith("_") or _name in vars(QuerySet)):
        setattr(QuerySet, _name, _refuse(_name))
