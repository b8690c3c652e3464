"""Reading one file: from a cache while it is the same, from the last good copy while it is damaged."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from . import disk, text
from .damaged import BACKUP, LAST_GOOD, Damage

C = TypeVar("C")

logger = logging.getLogger(__name__)


class Form(Protocol[C]):
    """How a kind of content is made from parsed JSON and turned back."""

    @property
    def shape(self) -> type: ...

    def wrap(self, value: Any) -> C:
        """Content made of a parsed file, which is ours alone."""

    def plain(self, content: C) -> Any:
        """What can be rendered; empty when there is no content."""

    def sealed(self, content: C) -> C:
        """The content without plain secrets: the very same when there were none."""


@dataclass(frozen=True)
class Seen(Generic[C]):
    """What one look gave: the content, or with `damage` the last good one (None: there is none)."""

    stamp: disk.Stamp | None
    content: C | None = field(repr=False)
    modified: int = 0
    damage: Damage | None = None


def target_of(path: Path) -> Path:
    """The file itself: a rename onto a symbolic link would replace the link."""
    return Path(os.path.realpath(path))


class Reader(Generic[C]):
    """Looks at one file without any lock. What it gives out is shared and must not be changed."""

    def __init__(self, path: Path, form: Form[C]) -> None:
        self.path = path
        self.form = form
        self.seen: Seen[C] | None = None

    def look(self) -> Seen[C]:
        """The content as it is now."""
        seen = self.seen
        try:
            stamp = disk.stamp(self.path)
        except OSError:
            stamp = disk.UNKNOWN
        if seen is None or seen.stamp != stamp:
            seen = self.seen = self._read(stamp, seen)
        return seen

    def _read(self, stamp: disk.Stamp | None, before: Seen[C] | None) -> Seen[C]:
        try:
            content, stamp = disk.read(self.path)
            return Seen(stamp, self.form.wrap(text.parse(content, self.form.shape)), stamp.modified)
        except (FileNotFoundError, NotADirectoryError):
            return self._missing(before)
        except OSError as error:
            why = text.Unreadable(f"It can't be read: {error.strerror}.")
        except text.Unreadable as reason:
            why = reason
        return self._fallback(stamp, why, before)

    def _missing(self, before: Seen[C] | None) -> Seen[C]:
        """No file is an empty one, unless there was one before."""
        had_content = before is not None and before.content is not None and self.form.plain(before.content)
        if had_content or self._backup.exists():
            return self._fallback(None, text.Unreadable("The file is gone."), before)
        return Seen(None, self.form.wrap(self.form.shape()))

    def _fallback(self, stamp: disk.Stamp | None, why: text.Unreadable, before: Seen[C] | None) -> Seen[C]:
        """Go on with the newer of the last good copy in memory and `.bak`."""
        kept, source = self._read_backup(), BACKUP
        if (
            before is not None
            and before.content is not None
            and before.modified >= (kept.modified if kept else 0)
        ):
            kept, source = before, LAST_GOOD
        damage = Damage(
            file=self.path.name,
            reason=why.reason,
            since=_moment(stamp),
            reading_from=source if kept else "",
            line=why.line,
            column=why.column,
        )
        if before is None or before.damage is None:
            logger.warning("%s is damaged%s: %s", damage.file, damage.place, damage.reason)
        if kept is None:
            return Seen(stamp, None, damage=damage)
        return Seen(stamp, kept.content, kept.modified, damage)

    def _read_backup(self) -> Seen[C] | None:
        try:
            content, stamp = disk.read(self._backup)
            return Seen(stamp, self.form.wrap(text.parse(content, self.form.shape)), stamp.modified)
        except (OSError, text.Unreadable):
            return None

    @property
    def _backup(self) -> Path:
        return disk.beside(target_of(self.path), ".bak")


def _moment(stamp: disk.Stamp | None) -> datetime:
    if stamp is None or not stamp.modified:
        return datetime.now(UTC)
    return datetime.fromtimestamp(stamp.modified / 1e9, UTC)
