"""Several writes as one: every collection is read, changed and written once, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from .lock import nested_write
from .rows import Rows, Table
from .store import Collection

T = TypeVar("T")
Edit = Callable[[Rows], T]


class _Batch:
    """Edits are tried at once on what this thread sees, and made for good at the end."""

    def __init__(self) -> None:
        self.tables: dict[Collection, Table] = {}
        self._edits: dict[Collection, list[Edit[object]]] = {}
        self._editing = False

    def add(self, collection: Collection, edit: Edit[T]) -> T:
        table = self.tables.get(collection)
        rows = Rows(collection.check_writable() if table is None else table)
        with self._alone():
            result = edit(rows)
        self.tables[collection] = rows.table
        self._edits.setdefault(collection, []).append(edit)
        return result

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._editing:
            raise nested_write()
        self._editing = True
        try:
            yield
        finally:
            self._editing = False

    def commit(self) -> None:
        for collection, edits in self._edits.items():
            collection.change(partial(_make_all, edits))


def _make_all(edits: list[Edit[object]], rows: Rows) -> None:
    for edit in edits:
        edit(rows)


class _Thread(threading.local):
    batch: _Batch | None = None


_thread = _Thread()


@contextmanager
def batch() -> Iterator[None]:
    """Hold back the writes of this block and store them at its end: all of a collection's or none.

    Reads inside see them already. Nothing is written when the block raises. The lock is held
    only at the end, so the block may take its time. An inner batch joins the outer one.
    """
    if _thread.batch is not None:
        yield
        return
    held = _thread.batch = _Batch()
    try:
        yield
    finally:
        _thread.batch = None
    held.commit()


def write(collection: Collection, edit: Edit[T]) -> T:
    """Make one edit: now, or with the batch this thread is in."""
    if _thread.batch is None:
        return collection.change(edit)
    return _thread.batch.add(collection, edit)


def visible(collection: Collection) -> Table:
    """The table this thread should read: with the batch's own edits in it."""
    if _thread.batch is not None and collection in _thread.batch.tables:
        return _thread.batch.tables[collection]
    return collection.content()
