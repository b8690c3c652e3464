"""The rows of a collection: an unchanging table for readers, a working copy for one change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from influencer.errors import Conflict, Invalid, NotFound

from .declared import Declaration
from .ids import identity
from .keys import Row
from .secret import plain_paths, seal_row
from .text import pure


class Table:
    """What a file held at one moment. Nothing in it is ever changed or handed out uncopied.

    When two rows share an id the first one counts; what has no id, or is no object, is kept unseen.
    """

    def __init__(self, rows: list[Any], declared: Declaration) -> None:
        self.rows = rows
        self.declared = declared
        self.memo: dict[Any, Any] = {}

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each id stands."""
        places: dict[str, int] = {}
        for place, row in enumerate(self.rows):
            name = identity(row)
            if name is not None:
                places.setdefault(name, place)
        return places

    @cached_property
    def records(self) -> list[Row]:
        """The rows that count, in the file's order."""
        if len(self.index) == len(self.rows):
            return self.rows
        return [self.rows[place] for place in self.index.values()]

    @cached_property
    def has_plain_secrets(self) -> bool:
        paths = self.declared.secrets
        return any(plain_paths(row, paths) for row in self.rows) if paths else False

    def find(self, name: str) -> Row | None:
        place = self.index.get(name)
        return None if place is None else self.rows[place]

    def copy(self) -> Table:
        """For a change: rows that are put in are sealed, so what is known of the secrets stays true."""
        table = Table(list(self.rows), self.declared)
        table.index = dict(self.index)
        table.has_plain_secrets = self.has_plain_secrets
        return table

    def sealed(self) -> Table:
        """The same rows without a plain secret."""
        if not self.has_plain_secrets:
            return self
        table = Table([_seal_any(row, self.declared) for row in self.rows], self.declared)
        table.has_plain_secrets = False
        return table


class Rows:
    """The rows as one change sees and edits them. Rows go in and out as copies."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._own = False

    def __iter__(self) -> Iterator[Row]:
        return (pure(row) for row in self._table.records)

    def __len__(self) -> int:
        return len(self._table.records)

    def __contains__(self, name: object) -> bool:
        return name in self._table.index

    @property
    def table(self) -> Table:
        """The outcome; the very table it began with when nothing was changed."""
        return self._table

    def find(self, name: str) -> Row | None:
        row = self._table.find(name)
        return None if row is None else pure(row)

    def get(self, name: str) -> Row:
        """Raises `NotFound`."""
        row = self.find(name)
        if row is None:
            raise NotFound(f"There is no record {name} any more.")
        return row

    def put(self, row: Row) -> None:
        """Replace the row with the same id. Raises `NotFound`, `Invalid`."""
        name = _name(row)
        if name not in self:
            raise NotFound(f"There is no record {name} any more.")
        row = self._stored(row)
        table = self._own_table()
        table.rows[table.index[name]] = row

    def add(self, row: Row) -> None:
        """Append a row. Raises `Conflict` (`exists`), `Invalid`."""
        name = _name(row)
        if name in self:
            raise Conflict(f"A record {name} exists already.", code="exists")
        row = self._stored(row)
        table = self._own_table()
        table.index[name] = len(table.rows)
        table.rows.append(row)

    def remove(self, name: str) -> bool:
        """Take a row out; whether it was there."""
        place = self._table.index.get(name)
        if place is None:
            return False
        table = self._own_table()
        del table.rows[place]
        del table.index  # every row behind it has moved up
        return True

    def _own_table(self) -> Table:
        """A table of our own: the rows in it stay shared until one is replaced."""
        if not self._own:
            self._table = self._table.copy()
            self._own = True
        self._table.__dict__.pop("records", None)
        self._table.memo.clear()
        return self._table

    def _stored(self, row: Row) -> Row:
        return seal_row(pure(row), self._table.declared.secrets)


def _name(row: Row) -> str:
    name = identity(row)
    if name is None:
        raise Invalid("A record needs an id.")
    return name


def _seal_any(row: Any, declared: Declaration) -> Any:
    return seal_row(row, declared.secrets) if isinstance(row, dict) else row
