"""The files of the data folder together: which are damaged, and getting one back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from influencer.errors import NotFound

from .damaged import Damage
from .declared import declaration, declared_files
from .store import Document, JsonFile, collection


def store_files() -> list[JsonFile[Any]]:
    """Every file a model or a document has claimed."""
    return [store_file(name) for name in declared_files()]


def store_file(name: str) -> JsonFile[Any]:
    """One of them. Raises `NotFound`."""
    if name not in declared_files():
        raise NotFound(f"There is no file {name}.")
    return collection(name) if declaration(name).holds_records else Document(name).file


def damage() -> list[Damage]:
    """What is wrong with any of the files; a few microseconds each, for every page."""
    return [found for file in store_files() if (found := file.damage()) is not None]


def restore(name: str) -> Path | None:
    """Set a damaged file aside (mode 0600) and put the last good copy back.

    Returns where the damaged one lies now, None when the file was gone. Raises `NotFound`,
    `Conflict` (`not_damaged`), `StoreDamaged` when there is no good copy, `StoreUnwritable`.
    """
    return store_file(name).restore()
