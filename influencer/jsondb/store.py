"""The store: files of JSON, changed by a function on what is in them now."""

from __future__ import annotations

import logging
from abc import ABC
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from influencer import paths
from influencer.errors import Conflict

from . import disk, text
from .damaged import Damage
from .declared import Declaration, Sealer, declaration
from .ids import adopt
from .keys import Row
from .lock import Turn
from .reading import Form, Reader, Seen, target_of
from .rows import Rows, Table
from .secret import seal_row
from .writing import replace_file, set_aside_and_replace

ATTEMPTS = 5

logger = logging.getLogger(__name__)

C = TypeVar("C")
T = TypeVar("T")


class JsonFile(ABC, Generic[C]):
    """One JSON file. Readers never wait; writers take turns, and never write over damage."""

    def __init__(self, path: Path, form: Form[C]) -> None:
        self.path = path
        self.name = path.name
        self._form = form
        self._reader = Reader(path, form)
        self._turn = Turn()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def content(self) -> C:
        """What is there to read, shared and unchanging.

        Raises `StoreDamaged` when the file is damaged and there is no good copy at all.
        """
        seen = self._reader.look()
        if seen.content is None:
            raise _problem(seen)
        return seen.content

    def damage(self) -> Damage | None:
        """What is wrong with the file; cheap enough for every page."""
        return self._reader.look().damage

    def rewrite(self, edit: Callable[[C], tuple[C, T]]) -> T:
        """Replace the content by the first thing `edit` makes of it; the second is returned.

        `edit` must have no effect of its own: it runs again when the file changed meanwhile.
        Raises `StoreDamaged`, `StoreBusy`, `StoreUnwritable`, `Conflict`, and what `edit` raises.
        """
        target = target_of(self.path)
        with self._turn.held(disk.beside(target, ".lock")):
            for _ in range(ATTEMPTS):
                seen = self._undamaged()
                assert seen.content is not None
                wanted, result = edit(seen.content)
                if wanted is seen.content or self._replaced(target, seen, wanted):
                    return result
        raise Conflict(f"{self.name} is being changed by another program. Try again.", code="file_changing")

    def restore(self) -> Path | None:
        """Set the damaged file aside and put the last good copy back.

        Returns where the damaged file lies now, None when it was gone. Raises `Conflict`
        (`not_damaged`), `StoreDamaged` when there is no good copy, `StoreUnwritable`.
        """
        target = target_of(self.path)
        with self._turn.held(disk.beside(target, ".lock")):
            seen = self._reader.look()
            if seen.damage is None:
                raise Conflict(f"{self.name} is not damaged.", code="not_damaged")
            if seen.content is None:
                raise _problem(seen)
            sealed = self._form.sealed(seen.content)
            content = self._rendered(sealed)
            backup = None if sealed is seen.content else content
            aside = set_aside_and_replace(target, content, backup=backup)
        logger.warning("%s was restored; the damaged file is %s", self.name, aside.name if aside else "gone")
        return aside

    def check_writable(self) -> C:
        """The content a change would begin with. Raises `StoreDamaged`."""
        content = self._undamaged().content
        assert content is not None
        return content

    def _undamaged(self) -> Seen[C]:
        seen = self._reader.look()
        if seen.damage is not None:
            raise _problem(seen)
        return seen

    def _replaced(self, target: Path, seen: Seen[C], wanted: C) -> bool:
        assert seen.content is not None
        wanted = self._form.sealed(wanted)
        previous = self._form.sealed(seen.content)
        # The previous version would carry a secret typed into the file by hand on into `.bak`.
        backup = None if previous is seen.content else self._rendered(previous)
        stamp = replace_file(target, self._rendered(wanted), expected=seen.stamp, backup=backup)
        if stamp is None:
            return False
        self._reader.seen = Seen(stamp, wanted, stamp.modified)
        return True

    def _rendered(self, content: C) -> bytes:
        return text.render(self._form.plain(content))


class _TableForm:
    shape: type = list

    def __init__(self, declared: Declaration) -> None:
        self.declared = declared

    def wrap(self, value: Any) -> Table:
        adopt(value, self.declared)
        return Table(value, self.declared)

    def plain(self, content: Table) -> list[Any]:
        return content.rows

    def sealed(self, content: Table) -> Table:
        return content.sealed()


class _ObjectForm:
    shape: type = dict

    def __init__(self, declared: Declaration) -> None:
        self.declared = declared

    def wrap(self, value: Any) -> Row:
        return dict(value)

    def plain(self, content: Row) -> Row:
        return content

    def sealed(self, content: Row) -> Row:
        sealed = seal_row(content, self.declared.secrets)
        return self.declared.sealer(sealed) if self.declared.sealer else sealed


class Collection(JsonFile[Table]):
    """A file that holds a list of objects, each with an id."""

    def __init__(self, path: Path) -> None:
        declared = declaration(path.name)
        declared.holds_records = True
        super().__init__(path, _TableForm(declared))

    def rows(self) -> Rows:
        """What is in the file now, to look at."""
        return Rows(self.content())

    def change(self, fn: Callable[[Rows], T]) -> T:
        """Let `fn` edit the rows, and store the outcome in one step. Raises as `rewrite` does."""

        def edit(table: Table) -> tuple[Table, T]:
            rows = Rows(table)
            result = fn(rows)
            return rows.table, result

        return self.rewrite(edit)


class ObjectFile(JsonFile[Row]):
    """A file that holds one object."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _ObjectForm(declaration(path.name)))


class Document:
    """One object in a file of the data folder, like `settings.json`.

    `sealer` seals what `declare_secret` can't name: parts of lists, objects, some texts and not others.
    """

    def __init__(self, name: str, *, sealer: Sealer | None = None) -> None:
        self.name = name
        declared = declaration(name)  # from now on its damage is noticed
        declared.sealer = sealer or declared.sealer

    @property
    def file(self) -> ObjectFile:
        return _opened(ObjectFile, paths.data_dir() / self.name)

    def read(self) -> Row:
        """A copy of the object; empty while there is no file. Raises `StoreDamaged`."""
        return text.pure(self.file.content())

    def change(self, fn: Callable[[Row], T]) -> T:
        """Let `fn` edit the object, and store it; what `fn` returns. Raises as `JsonFile.rewrite` does."""

        def edit(content: Row) -> tuple[Row, T]:
            draft = text.pure(content)
            result = fn(draft)
            draft = text.pure(draft)
            return (content if draft == content else draft), result

        return self.file.rewrite(edit)


def collection(name: str) -> Collection:
    """The collection in a file of the data folder, shared by the whole process."""
    return _opened(Collection, paths.data_dir() / name)


@lru_cache(maxsize=256)
def _opened(kind: type[Any], path: Path) -> Any:
    return kind(path)


def _problem(seen: Seen[Any]) -> Exception:
    assert seen.damage is not None
    return seen.damage.problem()
