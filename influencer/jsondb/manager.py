"""`Model.objects` of a record: the queryset's methods, and a change made on what is in the file now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.manager import BaseManager

from influencer.errors import Conflict, NotFound

from .batching import write
from .layout import Entry, Layout, layout
from .persist import blank, fill, patch_of, store
from .query import QuerySet
from .rows import Rows


class Manager(BaseManager.from_queryset(QuerySet)):  # type: ignore[misc]
    """`Model.objects` of a record."""

    def change(self, pk: str, fn: Callable[[Any], object], *, digest: str | None = None) -> Any:
        """Let `fn` edit the record as it lies in the file now, and store it; the record.

        `fn` must have no effect of its own: it runs again when the file changed meanwhile. With
        `digest`, a record that is no longer the one with that digest is left alone.
        Raises `NotFound`, `Conflict` (`changed_since`, with `details["current"]`), store errors.
        """
        own = layout(self.model)
        instance = blank(self.model)

        def edit(rows: Rows) -> Any:
            fill(instance, _entry(own, rows, str(pk)))
            if digest is not None and instance.digest != digest:
                raise changed_since(instance)
            fn(instance)
            store(instance, rows, patch_of(instance), new=False)
            return instance

        return write(own.collection, edit)


def changed_since(instance: Any) -> Conflict:
    """The refusal of a stale edit, with what is there now."""
    return Conflict(
        f"Someone saved {instance} while you were editing. Compare both and choose.",
        code="changed_since",
        details={"current": instance.as_json()},
    )


def _entry(own: Layout, rows: Rows, pk: str) -> Entry:
    found = [entry for entry in own.entries(rows.table) if str(entry[0]["id"]) == pk] if own.parent else []
    if own.parent is None:
        row = rows.table.find(pk)
        found = [] if row is None else [(row, None)]
    if len(found) == 1:
        return found[0]
    name = own.model._meta.verbose_name
    raise NotFound(f"There is {'more than one' if found else 'no'} {name} {pk}.")
